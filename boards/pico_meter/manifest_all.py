# What stands in the firmware itself with BOARD_VARIANT=FROZEN: what MicroPython's port freezes,
# and all of ours but main.py and fitted.py, which are files (make flash).

include("$(PORT_DIR)/boards/manifest.py")
include("manifest.py", files=False)

# Which sources these are, for make flash to compare; make frozen writes it.
module("frozen_sources.py", base_path="../../build/frozen/pico_meter/manifest_all", opt=3)
