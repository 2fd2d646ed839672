/* gen.h -- what the nursery's policy and its collection share
 *
 * Threads   the heap's lock; the collecting thread.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_GEN_H
#define TNI_GC_GEN_H

#include "gc/space/space.h"

typedef struct tni_gen {
  tni_lines lines;   // first
  size_t target;     // bytes that the nursery should have
  size_t least;      // const: never less, as long as there is room
  uint32_t most;     // blocks that it may have now
  uint32_t used;     // blocks that it has
  uint32_t nursery;  // list of them, through info.next
  size_t yield;      // bytes free after the last full collection
  bool is_minor;     // a minor collection runs
  bool keeps;        // nearly all survived the last one: promote in place
} tni_gen;

static inline tni_gen *
tni_gen_of(tn_gc *heap)
{
  return heap->state;
}

/* Bytes below the limit that nothing uses. */
static inline size_t
tni_gen_free(const tn_gc *heap)
{
  const size_t used =
      tni_load_relaxed(&heap->used) + tni_load_relaxed(&heap->external);
  return heap->limit > used ? heap->limit - used : 0;
}

/* Collect the nursery; all of it is free, or old, then. */
void tni_gen_minor(tn_gc *heap);
/* tni_collector.resolve and .is_live of gen. */
void *tni_gen_resolve(tn_gc *heap, uintptr_t word);
bool tni_gen_is_live(tn_gc *heap, tn_ref *ref);

#endif
