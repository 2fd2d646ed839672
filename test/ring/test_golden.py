#!/usr/bin/env python3
"""Count the instructions of a ring's push and pop, gcc and clang at -O2.

What is counted is the path on which no jump is taken, up to the return; sizes
that are not known when compiling, and one that is.  x86-64 only.
"""
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <tenure/ring.h>
void *push(tn_ring *r, size_t size) { return tn_ring_push(r, size); }
void *push_64(tn_ring *r) { return tn_ring_push(r, 64); }
void pop(tn_ring *r, void *block, size_t size) { tn_ring_pop(r, block, size); }
void pop_64(tn_ring *r, void *block) { tn_ring_pop(r, block, 64); }
"""
MOST = {"push": 8, "push_64": 7, "pop": 8, "pop_64": 6}


def fast_paths(compiler, folder):
    """{function: its instructions up to the first return}, without padding."""
    source, obj = folder + "/golden.c", folder + "/golden.o"
    with open(source, "w") as out:
        out.write(SOURCE)
    subprocess.run([compiler, "-std=c11", "-O2", "-Iinclude", "-fcf-protection=none",
                    "-c", source, "-o", obj], check=True)
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", obj],
                          check=True, capture_output=True, text=True).stdout
    found, path = {}, []
    for line in text.splitlines():
        head = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        code = re.match(r" +[0-9a-f]+:\t(.*)", line)
        if head:
            path = found.setdefault(head[1], [])
        elif code and (not path or path[-1] != "ret"):
            if not re.match(r"(cs )?nop|xchg +%ax,%ax|data16", code[1]):
                path.append(code[1].split("#")[0].strip())
    return {name: [i for i in path if i != "ret"] for name, path in found.items()}


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            paths = fast_paths(compiler, folder)
        for name, most in MOST.items():
            path = paths[name]
            print(f"{compiler},{name},instructions,{len(path)}")
            if not 3 <= len(path) <= most or any("call" in i for i in path):
                wrong += 1
                print(f"{compiler}: {name} has not 3 to {most}:", *path, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
