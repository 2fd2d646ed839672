#!/usr/bin/env python3
"""One grant: after the start nothing is asked of the system  [grant.once]

A program takes its grant and then runs arenas, scratch arenas, arrays, texts,
resets, a pool, a ring, buddies, a stack and requests that exceed the grant.  Between two marks in the record of
its system calls (strace) there is nothing, and no page fault happened
(getrusage); the grant is what an earlier run recorded.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = r"""
#include <sys/resource.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <tenure/array.h>
#include <tenure/buddy.h>
#include <tenure/grant.h>
#include <tenure/pool.h>
#include <tenure/ring.h>
#include <tenure/scratch.h>
#include <tenure/stack.h>
static long faults(void)
{
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return use.ru_minflt + use.ru_majflt;
}
static char *spell(tn_arena *out, unsigned n)
{
  if (n < 10)
    return tn_arena_printf(out, "<%u>", n);
  TN_SCRATCH(s, out);
  return tn_arena_printf(out, "%s.%s", spell(s, n / 10), spell(s, n % 10));
}
static int work(void)
{
  tn_arena request, child;
  int bad = tn_arena_create(&request, NULL) != TN_OK;
  for (int i = 0; i < 50 && !bad; i++) {
    bad |= tn_arena_create(&child, &(tn_arena_options){.parent = &request}) != TN_OK;
    TN_ARRAY(int) list;
    tn_array_init(&list, tn_arena_provider(&child));
    for (int k = 0; k < 20000; k++)
      bad |= tn_array_try_push(&list, k) == NULL;
    memset(tn_arena_push(&request, 100000), i, 100000);
    bad |= strcmp(spell(&request, 1234), "<1>.<2>.<3>.<4>") != 0;
    tn_arena_reset(&request);
  }
  bad |= tn_arena_try(&request, (size_t)1 << 40) != NULL;  /* a value */
  tn_arena_destroy(&request);
  return bad;
}
/* The disciplines that are not arenas, each in memory of the grant. */
static int others(tn_provider *grant)
{
  enum { SIZE = 65536 };
  tn_pool pool;
  tn_ring ring;
  tn_buddy buddy;
  tn_stack stack;
  void *const buffer[] = {tn_allocate(grant, SIZE, 64).pointer,
                          tn_allocate(grant, SIZE, 64).pointer,
                          tn_allocate(grant, SIZE, 64).pointer};
  int bad = !buffer[0] || !buffer[1] || !buffer[2];
  bad |= tn_pool_create(&pool, 48, &(tn_pool_options){.memory = grant, .most = 2000}) != TN_OK;
  bad |= tn_ring_over(&ring, buffer[0], SIZE) != TN_OK;
  bad |= tn_buddy_over(&buddy, buffer[1], SIZE, 64) != TN_OK;
  tn_stack_init(&stack, buffer[2], SIZE);
  for (int i = 0; i < 1000 && !bad; i++) {
    void *const cell = tn_pool_alloc(&pool), *const entry = tn_ring_push(&ring, 200);
    void *const span = tn_buddy_alloc(&buddy, 300);
    tn_frame *const frame = tn_frame_push(&stack, 8, "step");
    bad |= !cell || !entry || !span || !frame || !tn_stack_alloc(&stack, 500, 16);
    tn_frame_pop(&stack, frame);
    tn_buddy_free(&buddy, span);
    tn_ring_pop(&ring, entry, 200);
    if (i % 2)
      tn_pool_free(&pool, cell);
  }
  bad |= tn_buddy_alloc(&buddy, 2 * SIZE) != NULL;  /* a value */
  tn_stack_fini(&stack);
  tn_buddy_leave(&buddy);
  tn_ring_destroy(&ring);
  tn_pool_destroy(&pool);
  return bad;
}
int main(int argc, char **argv)
{
  tn_grant grant;
  const size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  if (tn_grant_create(&grant, &(tn_grant_options){.size = size, .stack = 65536}) != TN_OK)
    return 1;
  tn_arena_set_source(tn_grant_provider(&grant));
  if (write(1, "A", 1) != 1)
    return 1;
  const long before = faults();
  const int bad = work() | others(tn_grant_provider(&grant));
  const long after = faults();
  if (write(1, "B", 1) != 1)
    return 1;
  printf(" bad %d faults %ld peak %zu\n", bad, after - before, tn_grant_get_peak(&grant));
  tn_scratch_fini();
  tn_arena_set_source(NULL);
  tn_grant_destroy(&grant);
  return 0;
}
"""


def run(command):
    """(bad, faults, peak) that the program prints."""
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(n) for n in re.search(r"bad (\d+) faults (\d+) peak (\d+)", text).groups()]


def main():
    build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
    compiler = os.environ.get("CC", "gcc").split()
    with tempfile.TemporaryDirectory() as folder:
        source, program, log = f"{folder}/grant.c", f"{folder}/grant", f"{folder}/log"
        pathlib.Path(source).write_text(PROGRAM)
        subprocess.run([*compiler, "-std=gnu11", "-O1", "-Iinclude", source, "-o", program,
                        build / "libtenure.a", "-pthread"], check=True)
        bad, _, peak = run([program])
        complaints = ["the recording run failed"] if bad else []
        bad, faults, same = run([program, str(peak)])
        if bad or same != peak:
            complaints.append(f"with the grant of {peak} bytes: bad {bad}, peak {same}")
        if faults:
            complaints.append(f"{faults} page faults")
        subprocess.run(["strace", "-f", "-o", log, program, str(peak)], check=True,
                       stdout=subprocess.DEVNULL)
        between = re.search(r'write\(1, "A".*?\n(.*\n)(?:\d+ +)?write\(1, "B"',
                            pathlib.Path(log).read_text(), re.DOTALL)[1]
        # A stack asks for the key of its delimiters: no memory.
        calls = [line for line in between.splitlines()
                 if not re.search("getrusage|getrandom", line)]
        complaints += calls
    print(f"grant of {peak} bytes, {faults} faults, {len(calls)} system calls")
    print(*complaints, sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
