/* heap.h -- a heap with one mutator and a few types, for tests
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_GC_HEAP_H
#define TEST_GC_HEAP_H

#include <tenure/gc.h>

#include "test.h"

struct node {
  tn_ref next;
  tn_ref other;
  uint64_t id;
};

struct refs {
  size_t count;
  tn_ref slot[];
};

typedef struct test_heap {
  tn_gc *gc;
  tn_mutator *m;
  const tn_type *node;
  const tn_type *refs;
} test_heap;

static inline void
heap_types(test_heap *h)
{
  h->node = tn_gc_type(
      h->gc,
      &(tn_type_spec){.name = "node", .size = sizeof(struct node), .map = 3},
      NULL);
  h->refs =
      tn_gc_type(h->gc,
                 &(tn_type_spec){.name = "refs",
                                 .size = sizeof(struct refs),
                                 .count_offset = offsetof(struct refs, count),
                                 .element_size = sizeof(tn_ref),
                                 .element_map = 1},
                 NULL);
}

static inline test_heap
heap_open(tn_gc_options options)
{
  test_heap h = {0};
  if (options.heap_size == 0)
    options.heap_size = (size_t)16 << 20;
  h.gc = tn_gc_create(&options, NULL);
  if (!h.gc)
    abort();
  h.m = tn_gc_attach(h.gc, NULL);
  if (!h.m)
    abort();
  heap_types(&h);
  return h;
}

static inline void
heap_close(test_heap *h)
{
  tn_gc_detach(h->m);
  tn_gc_destroy(h->gc);
}

/* Before a test_heap: it closes with the block, after the roots declared below
 * it ([gc.frames]). */
#define HEAP_CLOSES __attribute__((cleanup(heap_close)))

static inline tn_ref
heap_node(test_heap *h, uint64_t id)
{
  const tn_ref n = TN_GC_NEW(h->m, struct node, h->node);
  if (n.at)
    TN_AT(struct node, n)->id = id;
  return n;
}

static inline bool
heap_is(const test_heap *h, const char *collector)
{
  return strcmp(tn_gc_collector(h->gc), collector) == 0;
}

#endif
