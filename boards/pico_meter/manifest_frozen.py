# What stands in the firmware itself: what MicroPython's port freezes, and the legally relevant
# part, which no update of the application touches. The rest goes into the ROMFS (make flash).

include("$(PORT_DIR)/boards/manifest.py")
package("metrology", base_path="../../firmware", opt=3)
module("civil.py", base_path="../../firmware", opt=3)
include("../common/manifest_drivers.py")

# Which sources these are, for make flash to compare; make frozen writes it.
module("frozen_sources.py", base_path="../../build/frozen/pico_meter/manifest_frozen", opt=3)
