#!/usr/bin/env python3
"""What the compilers make of the inline paths of <tenure/gc.h>.

    allocation   at most 5 instructions on the fast path besides the header's
                 store; the slow path is one tail call
    a write      at most 2 (3 are allowed) besides the store
    a safepoint  a load, a test and a branch
Each with gcc and clang at -O2, x86-64 only.  And a build for one collector
(TN_GC_ONLY) has the same code: the functions are compiled with and without.
"""
import pathlib
import platform
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import machine  # noqa: E402

SOURCE = r"""
#include <tenure/gc.h>
struct node { tn_ref left, right; };
tn_ref allocate(tn_mutator *m, const tn_type *t) {
  return TN_GC_NEW(m, struct node, t);
}
void store(tn_mutator *m, tn_ref o, tn_ref *slot, tn_ref v) {
  tn_gc_write(m, o, slot, v);
}
void point(tn_mutator *m) { tn_gc_safepoint(m); }
"""


def fast_path(lines):
    """The instructions up to the first return, jumps not taken."""
    path = []
    for line in lines:
        if re.match(r"(rep|repz)? ?ret", line):
            break
        path.append(line)
    return path


def complaints(code):
    """Each thing that is not as the head of this file says."""
    allocate = fast_path(code["allocate"])
    stores = [i for i in allocate if re.match(r"mov %r\w+,-0x8\(", i)]
    if len(stores) != 1:
        yield f"allocation does not store its header once: {allocate}"
    if len(allocate) - len(stores) > 5:
        yield f"allocation: {len(allocate) - len(stores)} instructions, 5 wanted: {allocate}"
    write = fast_path(code["store"])
    if len(write) - 1 > 3:
        yield f"a write: {len(write) - 1} besides the store, 3 wanted: {write}"
    if not any(re.match(r"cmpb \$0x0,-0x1\(%r", i) for i in write):
        yield f"a write does not test the logged byte: {write}"
    point = fast_path(code["point"])
    if len(point) > 3:
        yield f"a safepoint: {len(point)} instructions, 3 wanted: {point}"


def main():
    if platform.machine() != "x86_64":
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for compiler in "gcc", "clang":
            code = machine.functions(compiler, SOURCE, folder)
            for complaint in complaints(code):
                print(f"{compiler}: {complaint}")
                failed = 1
            if machine.functions(compiler, SOURCE, folder, "-DTN_GC_ONLY=gen") != code:
                print(f"{compiler}: a build for one collector has other code")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
