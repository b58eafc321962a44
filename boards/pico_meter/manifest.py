options.defaults(files=True)
include("../../firmware/manifest.py", files=options.files)
include("../common/manifest.py")
module("pico_pins.py", base_path="../common", opt=3)
module("board.py", base_path=".", opt=3)
if options.files:
    module("fitted.py", base_path=".", opt=3)
