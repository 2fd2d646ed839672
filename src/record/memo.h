/* memo.h -- stacks that were seen, told by comparing; see record.h
 *
 * The fast way to a stack's number.  An entry is found by the innermost frame's
 * place and return address, and holds if the words that led outward are what
 * they were: return addresses of a few inner frames, kept in the entry, then
 * the path's.  The path is not changed, so that stacks with the same outer
 * frames stay known beside each other.  [record.exact]
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_MEMO_H
#define TNI_RECORD_MEMO_H

#include "record/record.h"

enum { MEMO_NO_BP = 1 };  // of `bp_at`: the frame pointer is not needed

/* What is asked for. */
TN_INLINE unsigned
memo_how(tn_trace_api api, uint32_t depth)
{
  return (unsigned)api << 8 | depth;
}

TN_INLINE record_memo *
memo_at(record_thread *t, uintptr_t slot, uintptr_t ra)
{
  return &t->memo[((ra + slot * 5) * 0x9e3779b97f4a7c15u) >> 56];
}

/* Does what the entry stands on still hold? */
TN_INLINE bool
memo_outer_holds(const record_thread *t, const record_memo *m, uintptr_t bp)
{
  const record_path *const p = &t->path;
  const record_detail *const d = &p->detail[m->outer - 1];
  if (TN_UNLIKELY(m->outer > p->count || d->hash != m->hash))
    return false;
  if (m->bp_at != MEMO_NO_BP &&
      (m->bp_at ? record_word(m->inner[0].slot + m->bp_at) : bp) != d->bp)
    return false;
  return record_are_same(&p->word[d->words], m->words);
}

/* The number of the stack at slot, if it is the entry's; 0: it is another. */
TN_INLINE uint32_t
memo_get(const record_thread *t, const record_memo *m, uintptr_t slot,
         uintptr_t ra, uintptr_t bp, unsigned how)
{
  if (TN_UNLIKELY(m->inner[0].slot != slot || m->inner[0].ra != ra ||
                  m->how != how || m->epoch != t->path.epoch ||
                  m->generation != tni_record.generation))
    return 0;
  for (unsigned i = 1; i < m->count; i++)
    if (TN_UNLIKELY(!record_is_same(&m->inner[i])))
      return 0;
  return TN_LIKELY(memo_outer_holds(t, m, bp)) ? m->stack : 0;
}

/* ---- Stacks of one frame ------------------------------------------------------ */

TN_INLINE record_one *
memo_one_at(record_thread *t, uintptr_t slot, uintptr_t ra)
{
  return &t->one[((ra + slot * 5) * 0x9e3779b97f4a7c15u) >> 53];
}

/* The number of the stack at slot, if it is the entry's; 0: it is another. */
TN_INLINE uint32_t
memo_one_get(const record_one *m, uintptr_t slot, uintptr_t ra,
             tn_trace_api api)
{
  return TN_LIKELY(m->slot == slot && m->ra == ra && m->api == api &&
                   m->generation == tni_record.generation)
             ? m->stack
             : 0;
}

TN_INLINE void
memo_one_keep(record_one *m, uintptr_t slot, tn_trace_api api, uint32_t stack)
{
  *m = (record_one){.slot = slot,
                    .ra = record_word(slot),
                    .generation = tni_record.generation,
                    .api = api,
                    .stack = stack};
}

#endif
