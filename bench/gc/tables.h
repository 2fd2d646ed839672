/* tables.h -- workloads that write: ephemerons, a table, a graph, survival
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_TABLES_H
#define BENCH_GC_TABLES_H

#include "bench.h"

/* size live ephemerons in a ring; each round replaces one, whose key dies. */
static void
ephemerons_run(bench *b)
{
  const size_t ring = b->size ? b->size : 1;
  TN_ROOTS(b->m, r, table, keys, key, value);
  r.table = bench_new_refs(b, ring);
  r.keys = bench_new_refs(b, ring);
  for (size_t i = 0; i < 10 * ring; i++) {
    r.key = bench_new_node(b);
    r.value = bench_new_node(b);
    tn_gc_write(b->m, r.keys, &BENCH_REFS(r.keys)->at[i % ring], r.key);
    const tn_ref e = bench_need(tn_gc_ephemeron(b->m, r.key, r.value));
    tn_gc_write(b->m, r.table, &BENCH_REFS(r.table)->at[i % ring], e);
  }
  size_t alive = 0;
  for (size_t i = 0; i < ring; i++)
    alive += tn_gc_ephemeron_value(BENCH_REFS(r.table)->at[i]).at != NULL;
  if (!b->quiet)
    printf("ephemerons %zu\t check: %zu\n", ring, alive);
}

/* A table of size entries, each a small array of two nodes; every step replaces
 * one at random and reads another. */
static void
table_run(bench *b)
{
  const size_t size = b->size ? b->size : 1;
  uint64_t random = 1;
  size_t found = 0;
  TN_ROOTS(b->m, r, table, entry, value);
  r.table = bench_new_refs(b, size);
  for (size_t i = 0; i < 20 * size; i++) {
    r.value = bench_new_node(b);
    r.entry = bench_new_refs(b, 2);
    tn_gc_write(b->m, r.entry, &BENCH_REFS(r.entry)->at[0], r.value);
    const size_t k = bench_random(&random) % size;
    tn_gc_write(b->m, r.table, &BENCH_REFS(r.table)->at[k], r.entry);
    const tn_ref other = BENCH_REFS(r.table)->at[bench_random(&random) % size];
    found += other.at != NULL && BENCH_REFS(other)->at[0].at != NULL;
  }
  if (!b->quiet)
    printf("table %zu\t check: %zu\n", size, found);
}

/* size nodes that refer to one another at random; every step makes a node and
 * rewires two. */
static void
graph_run(bench *b)
{
  const size_t size = b->size ? b->size : 1;
  uint64_t random = 1;
  TN_ROOTS(b->m, r, index, node);
  r.index = bench_new_refs(b, size);
  for (size_t i = 0; i < 4 * size; i++) {
    r.node = bench_new_node(b);
    tn_ref *const at = BENCH_REFS(r.index)->at;
    BENCH_NODE(r.node)->left = at[bench_random(&random) % size];
    const tn_ref other = at[bench_random(&random) % size];
    if (other.at)
      tn_gc_write(b->m, other, &BENCH_NODE(other)->right, r.node);
    tn_gc_write(b->m, r.index, &at[i % size], r.node);
  }
  size_t links = 0;
  for (size_t i = 0; i < size; i++)
    links += BENCH_NODE(BENCH_REFS(r.index)->at[i])->right.at != NULL;
  if (!b->quiet)
    printf("graph %zu\t check: %zu\n", size, links);
}

/* size nodes, of which a share goes into a ring of 2^15 and so survives for a
 * while: the cost of an object against the share that survives. */
static void
survival_run(bench *b)
{
  enum { RING = 1 << 15 };
  uint64_t random = 1;
  const uint64_t below = (uint64_t)(b->survive * 1e6);
  TN_ROOTS(b->m, r, ring, node);
  r.ring = bench_new_refs(b, RING);
  size_t at = 0;
  for (size_t i = 0; i < b->size; i++) {
    r.node = bench_new_node(b);
    if (bench_random(&random) % 1000000 < below)
      tn_gc_write(b->m, r.ring, &BENCH_REFS(r.ring)->at[at++ % RING], r.node);
  }
  if (!b->quiet)
    printf("survival %zu\t check: %zu\n", b->size, at);
}

/* size nodes that nobody keeps. */
static void
alloc_run(bench *b)
{
  size_t made = 0;
  for (size_t i = 0; i < b->size; i++)
    made += bench_new_node(b).at != NULL;
  if (!b->quiet)
    printf("alloc %zu\t check: %zu\n", b->size, made);
}

#endif
