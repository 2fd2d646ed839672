#!/usr/bin/env python3
"""A program that uses obstacks gives the same output over <tenure/obstack.h>

The program below uses every macro of the interface: it is built twice, with
glibc's <obstack.h> and with ours, in release and in debug, and must print the
same.  It checks what it can itself (alignment, contents of older objects), so
that two equal mistakes are seen too.  [obstack.cursor]
"""
import os
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = r"""
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include HEADER
static long live;
static void *take(size_t n) { live++; return malloc(n); }
static void give(void *p) { live--; free(p); }
#define obstack_chunk_alloc take
#define obstack_chunk_free give
static void *take_arg(void *arg, size_t n) { ++*(long *)arg; return malloc(n); }
static void give_arg(void *arg, void *p) { --*(long *)arg; free(p); }

static uint64_t state = 1;
static unsigned pick(unsigned n)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % n;
}
static unsigned long hash(const void *p, size_t n)
{
  unsigned long h = 5381;
  for (size_t i = 0; i < n; i++)
    h = h * 33 + ((const unsigned char *)p)[i];
  return h;
}
/* What is freed goes back to the program's own functions, chunk by chunk. */
static void shrinks(void)
{
  struct obstack h;
  const long before = live;
  obstack_init(&h);
  char *const first = obstack_alloc(&h, 100), *later = NULL;
  for (int i = 0; i < 200; i++) {
    char *const p = obstack_alloc(&h, 20000);
    later = i == 10 ? p : later;
  }
  const long all = live - before;
  obstack_free(&h, later);
  const long half = live - before;
  obstack_free(&h, first);
  const long none = live - before;
  obstack_free(&h, NULL);
  printf("shrinks %d %d %d\n", half < all, none <= 2 && none < half, live == before);
}
static void words(struct obstack *h)
{
  static char *word[5000];
  static size_t size[5000];
  static unsigned long sum[5000];
  int count = 0;
  char text[3000];
  for (int step = 0; step < 20000; step++) {
    switch (pick(12)) {
    case 0:
      if (count > 0) {  /* free an object and all later ones */
        count -= 1 + (int)pick(count < 9 ? (unsigned)count : 9);
        obstack_free(h, word[count]);
      }
      word[count] = NULL;
      break;
    case 1: case 2: case 3: {  /* grow one in several ways */
      const unsigned parts = pick(9);
      for (unsigned i = 0; i < parts; i++) {
        memset(text, 'a' + (int)pick(26), sizeof text);
        switch (pick(7)) {
        case 0: obstack_1grow(h, 'x'); break;
        case 1: obstack_grow(h, text, pick(3000)); break;
        case 2: obstack_grow0(h, text, (int)pick(40)); break;
        case 3: obstack_int_grow(h, (int)pick(1000)); break;
        case 4: obstack_ptr_grow(h, NULL); break;
        case 5: obstack_blank(h, 5); memset((char *)obstack_next_free(h) - 5, 'b', 5); break;
        case 6:
          obstack_make_room(h, 20);
          if (obstack_room(h) < 20) abort();
          obstack_1grow_fast(h, 'f');
          obstack_int_grow_fast(h, 7);
          obstack_blank_fast(h, -2);
          break;
        }
      }
      if (pick(4) == 0 && obstack_object_size(h) > 3)
        obstack_blank(h, -3);
      size[count] = obstack_object_size(h);
      word[count] = obstack_finish(h);
      break;
    }
    case 4:
      size[count] = 1 + pick(2000);
      word[count] = obstack_alloc(h, size[count]);
      memset(word[count], (int)pick(200), size[count]);
      break;
    case 5: size[count] = 9; word[count] = obstack_copy(h, "lifetime", 9); break;
    case 6: size[count] = 5; word[count] = obstack_copy0(h, "lifetime", 4); break;
    default: {
      const int n = obstack_printf(h, "%d/%*s", step, (int)pick(60), "tenure");
      obstack_1grow(h, 0);
      size[count] = obstack_object_size(h);
      word[count] = obstack_finish(h);
      if (strlen(word[count]) != (size_t)n) abort();
    }
    }
    if (count < 5000 && word[count] && size[count] > 0) {
      if (((uintptr_t)word[count] & (uintptr_t)obstack_alignment_mask(h)) != 0)
        printf("not aligned\n");
      sum[count] = hash(word[count], size[count]);
      count++;
    }
    if (count > 4990) { count = 2500; obstack_free(h, word[count]); word[count] = NULL; }
    if (step % 997 == 0) {
      unsigned long all = 0;
      for (int i = 0; i < count; i++) {
        if (hash(word[i], size[i]) != sum[i])
          printf("object %d has changed\n", i);
        all = all * 31 + sum[i];
      }
      printf("%d: %d objects, %lu\n", step, count, all);
    }
  }
  obstack_free(h, NULL);
}
static jmp_buf full;
static void on_full(void) { longjmp(full, 1); }
static void *none(size_t n) { static char first[8192]; return n <= 8192 && !live++ ? first : NULL; }
static void keep(void *p) { (void)p; }
int main(void)
{
  struct obstack h;
  obstack_init(&h);
  printf("empty %d\n", obstack_empty_p(&h) != 0);
  words(&h);
  printf("live %ld\n", live);
  shrinks();
  obstack_begin(&h, 200);
  obstack_alignment_mask(&h) = 63;
  (void)obstack_finish(&h);
  words(&h);
  printf("live %ld\n", live);
  long mine = 0;
  obstack_specify_allocation_with_arg(&h, 0, 0, take_arg, give_arg, &mine);
  obstack_1grow(&h, 'q');
  printf("%zu %c %d\n", (size_t)obstack_object_size(&h), *(char *)obstack_base(&h), mine > 0);
  printf("used %d\n", obstack_memory_used(&h) >= 1000);
  words(&h);
  printf("mine %ld\n", mine);
  live = 0;
  obstack_alloc_failed_handler = on_full;
  if (setjmp(full) == 0) {
    obstack_specify_allocation(&h, 0, 0, none, keep);
    for (;;)
      (void)obstack_alloc(&h, 1000);
  }
  printf("full\n");
  return obstack_exit_failure != 1;
}
"""


def main():
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    compiler = os.environ.get("CC", "gcc").split()
    outputs = {}
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "words.c")
        source.write_text(PROGRAM)
        for name, flags in {
                "glibc": ["-D_GNU_SOURCE", "-DHEADER=<obstack.h>", "-w"],
                "tenure": ["-D_GNU_SOURCE", "-DHEADER=<tenure/obstack.h>", "-Wall", "-Werror",
                           build / "libtenure.a"],
                "debug": ["-DTN_DEBUG=1", "-DHEADER=<tenure/obstack.h>",
                          build / "libtenure-debug.a"]}.items():
            program = f"{folder}/{name}"
            subprocess.run([*compiler, "-std=gnu11", "-O1", "-Iinclude", source, "-o", program,
                            *flags, "-pthread"], check=True)
            done = subprocess.run([program], capture_output=True, text=True)
            outputs[name] = done.stdout + done.stderr + str(done.returncode)
    wrong = [name for name in outputs if outputs[name] != outputs["glibc"]]
    for name in wrong:
        print(f"{name} printed\n{outputs[name][-600:]}\nand glibc\n{outputs['glibc'][-600:]}")
    lines = outputs["glibc"].splitlines()
    bad = [line for line in lines if "not aligned" in line or "changed" in line]
    print(f"{len(lines)} lines, {len(wrong)} differ, {len(bad)} complaints")
    return 1 if wrong or bad or lines[-1] != "0" else 0


if __name__ == "__main__":
    sys.exit(main())
