# What stands in the firmware itself with BOARD_VARIANT=FROZEN: what MicroPython's port freezes,
# and all of ours but main.py and fitted.py, which are files (make flash).

include("$(PORT_DIR)/boards/manifest.py")

# make frozen writes it: the sources of manifest.py as files are compiled, with constants folded
# and private names short, and which sources they are, for make flash to compare.
include("../../build/frozen/pico_meter/manifest_all/manifest.py", of="manifest.py", files=False)
