options.defaults(files=True)
include("../../firmware/manifest.py", files=options.files)
include("../common/manifest.py")
module("board.py", base_path=".", opt=3)
if options.files:
    module("fitted.py", base_path=".", opt=3)
