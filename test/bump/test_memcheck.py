#!/usr/bin/env python3
"""Each plant of test_poison.c is an error to valgrind's memcheck, in the debug
library; the same steps without a crime are none."""
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = folder + "/poison"
        subprocess.run(["gcc", "-std=c11", "-g", "-DTN_DEBUG=1", "-Iinclude", "-Isrc", "-Itest",
                        "test/bump/test_poison.c", "-o", program, BUILD + "/libtenure-debug.a",
                        "-pthread", "-lm"], check=True)
        done = subprocess.run(["valgrind", "-q", "--undef-value-errors=no", program],
                              capture_output=True, text=True)
    reports = done.stderr.count("Invalid read") + done.stderr.count("Invalid write")
    if done.returncode or reports < 10:
        print(f"status {done.returncode}, {reports} reports\n{done.stderr[-4000:]}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
