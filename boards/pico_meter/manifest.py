include("../../firmware/manifest.py")
include("../common/manifest.py")
module("board.py", base_path=".", opt=3)
module("fitted.py", base_path=".", opt=3)
