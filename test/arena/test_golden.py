#!/usr/bin/env python3
"""Count the instructions of an arena's fast paths, gcc and clang at -O2.

    push            at most 7
    temporary scope opening and closing, at most 8

What is counted is the path on which no jump is taken, up to the return,
without what saves registers and moves the stack pointer; of the scope, what a
function with it has more than the same function without.  x86-64 only.
"""
import os
import pathlib
import platform
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import machine  # noqa: E402

SOURCE = r"""
#include <tenure/arena.h>
void *push(tn_arena *a, size_t n) { return tn_arena_push(a, n); }
void *push_or_null(tn_arena *a, size_t n) { return tn_arena_try(a, n); }
void without(tn_arena *a) { *(void **)tn_arena_push(a, 16) = 0; }
void with(tn_arena *a) { TN_WITH_TEMP(a) { *(void **)tn_arena_push(a, 16) = 0; } }
"""
FRAME = re.compile(r"push |pop |(sub|add) +\$0x[0-9a-f]+,%rsp|mov +%rdi,%rbx")


def fast_path(code):
    """What runs when no conditional jump is taken, without the return."""
    ends = [i for i, text in enumerate(code) if text.startswith("ret")]
    path = [text for text in code[:ends[0]] if not FRAME.match(text)]
    if any(text.startswith(("call", "jmp")) for text in path):
        path += ["?"] * 99
    return path


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            found = machine.functions(compiler, SOURCE, folder, "-fPIC")
        code = {name: fast_path(lines) for name, lines in found.items() if "." not in name}
        scope = len(code["with"]) - len(code["without"])
        for name, count, most in (("push", len(code["push"]), 7),
                                  ("try", len(code["push_or_null"]), 7),
                                  ("scope", scope, 8)):
            print(f"{compiler},{name},instructions,{count}")
            if count > most or count <= 0:
                wrong += 1
                print(f"{compiler}: {name} has more than {most}")
                for lines in code.values():
                    print(*lines, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
