#!/usr/bin/env python3
"""The planner with its verifier stays within 40 KiB of machine code."""
import glob
import os
import subprocess
import sys

MOST = 40 * 1024


def main():
    build = os.environ.get("BUILD", "build")
    objects = sorted(glob.glob(f"{build}/obj/main/src/plan/*.o"))
    listing = subprocess.run(["size", "-A", *objects], check=True,
                             capture_output=True, text=True).stdout
    code = sum(int(line.split()[1]) for line in listing.splitlines()
               if line.startswith(".text"))
    print(f"{code} bytes of code in {len(objects)} objects")
    return not (len(objects) > 10 and 10000 < code <= MOST)


if __name__ == "__main__":
    sys.exit(main())
