# What stands in the firmware itself: what MicroPython's port freezes, and nothing of ours. All of
# it goes into the ROMFS (make flash), where the meter compares it with the signature of its build.

include("$(PORT_DIR)/boards/manifest.py")
