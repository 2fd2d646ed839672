#!/usr/bin/env python3
"""What compilers make of the inline functions of stack.h.

    tn_local_push, tn_local_pop   one instruction each
    a function with two 16-bit    its variables lie 2 bytes apart and take 32
    variables on a tn_local       bits; between open and close no instruction
                                  is spent on pushes and pops at all
    TN_ALLOCA                     a loop that touches what it takes, no call
gcc and clang at -O2, x86-64 only.
"""
import pathlib
import platform
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import machine  # noqa: E402

SOURCE = r"""
#include <tenure/stack.h>
tn_local push(tn_local l) { (void)tn_local_push(&l, 4); return l; }
tn_local pop(tn_local l) { tn_local_pop(&l, 4); return l; }
void use(uint16_t *a, uint16_t *b);
tn_local two(tn_local l) {
  uint16_t *a = TN_LOCAL_PUSH(&l, uint16_t), *b = TN_LOCAL_PUSH(&l, uint16_t);
  use(a, b);
  TN_LOCAL_POP(&l, uint16_t); TN_LOCAL_POP(&l, uint16_t); return l; }
void take(void *p);
void some(size_t n) { take(TN_ALLOCA(n)); }
"""

def complaints(code):
    """Each thing that is not as the head of this file says."""
    if len(code["push"]) != 1 or "4(%rdi),%rax" not in code["push"][0]:
        yield "push"
    if len(code["pop"]) != 1 or "-0x4(%rdi),%rax" not in code["pop"][0]:
        yield "pop"
    if not any(re.match(r"lea +0x2\(%rdi\),%rsi", text) for text in code["two"]):
        yield "two"
    others = [text for text in code["two"] if not re.match(r"push|pop|call|(mov|lea|sub|add) .*%r", text)]
    if others or len(code["two"]) > 7 or any("4" in text and "add" in text for text in code["two"]):
        yield "two"
    if sum("call" in text for text in code["some"]) != 1 or \
            not any(re.match(r"movb +\$0x0,", text) for text in code["some"]):
        yield "some"


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            found = machine.functions(compiler, SOURCE, folder)
        code = {name: [text for text in lines if text != "ret"]
                for name, lines in found.items()}
        print(f"{compiler}: push {len(code['push'])}, pop {len(code['pop'])}, two variables "
              f"{len(code['two'])} instructions")
        for name in complaints(code):
            wrong += 1
            print(f"{compiler}: {name} is", *code[name], sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
