#!/usr/bin/env python3
"""The one-object build defines what the build of many objects defines."""
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")


def defined(archive):
    """Names that other objects can see."""
    said = subprocess.run(["nm", "--defined-only", "-gP", archive], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return {line.split()[0] for line in said.splitlines() if not line.endswith(":")}


def main():
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    one = f"{BUILD}/one"
    subprocess.run(["make", "-s", "ONE=1", f"BUILD={one}", f"{one}/libtenure.a"],
                   check=True, env=env)
    many, few = defined(f"{BUILD}/libtenure.a"), defined(f"{one}/libtenure.a")
    print("only in many objects:", *sorted(many - few))
    print("only in one object:", *sorted(few - many))
    return 1 if many != few or not many else 0


if __name__ == "__main__":
    sys.exit(main())
