/* gc_death.h -- a small heap for crimes against it
 * SPDX-License-Identifier: MIT
 */
#ifndef GC_DEATH_H
#define GC_DEATH_H

#include <stdlib.h>

#include <tenure/gc.h>

struct death_node {
  tn_ref next;
};

static tn_gc *death_heap;
static tn_mutator *death_m;
static const tn_type *death_type;

static inline tn_ref
death_new(void)
{
  return TN_GC_NEW(death_m, struct death_node, death_type);
}

static inline void
death_begin_on(tn_gc_options options)
{
  options.heap_size = (size_t)4 << 20;
  death_heap = tn_gc_create(&options, NULL);
  if (!death_heap)
    exit(1);
  death_m = tn_gc_attach(death_heap, NULL);
  if (!death_m)
    exit(1);
  death_type = tn_gc_type(death_heap,
                          &(tn_type_spec){.name = "death",
                                          .size = sizeof(struct death_node),
                                          .map = 1},
                          NULL);
}

static inline void
death_begin(const char *collector, bool verifies)
{
  death_begin_on((tn_gc_options){.collector = collector, .verifies = verifies});
}

#endif
