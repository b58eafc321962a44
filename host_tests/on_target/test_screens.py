"""Every picture of the display on MicroPython: the same dots and segments as recorded."""
# row: DSP-01 DSP-02 DSP-05

import binascii
import hashlib
import sys

sys.path += ["boards/sim", "host_tests/unit"]

import scenes
from checks import check, report

with open("host_tests/unit/screens/hashes.csv") as file:
    lines = [line.strip().split(",") for line in file]
recorded = {line[0]: line[1:] for line in lines[1:]}
check("glasses", tuple(lines[0][1:]) == scenes.GLASSES)

for place, glass in enumerate(scenes.GLASSES):
    seen = set()

    def take(name, lcd, glass=glass, place=place, seen=seen):
        digest = binascii.hexlify(hashlib.sha256(lcd.sent).digest()[:8]).decode()
        if name in recorded and digest == recorded[name][place]:
            seen.add(name)
        else:
            check(glass + " " + name, False)

    scenes.draw(glass, take)
    check(glass, len(seen) == len(recorded), (len(seen), len(recorded)))
report()
