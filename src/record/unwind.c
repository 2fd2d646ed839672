/* unwind.c -- from a frame to its caller's, by rules; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/unwind.h"

enum {
  UNWIND_RULES_LOG2 = 14,
  UNWIND_SIGNAL_BP =
      120,  // offsets in the kernel's frame, from the stack pointer
  UNWIND_SIGNAL_SP = 160,
  UNWIND_SIGNAL_PC = 168,
};

record_known *tni_record_rules;

/* ---- Rules, each found once ----------------------------------------------------- */

TN_COLD record_rule
tni_record_new_rule(uintptr_t ra, uintptr_t pc)
{
  const unsigned char *const hdr = tni_record_find_module(pc);
  record_rule rule = {.kind = RULE_UNKNOWN};
  if (hdr != NULL)
    rule = tni_record_find_rule(hdr, pc);
  if (rule.kind == RULE_UNKNOWN)
    rule = (record_rule){.kind = RULE_GUESS,
                         .offset = 16,
                         .bp_kind = RULE_BP_AT_CFA,
                         .bp_offset = -16,
                         .ra_offset = -1};
  if (ra == 0)
    return rule;
  record_wiped *const w = tni_record_wiped;
  tni_record_lock(&w->rule_lock);
  if (tni_record_known_room(&tni_record_rules, w->rules, UNWIND_RULES_LOG2)) {
    known_put(tni_record_rules, ra, (unwind_word){.rule = rule}.word);
    w->rules++;
  }
  tni_record_unlock(&w->rule_lock);
  return rule;
}

void
tni_record_forget_rules(void)
{
  record_wiped *const w = tni_record_wiped;
  tni_record_lock(&w->rule_lock);
  __atomic_store_n(&tni_record_rules, NULL, __ATOMIC_RELEASE);
  w->rules = 0;
  tni_record_unlock(&w->rule_lock);
}

/* ---- One step ---------------------------------------------------------------------- */

TN_COLD bool
tni_record_find_stack(record_thread *t, uintptr_t sp, unwind_state *s)
{
  if (sp >= t->stack_low && sp < t->stack_high) {
    s->low = t->stack_low;
    s->last = t->stack_high - 8;
    return true;
  }
  if (sp < t->other_low || sp >= t->other_high)
    if (!tni_record_find_mapping(sp, &t->other_low, &t->other_high)) {
      t->other_low = t->other_high = 0;
      return false;
    }
  s->low = t->other_low;
  s->last = t->other_high - 8;
  return true;
}

/* Out of a signal handler: the kernel's frame holds the registers. */
static TN_COLD unwind_result
unwind_signal(record_thread *t, unwind_state *s)
{
  const uintptr_t context = s->slot + 8;
  if (!unwind_can_read(s, context + UNWIND_SIGNAL_PC))
    return UNWIND_BROKEN;
  const uintptr_t sp = record_word(context + UNWIND_SIGNAL_SP);
  s->bp = record_word(context + UNWIND_SIGNAL_BP);
  s->bp_slot = 0;
  s->ra = record_word(context + UNWIND_SIGNAL_PC);
  s->slot = sp - 8;
  s->is_exact = s->has_signal = true;
  return tni_record_find_stack(t, sp, s) ? UNWIND_ON : UNWIND_BROKEN;
}

/* Code without a rule: does its frame pointer look like one?  It points up this
 * stack, at a return address into code that has rules.  So is libunwind's
 * guess; crtstuff.c's and some assembly's functions need it. */
static TN_COLD bool
unwind_is_frame(const unwind_state *s, uintptr_t bp)
{
  if (bp <= s->slot || !unwind_can_read(s, bp + 8))
    return false;
  const record_rule next = unwind_rule(record_word(bp + 8));
  return next.kind != RULE_UNKNOWN && next.kind != RULE_GUESS;
}

/* The canonical frame address by any rule but RULE_SP; 0: not to be had. */
static uintptr_t
unwind_cfa(const unwind_state *s, record_rule rule)
{
  const uintptr_t sp = s->slot + 8;
  const uintptr_t offset = (uintptr_t)(intptr_t)rule.offset;
  switch ((record_rule_kind)rule.kind) {
  case RULE_BP: return unwind_bp(s) + offset;
  case RULE_SP_FAR: return sp + offset;
  case RULE_PLT: return sp + offset + ((s->ra & 15) >= 11 ? 8 : 0);
  case RULE_GUESS:
    return unwind_is_frame(s, unwind_bp(s)) ? unwind_bp(s) + offset : 0;
  case RULE_BP_DEREF:
  case RULE_SP_DEREF: {
    const uintptr_t at =
        (rule.kind == RULE_BP_DEREF ? unwind_bp(s) : sp) + offset;
    return unwind_can_read(s, at) ? record_word(at) : 0;
  }
  case RULE_SP:
  case RULE_UNKNOWN:
  case RULE_SIGNAL:
  case RULE_END: break;
  }
  return 0;
}

unwind_result
tni_record_step(record_thread *t, unwind_state *s, record_rule rule)
{
  if (rule.kind == RULE_END)
    return UNWIND_END;
  if (rule.kind == RULE_SIGNAL)
    return unwind_signal(t, s);
  const uintptr_t cfa = unwind_cfa(s, rule);
  const uintptr_t slot = cfa + (uintptr_t)(intptr_t)(rule.ra_offset * 8);
  if (cfa == 0 || slot <= s->slot || !unwind_can_read(s, slot))
    return UNWIND_BROKEN;
  if (rule.bp_kind == RULE_BP_AT_CFA)
    s->bp_slot = cfa + (uintptr_t)(intptr_t)rule.bp_offset;
  else if (rule.bp_kind == RULE_BP_AT_BP)
    s->bp_slot = unwind_bp(s) + (uintptr_t)(intptr_t)rule.bp_offset;
  s->slot = slot;
  s->ra = record_word(slot);
  return s->ra == 0 ? UNWIND_END : UNWIND_ON;
}
