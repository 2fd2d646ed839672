/* test_barrier.c -- old objects that come to name young ones
 *
 * Each way to store a reference, into an old object of each kind, is the only
 * way to a young object when a minor collection comes.  And: work lists that
 * overflow, promotion in place.
 *
 *   [gc.write] [gen.remember] [gen.edge] [gc.logged] [work.once]
 * SPDX-License-Identifier: MIT
 */
#include "gc/heap.h"

static const char *collector;

typedef void store_fn(test_heap *h, tn_ref object, tn_ref *slot, tn_ref value);

static void
store_write(test_heap *h, tn_ref object, tn_ref *slot, tn_ref value)
{
  tn_gc_write(h->m, object, slot, value);
}

static void
store_exchange(test_heap *h, tn_ref object, tn_ref *slot, tn_ref value)
{
  (void)tn_gc_exchange(h->m, object, slot, value);
}

static void
store_compare(test_heap *h, tn_ref object, tn_ref *slot, tn_ref value)
{
  tn_ref was = *slot;
  TEST(tn_gc_compare_exchange(h->m, object, slot, &was, value));
}

static void
store_copy(test_heap *h, tn_ref object, tn_ref *slot, tn_ref value)
{
  tn_gc_copy(h->m, object, slot, &value, 1);
}

static store_fn *const stores[] = {store_write, store_exchange, store_compare,
                                   store_copy};

/* An old table of count slots; store k of them, each at its own time. */
static void
test_stores(size_t count, bool pinned)
{
  for (size_t s = 0; s < sizeof stores / sizeof stores[0]; s++) {
    HEAP_CLOSES test_heap h =
        heap_open((tn_gc_options){.collector = collector});
    TN_ROOTS(h.m, r, table, young);
    r.table = pinned ? tn_gc_new_pinned(h.m, h.refs, count)
                     : tn_gc_new_array(h.m, h.refs, count);
    tn_gc_collect(h.m, TN_GC_MINOR);
    if (s == 1)
      tn_gc_collect(h.m, TN_GC_FULL);
    if (s == 2)
      tn_gc_collect(h.m, TN_GC_COMPACT);
    for (uint64_t round = 0; round < 5; round++) {
      const size_t k = (size_t)(round * 7919 + s) % count;
      r.young = heap_node(&h, round);
      stores[s](&h, r.table, &TN_AT(struct refs, r.table)->slot[k], r.young);
      r.young = TN_REF_NULL;
      TEST(tn_gc_verify(h.m) == 0);
      tn_gc_collect(h.m, TN_GC_MINOR);
      r.young = heap_node(&h, 99);  // something else takes the place
      const tn_ref found = TN_AT(struct refs, r.table)->slot[k];
      TEST(TN_AT(struct node, found)->id == round);
    }
    TEST(tn_gc_verify(h.m) == 0);
  }
}

/* More grey objects at once than the list of a tiny heap holds. */
static void
test_overflow(void)
{
  enum { WIDE = 6000 };
  HEAP_CLOSES test_heap h =
      heap_open((tn_gc_options){.collector = collector,
                                .heap_size = (size_t)32 << 20,
                                .stress = TN_GC_STRESS_TINY});
  TN_ROOTS(h.m, r, table, n, child);
  r.table = tn_gc_new_array(h.m, h.refs, WIDE);
  for (uint64_t i = 0; i < WIDE; i++) {
    r.n = heap_node(&h, i);
    tn_gc_write(h.m, r.table, &TN_AT(struct refs, r.table)->slot[i], r.n);
    r.child = heap_node(&h, i + WIDE);
    tn_gc_write(h.m, r.n, &TN_AT(struct node, r.n)->next, r.child);
  }
  r.n = r.child = TN_REF_NULL;
  for (int k = 0; k < 3; k++)
    tn_gc_collect(h.m, (tn_gc_kind)k);
  for (uint64_t i = 0; i < 2 * WIDE; i++)
    (void)heap_node(&h, 1);
  for (uint64_t i = 0; i < WIDE; i++) {
    const tn_ref n = TN_AT(struct refs, r.table)->slot[i];
    TEST(TN_AT(struct node, n)->id == i);
    TEST(TN_AT(struct node, TN_AT(struct node, n)->next)->id == i + WIDE);
  }
  tn_gc_stats s;
  tn_gc_get_stats(h.gc, &s);
  if (!heap_is(&h, "none") && !heap_is(&h, "semi"))
    TEST(s.worklist_overflows > 0);
}

/* A pinned young object among others: they move out, it becomes old there. */
static void
test_promotion_in_place(void)
{
  HEAP_CLOSES test_heap h = heap_open((tn_gc_options){.collector = collector});
  if (heap_is(&h, "semi"))
    return;
  TN_ROOTS(h.m, r, table, pinned, n);
  r.table = tn_gc_new_array(h.m, h.refs, 100);
  for (uint64_t i = 0; i < 100; i++) {
    r.n = heap_node(&h, i);
    if (i == 50)
      r.pinned = r.n;
    tn_gc_write(h.m, r.table, &TN_AT(struct refs, r.table)->slot[i], r.n);
  }
  const void *const at = r.pinned.at;
  TEST(tn_gc_pin(h.m, r.pinned) == TN_OK);
  tn_gc_collect(h.m, TN_GC_MINOR);
  r.n = heap_node(&h, 1000);
  tn_gc_write(h.m, r.pinned, &TN_AT(struct node, r.pinned)->next, r.n);
  r.n = TN_REF_NULL;
  tn_gc_collect(h.m, TN_GC_MINOR);
  for (int i = 0; i < 3000; i++)
    (void)heap_node(&h, 7);
  TEST(r.pinned.at == at);
  const tn_ref next = TN_AT(struct node, r.pinned)->next;
  TEST(TN_AT(struct node, next)->id == 1000);
  for (uint64_t i = 0; i < 100; i++) {
    const tn_ref n = TN_AT(struct refs, r.table)->slot[i];
    TEST(TN_AT(struct node, n)->id == i);
  }
  TEST(tn_gc_unpin(h.m, r.pinned) == TN_OK);
}

int
main(void)
{
  (void)test_seed();
  for (size_t i = 0; (collector = tn_gc_collector_name(i)) != NULL; i++) {
    test_stores(3, false);
    test_stores(700, false);
    test_stores(2000, false);   // large, logged whole
    test_stores(20000, false);  // large, logged by cards
    test_stores(3, true);
    test_overflow();
    test_promotion_in_place();
    if (test_state.failures) {
      fprintf(stderr, "  in collector %s\n", collector);
      break;
    }
  }
  return test_done();
}
