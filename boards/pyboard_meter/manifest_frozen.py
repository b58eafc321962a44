# What stands in the firmware itself: what MicroPython's port freezes, and all of ours but main.py
# and fitted.py. Those two are files (make flash), so that the meter can be kept from starting, and
# its sensors told, without building anew.

include("$(PORT_DIR)/boards/manifest.py")
include("manifest.py", files=False)

# Which sources these are, for make flash to compare; make frozen writes it.
module("frozen_sources.py", base_path="../../build/frozen/pyboard_meter/manifest_frozen", opt=3)
