#!/usr/bin/env python3
"""Count the instructions of the fast paths of pools, gcc and clang at -O2.

Each function below is one operation; what is counted is the path on which no
jump is taken, up to the return.  x86-64 only.
"""
import os
import pathlib
import platform
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import machine  # noqa: E402

SOURCE = r"""
#include <tenure/handles.h>
#include <tenure/pool.h>
void *pool_alloc(tn_pool *p) { return tn_pool_alloc(p); }
void pool_free(tn_pool *p, void *block) { tn_pool_free(p, block); }
void *cache_alloc(tn_cache *c) { return tn_cache_alloc(c); }
void *handles_get(tn_handles *h, tn_handle name) { return tn_handles_get(h, name); }
tn_handle handles_alloc(tn_handles *h, void **at) { return tn_handles_alloc(h, at); }
bool handles_free(tn_handles *h, tn_handle name) { return tn_handles_free(h, name); }
void cache_free(tn_cache *c, void *object) { tn_cache_free(c, object); }
"""
MOST = {"pool_alloc": 6, "pool_free": 6, "cache_alloc": 6, "cache_free": 6,
        "handles_get": 10, "handles_alloc": 20, "handles_free": 18}


def fast_path(code):
    """What runs when no conditional jump is taken, without the return."""
    ends = [i for i, text in enumerate(code) if text.startswith("ret")]
    return code[:ends[0]] if ends else code


def main():
    if platform.machine() != "x86_64":
        print("not x86-64: nothing to compare with")
        return 0
    wrong = 0
    for compiler in filter(shutil.which, ("gcc", "clang")):
        with tempfile.TemporaryDirectory() as folder:
            code = machine.functions(compiler, SOURCE, folder)
        for name, most in MOST.items():
            path = fast_path(code[name])
            print(f"{compiler},{name},instructions,{len(path)}")
            if len(path) > most or any("call" in i for i in path):
                wrong += 1
                print(f"{compiler}: {name} has more than {most}:", *code[name], sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
