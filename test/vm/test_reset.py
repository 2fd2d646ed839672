#!/usr/bin/env python3
"""Releasing a million objects costs what releasing one costs (row A4).

Counts the instructions of the release in bench/reset under callgrind: for a
reset they are the same to the last one, whatever the number of objects.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RESETS = {"bump": "tn_bump_reset", "checked": "tn_checked_reset"}


def instructions(program, variant, function, count):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--toggle-collect={function}",
             f"--callgrind-out-file={folder}/out", program, variant, str(count)],
            capture_output=True, text=True, timeout=120)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(done.stderr)
    return int(found[1])


def main():
    if not shutil.which("valgrind"):
        print("skipped: no valgrind")
        return 0
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    program = build / "bench/reset/reset"
    subprocess.run(["make", "-s", f"BUILD={os.environ.get('BUILD', 'build')}",
                    f"{os.environ.get('BUILD', 'build')}/bench/reset/reset"],
                   check=True)
    wrong = 0
    for variant, function in RESETS.items():
        counts = [instructions(program, variant, function, n)
                  for n in (1, 1000000)]
        print(f"{function}: {counts[0]} instructions for 1 object, "
              f"{counts[1]} for 1,000,000")
        wrong += counts[0] != counts[1] or counts[0] == 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
