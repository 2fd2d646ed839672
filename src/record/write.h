/* write.h -- from a hook's call to a record, where all is known; see record.h
 *
 * Inline, so that a hook calls nothing but the allocator.  What is new or rare
 * is in events.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_WRITE_H
#define TNI_RECORD_WRITE_H

#include "record/memo.h"

/* The number of the stack as it was kept; 0: it is not there. */
TN_INLINE uint32_t
record_recall(record_thread *t, uintptr_t slot, uintptr_t bp, tn_trace_api api,
              uint32_t depth)
{
  const uintptr_t ra = record_word(slot);
  return depth == 1 ? memo_one_get(memo_one_at(t, slot, ra), slot, ra, api)
                    : memo_get(t, memo_at(t, slot, ra), slot, ra, bp,
                               memo_how(api, depth));
}

/* The number of the stack whose innermost return address is at slot. */
TN_INLINE uint32_t
record_where(record_thread *t, uintptr_t slot, uintptr_t bp, tn_trace_api api,
             uint32_t depth)
{
  const uint32_t stack = record_recall(t, slot, bp, api, depth);
  return TN_LIKELY(stack != 0 && !tni_record.check)
             ? stack
             : tni_record_where_slowly(t, slot, bp, api, depth);
}

/* The tick of now, with room for a record in the chunk; 0: there is none.  With
 * several threads the clock must not be read before what went before is done:
 * a free would seem to be earlier than the allocation in another thread. */
TN_INLINE uint64_t
record_tick(record_thread *t)
{
  if (t->tick_log2 == RECORD_TICK_FINE)
    __builtin_ia32_lfence();
  const uint64_t now = record_ticks();
  if (TN_UNLIKELY(t->at >= t->limit || now >= tni_record.next_sample))
    return tni_record_tick_slowly(t, now);
  const uint64_t tick = now >> t->tick_log2;
  return TN_LIKELY(tick >= t->tape.tick) ? tick : t->tape.tick;
}

/* p was given; NULL: nothing was. */
TN_INLINE void
record_allocated(record_thread *t, uintptr_t slot, uintptr_t bp,
                 tn_trace_api api, void *p, size_t size, size_t align)
{
  if (TN_UNLIKELY(!record_wants(t, p, size)))
    return;
  const uint32_t stack = record_where(t, slot, bp, api, tni_record.depth);
  if (TN_UNLIKELY(((uintptr_t)p % 16 | align) != 0 ||
                  tni_record.mode == TN_TRACE_TALLIES)) {
    tni_record_alloc(t, stack, p, size, align);
    return;
  }
  const uint64_t tick = record_tick(t);
  if (TN_LIKELY(tick != 0))
    t->at = tni_tape_alloc(&t->tape, t->at, tick, stack, (uintptr_t)p, size);
}

/* p will be freed. */
TN_INLINE void
record_freed(record_thread *t, uintptr_t slot, uintptr_t bp, tn_trace_api api,
             void *p)
{
  if (TN_UNLIKELY(!record_knows(p)))
    return;
  const uint32_t stack = record_where(t, slot, bp, api, tni_record.free_depth);
  if (TN_UNLIKELY((uintptr_t)p % 16 != 0)) {
    tni_record_free(t, stack, p);
    return;
  }
  const uint64_t tick = record_tick(t);
  if (TN_LIKELY(tick != 0))
    t->at = tni_tape_free(&t->tape, t->at, tick, stack, (uintptr_t)p);
}

#endif
