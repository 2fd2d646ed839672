/* memo.c -- stacks that were seen are kept; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/memo.h"

#include "record/unwind.h"

/* The innermost n frames of the path into the entry; false: a rule of theirs
 * wants more than the stack pointer. */
static bool
memo_take(record_memo *m, const record_path *p, unsigned n)
{
  const record_frame *const last = &p->frame[p->count - 1];
  uintptr_t bp_slot = last->slot;
  for (unsigned i = 0; i < n; i++) {
    const record_frame *const f = last - i;
    const record_rule rule = unwind_rule(f->ra);
    if (rule.kind != RULE_SP || rule.bp_kind == RULE_BP_AT_BP)
      return false;
    if (rule.bp_kind == RULE_BP_AT_CFA)
      bp_slot = f[-1].slot + 8 + (uintptr_t)(intptr_t)rule.bp_offset;
    m->inner[i] = *f;
  }
  m->bp_at = p->detail[p->count - n - 1].needs & PATH_NEEDS_BP
                 ? (uint32_t)(bp_slot - last->slot)
                 : MEMO_NO_BP;
  return true;
}

/* Keep the stack that was just walked. */
void
tni_record_keep_memo(record_thread *t, const record_window *w, record_memo *m,
                     unsigned how, uint32_t stack)
{
  const record_path *const p = &t->path;
  const unsigned n = w->fresh - 1 < RECORD_MEMO ? w->fresh : 1;
  m->inner[0].slot = 0;
  if (!p->is_own || p->is_stale || n >= p->count || n >= w->count)
    return;
  m->outer = (uint16_t)(p->count - n);
  m->words = (uint16_t)tni_record_path_words(p, m->outer, w->count - n);
  m->hash = p->detail[m->outer - 1].hash;
  if (m->words == 0 || !memo_take(m, p, n)) {
    m->inner[0].slot = 0;
    return;
  }
  m->count = (uint16_t)n;
  m->how = (uint16_t)how;
  m->stack = stack;
  m->epoch = p->epoch;
  m->generation = tni_record.generation;
}
