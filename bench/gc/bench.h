/* bench.h -- what the workloads of bench/gc.c share
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_BENCH_H
#define BENCH_GC_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenure/gc.h>

typedef struct bench {
  tn_gc *heap;
  tn_mutator *m;
  const tn_type *node;   // struct bench_node
  const tn_type *refs;   // struct bench_refs
  const tn_type *bytes;  // struct bench_bytes
  size_t size;           // of the workload
  bool quiet;            // print no text of the workload's own
  bool plain;            // the heap scans stacks: plain variables are roots
  double survive;        // survival: share that survives
} bench;

struct bench_node {
  tn_ref left;
  tn_ref right;
};

struct bench_refs {
  size_t count;
  tn_ref at[];
};

struct bench_bytes {
  size_t count;
  unsigned char at[];
};

/* Out of memory ends a benchmark with one line and status 3. */
static inline tn_ref
bench_need(tn_ref object)
{
  if (!object.at) {
    fprintf(stderr, "bench/gc: out of memory\n");
    exit(3);
  }
  return object;
}

static inline tn_ref
bench_new_node(bench *b)
{
  return bench_need(TN_GC_NEW(b->m, struct bench_node, b->node));
}

static inline tn_ref
bench_new_refs(bench *b, size_t count)
{
  return bench_need(tn_gc_new_array(b->m, b->refs, count));
}

static inline uint64_t
bench_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

#define BENCH_NODE(ref) TN_AT(struct bench_node, ref)
#define BENCH_REFS(ref) TN_AT(struct bench_refs, ref)

#endif
