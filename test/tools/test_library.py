#!/usr/bin/env python3
"""Linking the library changes nothing until a function of it is called.

libtenure.so exports what public headers declare, and all of tn_; in libtenure.a every global name begins
with tn_ or tni_; nothing runs at the start of the program; no name of malloc's
family is defined.
"""
import os
import pathlib
import re
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
FORBIDDEN_SECTIONS = (".init_array", ".ctors", ".preinit_array", ".fini_array")


def lines(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()


def names(*nm):
    """Names that nm lists, without the archive's members."""
    return {line.split()[0] for line in lines("nm", "-P", *nm)
            if line and not line.endswith(":")}


def main():
    exported = names("-D", "--defined-only", f"{BUILD}/libtenure.so")
    headers = "".join(path.read_text() for path in
                      pathlib.Path("include/tenure").glob("*.h"))
    declared = set(re.findall(r"\btni?_\w+", headers))
    inside = names("-g", "--defined-only", f"{BUILD}/libtenure.a")
    strange = {n for n in inside if not re.match(r"tni?_", n)}
    sections = [line for line in lines("objdump", "-h", f"{BUILD}/libtenure.a")
                if any(name in line for name in FORBIDDEN_SECTIONS)]
    foreign = exported - declared | {n for n in inside - exported if n[:3] == "tn_"}
    print("exported or declared, but not both:", *sorted(foreign))
    print("global, but neither tn_ nor tni_:", *sorted(strange))
    print("run at the start or the end:", *sections)
    return 1 if foreign or strange or sections or not exported else 0


if __name__ == "__main__":
    sys.exit(main())
