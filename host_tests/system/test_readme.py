"""The README's program that reads the meter does what it says, against the running meter."""

import re
import subprocess
import sys


def test_the_program_in_the_readme_reads_the_register(meter, root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.+?)```", readme, re.DOTALL)
    assert len(programs) == 1
    assert "4059" in programs[0]
    program = programs[0].replace("4059", str(meter.ports["cosem"]))
    before = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    after = meter.get("/api/quantities")["energy_wh"]["1.8.0"]
    assert done.returncode == 0, done.stderr
    value, unit = done.stdout.split()
    assert unit == "Wh"
    assert int(before) <= int(float(value)) <= int(after)
