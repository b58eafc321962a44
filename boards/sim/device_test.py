"""`make device-test BOARD=sim`: the device test on the simulated board, without a meter.

    micropython boards/sim/device_test.py [--switch] PORT STATE

PORT is the first of six free TCP ports, STATE a folder for what the chips hold.
"""

import sys

import run  # it puts the simulation in place

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, _HERE + "/bench")  # its main.py instead of the meter's
run.main(["--http", "0", "--fresh", "--ports", sys.argv[-2], "--state", sys.argv[-1]])
