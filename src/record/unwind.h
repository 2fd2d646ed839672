/* unwind.h -- from a frame to its caller's, by rules; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_UNWIND_H
#define TNI_RECORD_UNWIND_H

#include "record/known.h"

/* What a frame of the path needs, besides its return address being as it was. */
enum {
  PATH_NEEDS_BP = 1,    // a rule at it or further out uses its bp
  PATH_NEEDS_STEP = 2,  // the rule that leads to it read another word
  PATH_NEEDS_ANY = 4,   // it or one further out needs something
  PATH_NEEDS_WALK = 8,  // it or one further out needs a step
};

#define UNWIND_BASE 0x9e3779b97f4a7c15u  // of the polynomial of frames

/* ---- Rules, each found once ----------------------------------------------------- */

extern record_known *tni_record_rules;  // acquire/release; a rule by its pc

/* A rule is a word of the table's. */
typedef union unwind_word {
  record_rule rule;
  uint64_t word;
} unwind_word;
_Static_assert(sizeof(record_rule) == sizeof(uint64_t), "a rule is a word");

/* Find the rule at pc and keep it as that of ra; 0: do not. */
record_rule tni_record_new_rule(uintptr_t ra, uintptr_t pc);

/* The rule of the function that ra returns to: of the call before it. */
TN_INLINE record_rule
unwind_rule(uintptr_t ra)
{
  /* Pairs with the release in tni_record_known_room. */
  const record_known *const table =
      __atomic_load_n(&tni_record_rules, __ATOMIC_ACQUIRE);
  unwind_word found;
  if (TN_LIKELY(table != NULL) && TN_LIKELY(known_get(table, ra, &found.word)))
    return found.rule;
  return tni_record_new_rule(ra, ra - 1);
}

/* ---- One step --------------------------------------------------------------- */

/* Where a walk stands.  The frame pointer register is known by the place where
 * it was saved, and read only when a rule wants it. */
typedef struct unwind_state {
  uintptr_t slot;  // address of the return address
  uintptr_t ra;
  uintptr_t bp;       // at the innermost frame
  uintptr_t bp_slot;  // where it was saved since; 0: nowhere
  uintptr_t low;      // of the stack
  uintptr_t last;     // address of the stack's last word
  bool is_exact;      // ra is an instruction, not what follows a call
  bool has_signal;    // a kernel's frame was passed
} unwind_state;

typedef enum unwind_result {
  UNWIND_ON,
  UNWIND_END,
  UNWIND_BROKEN
} unwind_result;

TN_INLINE bool
unwind_can_read(const unwind_state *s, uintptr_t p)
{
  return p >= s->low && p <= s->last && p % 8 == 0;
}

/* The frame pointer register; 0, which is no frame, when it cannot be read. */
TN_INLINE uintptr_t
unwind_bp(const unwind_state *s)
{
  if (s->bp_slot == 0)
    return s->bp;
  return unwind_can_read(s, s->bp_slot) ? record_word(s->bp_slot) : 0;
}

/* Learn on which stack sp is.  false: on none. */
bool tni_record_find_stack(record_thread *t, uintptr_t sp, unwind_state *s);
/* From the frame of s to its caller's, by any rule but RULE_SP; t is not used
 * but for a signal's. */
unwind_result tni_record_step(record_thread *t, unwind_state *s,
                              record_rule rule);

#endif
