#!/usr/bin/env python3
"""The instructions that the replay's model charges, counted by callgrind.

The heap's entries within a quarter (glibc's versions differ, and its bins cost
more and less); ours are at most what the model says, as this compiler inlines
them.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
ROUNDS = 20000
MAKES = 50
MANY = "for (int k = 0; k < 20000; k++)"
HEAP = ("small", "by_resize", "large", "resize", "new", "to_fast", "from_fast", "to_bin", "from_bin")
LOOPS = {
    "nothing": "p = 0;",
    "small": "p = malloc(64); free(p);",
    "by_resize": "p = realloc(NULL, 64); free(p);",
    "large": "p = malloc(3000); free(p);",
    "resize": "p = malloc(100); p = realloc(p, 200); p = realloc(p, 300); p = realloc(p, 400); free(p);",
    "new": f"{MANY} all[k] = malloc(56); break;",
    "to_fast": f"{MANY} all[k] = malloc(56); hold = malloc(9); {MANY} free(all[k]); break;",
    "from_fast": f"{MANY} all[k] = malloc(56); hold = malloc(9); {MANY} free(all[k]);"
                 f"{MANY} all[k] = malloc(56); break;",
    "to_bin": f"{MANY} all[k] = malloc(400); hold = malloc(9); {MANY} free(all[k]); break;",
    "from_bin": f"{MANY} all[k] = malloc(400); hold = malloc(9); {MANY} free(all[k]);"
                f"{MANY} all[k] = malloc(400); break;",
    "push": "p = tn_arena_push(&a, 64);",
    "scope": "TN_TEMP(&a); p = tn_arena_push(&a, 64);",
    "rewind": "p = tn_arena_push(&a, 64); tn_arena_rewind(&a, mark);",
    "reset": "p = tn_arena_push(&a, 64); tn_arena_reset(&a);",
    "ring": "p = tn_ring_push(&ring, 64); tn_ring_pop(&ring, p, 64);",
    "ring_make": "tn_ring_create(&rings[i], 4096, 0); p = tn_ring_push(&rings[i], 64);",
    "arena_make": "tn_arena_create(&arenas[i], 0); p = tn_arena_push(&arenas[i], 64);",
    "pool_make": "tn_pool_create(&pools[i], 64, 0); p = tn_pool_alloc(&pools[i]);",
    "carve": "all[i] = tn_pool_alloc(&pool);",
    "pool": "p = tn_pool_alloc(&pool); tn_pool_free(&pool, p);",
}
PROGRAM = """
#include <stdlib.h>
#include <tenure/arena.h>
#include <tenure/pool.h>
#include <tenure/ring.h>
static void *all[20000];
static tn_arena arenas[50];
static tn_pool pools[50];
static tn_ring rings[50];
int main(void)
{
  void *volatile p;
  tn_arena a;
  tn_pool pool;
  tn_ring ring;
  free(malloc(50000));
  void *hold = malloc(5000);
  if (tn_arena_create(&a, 0) != TN_OK || tn_pool_create(&pool, 64, 0) != TN_OK ||
      tn_ring_create(&ring, 4096, 0) != TN_OK)
    return 1;
  tn_arena_push(&a, 64);
  tn_arena_mark mark = tn_arena_get_mark(&a);
  tn_pool_free(&pool, tn_pool_alloc(&pool));  // the machine's limits are read
  for (int i = 0; i < %d; i++) { %s }
  free(hold);
  return 0;
}
"""


def rounds_of(name):
    return MAKES if name.endswith("_make") else ROUNDS


def count(folder, name, rounds):
    source = folder / f"{name}.c"
    source.write_text(PROGRAM % (rounds, LOOPS[name]))
    subprocess.run(["/usr/bin/gcc", "-O2", "-w", "-fno-builtin-malloc", "-fno-builtin-realloc", "-Iinclude", "-o", folder / name, source,
                    f"{BUILD}/libtenure.a", "-lm", "-pthread"], check=True)
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           folder / name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return int(re.search(rb"Collected : (\d+)", done.stdout)[1])


def main():
    text = pathlib.Path("src/trace/replay_run.h").read_text()
    model = {k: int(v) for k, v in re.findall(r"RUN_(\w+) = (\d+),", text)}
    wanted = {
        "small": model["HEAP_ALLOC"] + model["HEAP_FREE"],
        "by_resize": model["HEAP_ALLOC"] + model["HEAP_FREE"] + model["HEAP_BY_RESIZE"],
        "large": model["HEAP_ALLOC_LARGE"] + model["HEAP_FREE_LARGE"],
        "resize": model["HEAP_ALLOC"] + model["HEAP_FREE"] + 3 * model["HEAP_RESIZE"],
        "new": model["HEAP_ALLOC_NEW"],
        "to_fast": model["HEAP_ALLOC_NEW"] + model["HEAP_FREE_FAST"],
        "from_fast": model["HEAP_ALLOC_NEW"] + model["HEAP_FREE_FAST"] + model["HEAP_ALLOC_FAST"],
        "to_bin": model["HEAP_ALLOC_NEW"] + model["HEAP_FREE_BIN"],
        "from_bin": model["HEAP_ALLOC_NEW"] + model["HEAP_FREE_BIN"] + model["HEAP_ALLOC_BIN"],
        "push": model["ARENA_PUSH"],
        "scope": model["ARENA_PUSH"] + model["ARENA_SCOPE"],
        "rewind": model["ARENA_PUSH"] + model["ARENA_REWIND"],
        "reset": model["ARENA_PUSH"] + model["ARENA_RESET"],
        "ring": model["RING_PUSH"] + model["RING_POP"],
        "ring_make": model["RING_MAKE"],
        "arena_make": model["ARENA_MAKE"],
        "pool_make": model["POOL_MAKE"],
        "carve": model["POOL_CARVE"] + model["POOL_ALLOC"],
        "pool": model["POOL_ALLOC"] + model["POOL_FREE"],
    }
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        base = {n: count(folder, "nothing", n) for n in (MAKES, ROUNDS)}
        for what, cost in wanted.items():
            rounds = rounds_of(what)
            counted = (count(folder, what, rounds) - base[rounds]) / rounds
            is_heap = what in HEAP
            if abs(counted - cost) > cost / 4 if is_heap else not 0 < counted <= cost + 1:
                failures += 1
                print(f"{what}: {counted:.1f} instructions, and the model says {cost}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
