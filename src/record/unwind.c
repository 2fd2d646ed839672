/* unwind.c -- exact call stacks, mostly from memory; see record.h
 *
 * A walk goes outward from the innermost frame until it meets a frame of the
 * last event's path in the same state, and then compares the words that led on
 * from there: no rule is looked up for what has not changed.  The words are the
 * return addresses, and saved frame pointers where a rule further out uses
 * them; if all are what they were, unwinding would read the same and come to
 * the same frames.  [record.exact]
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/record.h"

enum {
  UNWIND_RULES_LOG2 = 14,
  UNWIND_SIGNAL_BP =
      120,  // offsets in the kernel's frame, from the stack pointer
  UNWIND_SIGNAL_SP = 160,
  UNWIND_SIGNAL_PC = 168,
  UNWIND_NEEDS_BP = 1,    // a rule at it or further out uses its bp
  UNWIND_NEEDS_STEP = 2,  // the rule that leads to it read another word
  UNWIND_NEEDS_ANY = 4,   // it or one further out needs something
};
#define UNWIND_BASE 0x9e3779b97f4a7c15u  // of the polynomial of frames
#define UNWIND_SIZE 0xd6e8feb86659fd93u

/* ---- Rules, each found once ----------------------------------------------------- */

typedef struct unwind_entry {
  uintptr_t pc;  // 0: free; stored last, release
  record_rule rule;
} unwind_entry;

/* Replaced by a larger one when half full; the old one stays, as somebody may
 * be reading it. */
typedef struct unwind_table {
  unsigned log2;
  unwind_entry *entries;  // wiped in a child
} unwind_table;

static unwind_table *unwind_rules;  // acquire/release

static size_t
unwind_slot(const unwind_table *table, uintptr_t pc)
{
  return (size_t)((pc * UNWIND_BASE) >> (64 - table->log2));
}

static bool
unwind_get(const unwind_table *table, uintptr_t pc, record_rule *rule)
{
  const size_t mask = ((size_t)1 << table->log2) - 1;
  for (size_t i = unwind_slot(table, pc);; i = (i + 1) & mask) {
    /* Pairs with the release in unwind_put. */
    const uintptr_t seen =
        __atomic_load_n(&table->entries[i].pc, __ATOMIC_ACQUIRE);
    if (seen == pc) {
      *rule = table->entries[i].rule;
      return true;
    }
    if (seen == 0)
      return false;
  }
}

static void
unwind_put(const unwind_table *table, uintptr_t pc, record_rule rule)
{
  const size_t mask = ((size_t)1 << table->log2) - 1;
  size_t i = unwind_slot(table, pc);
  while (table->entries[i].pc != 0 && table->entries[i].pc != pc)
    i = (i + 1) & mask;
  table->entries[i].rule = rule;
  __atomic_store_n(&table->entries[i].pc, pc, __ATOMIC_RELEASE);
}

/* A table of twice the size, or the first; NULL: no memory. */
static unwind_table *
unwind_grow(const unwind_table *old)
{
  const unsigned log2 = old ? old->log2 + 1 : UNWIND_RULES_LOG2;
  unwind_table *const table = tni_record_inherited_pages(sizeof *table);
  if (table == NULL)
    return NULL;
  table->log2 = log2;
  table->entries = tni_record_pages(sizeof *table->entries << log2);
  if (table->entries == NULL)
    return NULL;
  for (size_t i = 0; old != NULL && i < (size_t)1 << old->log2; i++)
    if (old->entries[i].pc != 0)
      unwind_put(table, old->entries[i].pc, old->entries[i].rule);
  __atomic_store_n(&unwind_rules, table, __ATOMIC_RELEASE);
  return table;
}

static TN_COLD record_rule
unwind_find(uintptr_t ra, uintptr_t pc)
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
  unwind_table *table = unwind_rules;
  if (table == NULL || w->rules * 2 >= (size_t)1 << table->log2)
    table = unwind_grow(table);
  if (table != NULL) {
    unwind_put(table, ra, rule);
    w->rules++;
  }
  tni_record_unlock(&w->rule_lock);
  return rule;
}

/* The rule of the function that ra returns to: of the call before it. */
static inline record_rule
unwind_rule(uintptr_t ra)
{
  /* Pairs with the release in unwind_grow. */
  const unwind_table *const table =
      __atomic_load_n(&unwind_rules, __ATOMIC_ACQUIRE);
  record_rule rule;
  if (TN_LIKELY(table != NULL) && TN_LIKELY(unwind_get(table, ra, &rule)))
    return rule;
  return unwind_find(ra, ra - 1);
}

void
tni_record_forget_rules(void)
{
  record_wiped *const w = tni_record_wiped;
  tni_record_lock(&w->rule_lock);
  __atomic_store_n(&unwind_rules, NULL, __ATOMIC_RELEASE);
  w->rules = 0;
  tni_record_unlock(&w->rule_lock);
}

/* ---- One step ---------------------------------------------------------------------- */

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

static inline uintptr_t
unwind_read(uintptr_t p)
{
  return *(const uintptr_t *)p;
}

static inline bool
unwind_can_read(const unwind_state *s, uintptr_t p)
{
  return p >= s->low && p <= s->last && p % 8 == 0;
}

/* The frame pointer register; 0, which is no frame, when it cannot be read. */
static inline uintptr_t
unwind_bp(const unwind_state *s)
{
  if (s->bp_slot == 0)
    return s->bp;
  return unwind_can_read(s, s->bp_slot) ? unwind_read(s->bp_slot) : 0;
}

/* Learn on which stack sp is.  false: on none. */
static TN_COLD bool
unwind_find_stack(record_thread *t, uintptr_t sp, unwind_state *s)
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
  const uintptr_t sp = unwind_read(context + UNWIND_SIGNAL_SP);
  s->bp = unwind_read(context + UNWIND_SIGNAL_BP);
  s->bp_slot = 0;
  s->ra = unwind_read(context + UNWIND_SIGNAL_PC);
  s->slot = sp - 8;
  s->is_exact = s->has_signal = true;
  return unwind_find_stack(t, sp, s) ? UNWIND_ON : UNWIND_BROKEN;
}

/* Code without a rule: does its frame pointer look like one?  It points up this
 * stack, at a return address into code that has rules.  So is libunwind's
 * guess; crtstuff.c's and some assembly's functions need it. */
static TN_COLD bool
unwind_is_frame(const unwind_state *s, uintptr_t bp)
{
  if (bp <= s->slot || !unwind_can_read(s, bp + 8))
    return false;
  const record_rule next = unwind_rule(unwind_read(bp + 8));
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
    return unwind_can_read(s, at) ? unwind_read(at) : 0;
  }
  case RULE_SP:
  case RULE_UNKNOWN:
  case RULE_SIGNAL:
  case RULE_END: break;
  }
  return 0;
}

/* From the frame of s to its caller's, by any rule but RULE_SP. */
static unwind_result
unwind_step(record_thread *t, unwind_state *s, record_rule rule)
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
  s->ra = unwind_read(slot);
  return s->ra == 0 ? UNWIND_END : UNWIND_ON;
}

/* ---- The path ------------------------------------------------------------------------ */

/* What a walk found and the path did not have, innermost first. */
typedef struct unwind_fresh {
  uint32_t count;
  bool is_special;  // one has another rule than RULE_SP
  uintptr_t slot[RECORD_DEPTH];
  uintptr_t ra[RECORD_DEPTH];
  uintptr_t bp_slot[RECORD_DEPTH];
  record_rule rule[RECORD_DEPTH];
} unwind_fresh;

/* Would unwinding to path[k] read what it read?  Not asked when a word that we
 * did not keep was read. */
static bool
unwind_bp_is_same(const record_path *p, uint32_t k)
{
  return !(p->needs[k] & UNWIND_NEEDS_STEP) &&
         (!(p->needs[k] & UNWIND_NEEDS_BP) || p->bp_slot[k] == 0 ||
          unwind_read(p->bp_slot[k]) == p->bp[k]);
}

/* Compare `need` frames outward from path[j - 1], which is believed.  Returns
 * 0 when they all are as they were; otherwise the index + 1 of the frame whose
 * caller is another one now, or not yet known. */
static inline uint32_t
unwind_verify(const record_path *p, uint32_t j, uint32_t need)
{
  const uint32_t stop = j - 1 > need ? j - 1 - need : 0;
  uint32_t k = j - 1;
  if (TN_LIKELY(!(p->needs[k] & UNWIND_NEEDS_ANY))) {
    for (; k > stop; k--)
      if (TN_UNLIKELY(unwind_read(p->slot[k - 1]) != p->ra[k - 1]))
        return k + 1;
  } else {
    for (; k > stop; k--)
      if (unwind_read(p->slot[k - 1]) != p->ra[k - 1] ||
          !unwind_bp_is_same(p, k - 1))
        return k + 1;
  }
  return j - 1 >= need || p->is_whole || p->is_broken ? 0 : 1;
}

static uint64_t unwind_powers[RECORD_DEPTH + 1];  // init: the first walk

static TN_COLD void
unwind_make_powers(void)
{
  uint64_t power = 1;
  for (uint32_t i = 0; i <= RECORD_DEPTH; i++, power *= UNWIND_BASE)
    unwind_powers[i] = power;
}

/* Room for the fresh frames: drop the outermost half. */
static TN_COLD void
unwind_shorten(record_path *p)
{
  const uint32_t half = p->count / 2;
  const size_t left = p->count - half;
  memmove(p->slot, p->slot + half, left * sizeof *p->slot);
  memmove(p->ra, p->ra + half, left * sizeof *p->ra);
  memmove(p->bp, p->bp + half, left * sizeof *p->bp);
  memmove(p->bp_slot, p->bp_slot + half, left * sizeof *p->bp_slot);
  memmove(p->hash, p->hash + half, left * sizeof *p->hash);
  memmove(p->needs, p->needs + half, left);
  p->count = (uint32_t)left;
  p->is_whole = p->is_broken = false;
}

/* What path[n] needs besides its return address, if the frame outside needs
 * `outer`. */
static inline unsigned
unwind_needs(record_rule rule, unsigned outer)
{
  unsigned needs = outer & UNWIND_NEEDS_ANY;
  if (rule.kind == RULE_BP || rule.kind == RULE_BP_DEREF ||
      rule.kind == RULE_GUESS || rule.bp_kind == RULE_BP_AT_BP ||
      (rule.bp_kind == RULE_BP_SAME && (outer & UNWIND_NEEDS_BP)))
    needs |= UNWIND_NEEDS_BP | UNWIND_NEEDS_ANY;
  return needs;
}

/* Append the fresh frames to the path, whose innermost is then this stack's. */
static inline void
unwind_extend(record_path *p, const unwind_fresh *f, const unwind_state *s)
{
  if (TN_UNLIKELY(p->count + f->count > RECORD_PATH))
    unwind_shorten(p);
  uint32_t n = p->count;
  unsigned needs = 0;
  if (n != 0)
    needs = p->needs[n - 1];
  else if (!(p->is_whole || p->is_broken))
    needs = UNWIND_NEEDS_BP | UNWIND_NEEDS_ANY;
  uint64_t hash = n ? p->hash[n - 1] : 0;
  if (TN_LIKELY(n != 0 && !f->is_special && !(needs & UNWIND_NEEDS_BP))) {
    uintptr_t outer = p->slot[n - 1];
    for (uint32_t i = f->count; i-- != 0; n++) {
      const uintptr_t slot = f->slot[i];
      hash = hash * UNWIND_BASE + f->ra[i] + (outer - slot) * UNWIND_SIZE;
      p->slot[n] = outer = slot;
      p->ra[n] = f->ra[i];
      p->hash[n] = hash;
      p->needs[n] = needs & UNWIND_NEEDS_ANY;
    }
    p->count = n;
    return;
  }
  for (uint32_t i = f->count; i-- != 0; n++) {
    const uintptr_t slot = f->slot[i];
    const uintptr_t ra = f->ra[i];
    const record_rule rule = f->rule[i];
    if (TN_LIKELY(n != 0))
      hash = hash * UNWIND_BASE + ra + (p->slot[n - 1] - slot) * UNWIND_SIZE;
    p->slot[n] = slot;
    p->ra[n] = ra;
    p->hash[n] = hash;
    if (TN_UNLIKELY(needs != 0 || rule.kind != RULE_SP)) {
      if (n != 0 &&
          (rule.kind == RULE_BP_DEREF || rule.kind == RULE_SP_DEREF)) {
        p->needs[n - 1] |= UNWIND_NEEDS_STEP | UNWIND_NEEDS_ANY;
        needs |= UNWIND_NEEDS_ANY;
      }
      needs = unwind_needs(rule, needs);
      p->bp_slot[n] = f->bp_slot[i];
      if (needs & UNWIND_NEEDS_BP)
        p->bp[n] = f->bp_slot[i] == 0       ? s->bp
                   : f->bp_slot[i] < s->low ? 0
                                            : unwind_read(f->bp_slot[i]);
    }
    p->needs[n] = (uint8_t)needs;
  }
  p->count = n;
}

static inline void
unwind_add(unwind_fresh *f, const unwind_state *s, record_rule rule)
{
  const uint32_t n = f->count++;
  f->slot[n] = s->slot;
  f->ra[n] = s->ra;
  f->bp_slot[n] = s->bp_slot;
  f->rule[n] = rule;
  f->is_special |= rule.kind != RULE_SP;
}

/* Take the frames path[from - 1] .. path[to - 1], which were compared, as if
 * they had been walked; s is then the last of them. */
static void
unwind_take(unwind_fresh *f, const record_path *p, uint32_t from, uint32_t to,
            uint32_t depth, unwind_state *s)
{
  for (uint32_t i = from;; i--) {
    const record_rule rule = unwind_rule(s->ra);
    unwind_add(f, s, rule);
    if (i == to || f->count >= depth)
      return;
    if (rule.kind == RULE_SP) {
      s->slot = p->slot[i - 2];
      if (rule.bp_kind == RULE_BP_AT_CFA)
        s->bp_slot = s->slot + 8 + (uintptr_t)(intptr_t)rule.bp_offset;
      s->ra = p->ra[i - 2];
    } else if (unwind_step(NULL, s, rule) != UNWIND_ON) {
      return;
    }
  }
}

/* Is path[j - 1] where s stands, in the same state? */
static inline bool
unwind_meets(const record_path *p, uint32_t j, const unwind_state *s)
{
  return p->slot[j - 1] == s->slot && p->ra[j - 1] == s->ra &&
         (!(p->needs[j - 1] & UNWIND_NEEDS_BP) ||
          p->bp[j - 1] == unwind_bp(s)) &&
         !s->is_exact;
}

/* The walk itself: how many outer frames of the path remain. */
static inline uint32_t
unwind_outward(record_thread *t, unwind_state *s, uint32_t depth,
               unwind_fresh *f, unwind_result *end)
{
  const record_path *const p = &t->path;
  uint32_t j = p->count;
  *end = UNWIND_ON;
  for (;;) {
    while (j > 0 && p->slot[j - 1] < s->slot)
      j--;
    if (j > 0 && unwind_meets(p, j, s)) {
      const uint32_t same = unwind_verify(p, j, depth - f->count - 1);
      if (TN_LIKELY(same == 0))
        return j;
      unwind_take(f, p, j, same, depth, s);
      j = same - 1;
    } else {
      unwind_add(f, s,
                 TN_UNLIKELY(s->is_exact) ? unwind_find(0, s->ra)
                                          : unwind_rule(s->ra));
    }
    if (f->count >= depth)
      return 0;
    const record_rule rule = f->rule[f->count - 1];
    s->is_exact = false;
    if (TN_LIKELY(rule.kind == RULE_SP)) {
      const uintptr_t slot = s->slot + (uintptr_t)(intptr_t)rule.offset;
      if (rule.bp_kind == RULE_BP_AT_CFA)
        s->bp_slot = slot + 8 + (uintptr_t)(intptr_t)rule.bp_offset;
      if (TN_UNLIKELY(slot <= s->slot || slot > s->last))
        *end = UNWIND_BROKEN;
      else if ((s->ra = unwind_read(slot)) == 0)
        *end = UNWIND_END;
      s->slot = slot;
    } else {
      *end = unwind_step(t, s, rule);
    }
    if (TN_UNLIKELY(*end != UNWIND_ON))
      return 0;
  }
}

static inline uint64_t
unwind_mix(uint64_t inner, uintptr_t ra, uintptr_t from_top, uint32_t flags)
{
  const uint64_t outer = ra * UNWIND_SIZE + from_top * 4 + flags;
  const uint64_t h =
      (inner ^ outer * 0xff51afd7ed558ccdu) * 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 29;
}

static inline uint64_t
unwind_key(const record_thread *t, const record_window *w)
{
  const record_path *const p = &t->path;
  const uint32_t last = p->count - 1;
  const uint64_t inner =
      p->hash[last] - p->hash[w->first] * unwind_powers[last - w->first];
  return unwind_mix(inner, p->ra[w->first], t->top - p->slot[w->first],
                    w->flags);
}

uint64_t
tni_record_innermost_key(const record_thread *t, uintptr_t slot)
{
  return unwind_mix(0, unwind_read(slot), t->top - slot, TN_TRACE_STACK_CUT);
}

/* One frame needs no walk; it takes the place of what is remembered. */
static void
unwind_innermost(record_thread *t, uintptr_t slot, record_window *window)
{
  record_path *const p = &t->path;
  p->slot[0] = slot;
  p->ra[0] = unwind_read(slot);
  p->hash[0] = 0;
  p->needs[0] = UNWIND_NEEDS_STEP | UNWIND_NEEDS_ANY;
  p->count = 1;
  p->is_whole = p->is_broken = false;
  window->first = 0;
  window->flags = TN_TRACE_STACK_CUT;
  window->key = unwind_key(t, window);
}

void
tni_record_walk(record_thread *t, uintptr_t slot, uintptr_t bp, uint32_t depth,
                record_window *window)
{
  unwind_fresh fresh;
  unwind_state s;
  record_path *const p = &t->path;
  if (depth == 1) {
    unwind_innermost(t, slot, window);
    p->is_stale = true;
    return;
  }
  s.slot = slot;
  s.ra = unwind_read(slot);
  s.bp = bp;
  s.bp_slot = 0;
  s.low = t->stack_low;
  s.last = t->stack_high - 8;
  s.is_exact = s.has_signal = false;
  if (TN_UNLIKELY(unwind_powers[0] == 0))
    unwind_make_powers();
  if (TN_UNLIKELY(slot < s.low || slot > s.last))
    if (!unwind_find_stack(t, slot, &s))
      s.low = s.last = slot;
  if (TN_UNLIKELY(p->is_stale))
    p->count = p->is_stale = 0;
  fresh.count = 0;
  fresh.is_special = false;
  unwind_result end;
  const uint32_t kept = unwind_outward(t, &s, depth, &fresh, &end);
  p->count = kept;
  if (kept == 0) {
    p->is_whole = end == UNWIND_END;
    p->is_broken = end == UNWIND_BROKEN;
  }
  unwind_extend(p, &fresh, &s);
  window->first = p->count > depth ? p->count - depth : 0;
  window->flags = window->first != 0 || !(p->is_whole || p->is_broken)
                      ? TN_TRACE_STACK_CUT
                  : p->is_broken ? TN_TRACE_STACK_BROKEN
                                 : 0;
  window->key = unwind_key(t, window);
  if (TN_UNLIKELY(s.has_signal))
    p->is_stale = true;
}
