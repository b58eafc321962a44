# What stands in the firmware itself: what MicroPython's port freezes, and all of ours but main.py
# and fitted.py. Those two are files (make flash), so that the meter can be kept from starting, and
# its sensors told, without building anew.

include("$(PORT_DIR)/boards/manifest.py")

# make frozen writes it: the sources of manifest.py as files are compiled, with constants folded
# and private names short, and which sources they are, for make flash to compare.
include(
    "../../build/frozen/pyboard_meter/manifest_frozen/manifest.py", of="manifest.py", files=False
)
