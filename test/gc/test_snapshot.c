/* test_snapshot.c -- snapshots, retaining paths, differences
 *
 *   [gc.snapshot] [table.once]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/gc_snapshot.h>

#include "gc/heap.h"

static const char *collector;

static void
test_paths(void)
{
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){.collector = collector});
  TN_ROOTS(h.m, r, table, chain, n, weak);
  r.table = tn_gc_new_array(h.m, h.refs, 10);
  for (uint64_t i = 0; i < 5; i++) {
    r.n = heap_node(&h, i);
    TN_AT(struct node, r.n)->other = r.chain;
    r.chain = r.n;
  }
  tn_gc_write(h.m, r.table, &TN_AT(struct refs, r.table)->slot[3], r.chain);
  r.weak = tn_gc_weak(h.m, heap_node(&h, 99));
  const tn_ref first = r.chain;
  tn_ref last = first;
  while (TN_AT(struct node, last)->other.at)
    last = TN_AT(struct node, last)->other;
  r.chain = r.n = TN_REF_NULL;
  tn_gc_snapshot *const s = tn_gc_snapshot_take(h.m, NULL);
  TEST(s != NULL);
  TEST(tn_gc_snapshot_count(s) == 7);  // table, 5 nodes, the weak reference
  size_t path[8];
  const size_t i = tn_gc_snapshot_find(s, last);
  TEST(tn_gc_snapshot_path(s, i, path, 8) == 6);
  TEST(path[5] == i && path[0] == tn_gc_snapshot_find(s, r.table));
  const tn_gc_object top = tn_gc_snapshot_object(s, path[0]);
  TEST_TEXT(top.type, "refs");
  TEST(top.from == TN_GC_ROOT && top.root == &r.table);
  TEST(top.bytes == 8 + sizeof(struct refs) + 10 * sizeof(tn_ref));
  const tn_gc_object second = tn_gc_snapshot_object(s, path[1]);
  TEST(second.from == path[0] && second.offset == sizeof(struct refs) + 24);
  TEST(tn_gc_snapshot_object(s, i).offset == offsetof(struct node, other));
  TEST(tn_gc_snapshot_path(s, i, path, 2) == 6 && path[1] == i);
  TEST(tn_gc_snapshot_find(s, TN_REF_NULL) == TN_GC_ROOT);
  tn_gc_snapshot_free(s);
  tn_gc_snapshot_free(NULL);
}

static void
test_census(void)
{
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){.collector = collector});
  TN_ROOTS(h.m, r, list, table);
  for (uint64_t i = 0; i < 1000; i++) {
    const tn_ref n = heap_node(&h, i);
    TN_AT(struct node, n)->next = r.list;
    r.list = n;
  }
  tn_gc_snapshot *const before = tn_gc_snapshot_take(h.m, NULL);
  r.table = tn_gc_new_array(h.m, h.refs, 100);
  for (int i = 0; i < 400; i++)
    r.list = TN_AT(struct node, r.list)->next;
  tn_gc_snapshot *const after = tn_gc_snapshot_take(h.m, NULL);
  tn_gc_census c[4];
  TEST(tn_gc_snapshot_census(before, c, 4) == 1);
  TEST(c[0].objects == 1000 && c[0].bytes == 32000);
  TEST(tn_gc_snapshot_census(after, c, 1) == 2);
  TEST_TEXT(c[0].type, "node");
  TEST(tn_gc_snapshot_diff(before, after, c, 4) == 2);
  TEST_TEXT(c[0].type, "refs");
  TEST(c[0].objects == 1 && c[0].bytes == 816);
  TEST_TEXT(c[1].type, "node");
  TEST(c[1].objects == -400 && c[1].bytes == -12800);
  TEST(tn_gc_snapshot_diff(after, after, c, 4) == 0);
  tn_gc_snapshot_free(before);
  tn_gc_snapshot_free(after);
}

int
main(void)
{
  (void)test_seed();
  for (size_t i = 0; (collector = tn_gc_collector_name(i)) != NULL; i++) {
    test_paths();
    test_census();
  }
  return test_done();
}
