#!/usr/bin/env python3
"""What the compilers make of the inline functions of vm.

    [pagemap.cost]  tni_pagemap_find is at most 14 instructions and a return
    access.h        stores past the cache are movnti; unaligned loads of the
                    machine's own order are one mov, of the other a mov and a
                    swap (or movbe); volatile loads are not merged
Each with gcc and clang at -O2, x86-64 only.
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
#include <tenure/access.h>
#include "vm/pagemap.h"
const tni_owner *find(const void *p) { return tni_pagemap_find(p); }
void nt32(uint32_t *p, uint32_t v) { tn_store_u32_nt(p, v); }
void nt64(uint64_t *p, uint64_t v) { tn_store_u64_nt(p, v); }
void fence(void) { tn_fence_nt(); }
uint32_t le(const void *p) { return tn_load_u32_le(p); }
uint64_t be(const void *p) { return tn_load_u64_be(p); }
void store_le(void *p, uint16_t v) { tn_store_u16_le(p, v); }
uint32_t twice(const uint32_t *p) {
  return tn_load_u32_volatile(p) + tn_load_u32_volatile(p);
}
"""


def complaints(code):
    """Each thing that is not as the head of this file says."""
    def count(name, pattern):
        return sum(bool(re.match(pattern, i)) for i in code[name])

    if len(code["find"]) > 14:
        yield f"find has {len(code['find'])} instructions"
    if count("find", "call|lock"):
        yield "find calls or locks"
    if count("nt32", r"movnti") != 1 or len(code["nt32"]) != 1:
        yield "tn_store_u32_nt is not one movnti"
    if count("nt64", r"movnti") != 1 or len(code["nt64"]) != 1:
        yield "tn_store_u64_nt is not one movnti"
    if code["fence"] != ["sfence"]:
        yield "tn_fence_nt is not sfence"
    if len(code["le"]) != 1 or len(code["store_le"]) != 1:
        yield "an access in the machine's order is more than one instruction"
    if len(code["be"]) > 2:
        yield "an access in the other order is more than two instructions"
    if count("twice", r"(mov|add)l? .*\(%rdi\)") != 2:
        yield "volatile loads were merged"


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            found = machine.functions(compiler, SOURCE, folder, "-fPIC", "-Isrc")
        code = {name: [line for line in lines if not line.startswith("ret")]
                for name, lines in found.items()}
        print(f"{compiler}: find {len(code['find'])} instructions")
        for complaint in complaints(code):
            wrong += 1
            print(f"{compiler}: {complaint}", *code["find"], sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
