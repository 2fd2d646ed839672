/* quads.h -- trees of four children; replaces random subtrees of a large one
 *
 * After Whippet's quads, from its description.  size is the depth of the large
 * tree: (4^(size+1) - 1) / 3 nodes.
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_QUADS_H
#define BENCH_GC_QUADS_H

#include "bench.h"

static tn_ref
quads_make(bench *b, unsigned depth)
{
  TN_ROOTS(b->m, r, quad, child);
  r.quad = bench_new_refs(b, 4);
  for (size_t i = 0; i < 4 && depth > 0; i++) {
    r.child = quads_make(b, depth - 1);
    tn_gc_write(b->m, r.quad, &BENCH_REFS(r.quad)->at[i], r.child);
  }
  return r.quad;
}

static size_t
quads_count(tn_ref quad)
{
  size_t n = 1;
  for (size_t i = 0; i < 4; i++)
    if (BENCH_REFS(quad)->at[i].at)
      n += quads_count(BENCH_REFS(quad)->at[i]);
  return n;
}

static void
quads_run(bench *b)
{
  const unsigned depth = b->size > 2 ? (unsigned)b->size : 2;
  uint64_t random = 1;
  TN_ROOTS(b->m, r, tree, at, part);
  r.tree = quads_make(b, depth);
  for (size_t i = 0; i < 1000; i++) {
    const unsigned below = depth > 4 ? 4 : depth - 1;
    r.part = quads_make(b, below);
    r.at = r.tree;
    for (unsigned d = depth; d > below + 1; d--)
      r.at = BENCH_REFS(r.at)->at[bench_random(&random) % 4];
    tn_gc_write(b->m, r.at, &BENCH_REFS(r.at)->at[bench_random(&random) % 4],
                r.part);
  }
  if (!b->quiet)
    printf("quads of depth %u\t check: %zu\n", depth, quads_count(r.tree));
}

#endif
