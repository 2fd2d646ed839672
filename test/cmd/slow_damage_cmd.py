#!/usr/bin/env python3
"""A recording of a real program, damaged in 300 ways, through the command."""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_damage_cmd as damage  # noqa: E402
import test_report_cmd as report  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as name:
        base = pathlib.Path(name) / "real"
        subprocess.run([report.TENURE, "run", "-o", str(base), "/bin/ls", "-l", "/usr"], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        [trace] = pathlib.Path(name).glob("real*.trace")
        damage.test(trace.read_bytes(), 300)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
