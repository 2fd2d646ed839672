#!/usr/bin/env python3
"""Instructions of malloc and free through the shared library: [heap.cost]

Counted by callgrind, which is exact; the program's own loop and call are in
the count.  -v prints the counts.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
# mode, size, at most so many instructions a pair: library, checked library.
# An empty library has 14, 22 and 29 in these loops.
GOLDEN = [("pair", 16, 42, 58), ("pair", 1024, 42, 58),
          ("lifo", 16, 46, 62), ("lifo", 1024, 46, 62),
          ("random", 16, 53, 69), ("random", 1024, 53, 69),
          ("calloc", 16, 62, None), ("aligned", 100, 79, None)]
FEW, MANY = 16384, 49152

PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
static void *p[1000];
int main(int argc, char **argv)
{
  const size_t size = (size_t)atol(argv[2]);
  const long n = atol(argv[3]);
  unsigned r = (unsigned)argc;
  switch (argv[1][0]) {
  case 'p':
    for (long i = 0; i < n; i++) { void *volatile q = malloc(size); free(q); }
    break;
  case 'c':
    for (long i = 0; i < n; i++) { void *volatile q = calloc(1, size); free(q); }
    break;
  case 'a':
    for (long i = 0; i < n; i++) { void *volatile q = aligned_alloc(64, size); free(q); }
    break;
  case 'l':
    for (long i = 0; i < n / 64; i++) {
      for (int k = 0; k < 64; k++) p[k] = malloc(size);
      for (int k = 63; k >= 0; k--) free(p[k]);
    }
    break;
  case 'r':
    for (int k = 0; k < 1000; k++) p[k] = malloc(size);
    for (long i = 0; i < n; i++) {
      r = r * 1103515245u + 12345;
      const unsigned k = (r >> 8) % 1000;
      free(p[k]);
      p[k] = malloc(size);
    }
  }
  return 0;
}
"""


# A handle's inline functions, and a heap's whole life.
HEAPS = r"""
#include <stdlib.h>
#include <tenure/heap.h>
int main(int argc, char **argv)
{
  const long n = atol(argv[3]);
  (void)argc;
  if (argv[1][0] == 'i') {
    tn_heap_local *const here = tn_heap_here(tn_heap_default());
    for (long i = 0; i < n; i++) {
      void *p = tn_heap_take(here, 48);
      __asm__ volatile("" : "+r"(p) : : "memory");
      tn_heap_give(here, p, 48);
    }
    return 0;
  }
  for (long i = 0; i < n; i++) {
    tn_heap *const heap = tn_heap_create(NULL, NULL);
    void *p[32];
    if (argv[1][0] == 's') {
      tn_heap_local *const here = tn_heap_here(heap);
      for (int k = 0; k < 32; k++)
        if (!(p[k] = tn_heap_take(here, 128))) return 1;
    } else if (tn_heap_allocate_batch(heap, 128, 16, 32, p) != 32) {
      return 1;
    }
    tn_heap_destroy(heap);
  }
  return 0;
}
"""
# mode, runs, at most so many instructions each (the loop's 3 included).
LIVES = [("inline", 20000, 16), ("life of a heap with 32 blocks", 500, 3000),
         ("single calls in such a life", 500, 3000)]


def count(program, library, mode, size, n):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program, mode, str(size), str(n)], capture_output=True, text=True,
        env=dict(os.environ, LD_PRELOAD=str(library)), check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "pair.c")
        source.write_text(PROGRAM)
        program = str(source.with_suffix(""))
        subprocess.run(["gcc", "-O2", "-fno-builtin", "-o", program,
                        str(source)], check=True)
        for mode, size, plain, checked in GOLDEN:
            for name, most in (("malloc", plain), ("malloc-checked", checked)):
                if most is None:
                    continue
                library = BUILD / f"libtenure-{name}.so"
                few, many = (count(program, library, mode, size, n)
                             for n in (FEW, MANY))
                pair = (many - few) / (MANY - FEW)
                if "-v" in sys.argv:
                    print(f"{name},{mode}-{size},instructions,{pair:.1f}")
                if pair > most:
                    wrong += 1
                    print(f"{name} {mode} {size}: {pair:.1f} instructions, "
                          f"at most {most} wanted")
        source.write_text(HEAPS)
        subprocess.run(["gcc", "-O2", "-Iinclude", "-o", program, str(source),
                        str(BUILD / "libtenure.a"), "-pthread"], check=True)
        for mode, runs, most in LIVES:
            few, many = (count(program, "", mode, 0, n)
                         for n in (runs, 2 * runs))
            each = (many - few) / runs
            if "-v" in sys.argv:
                print(f"heap,{mode},instructions,{each:.1f}")
            if each > most:
                wrong += 1
                print(f"{mode}: {each:.1f} instructions, at most {most}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
