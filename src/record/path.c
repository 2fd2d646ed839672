/* path.c -- exact call stacks, mostly from memory; see record.h
 *
 * A walk goes outward from the innermost frame until it meets a frame of the
 * last walk's path in the same state, and then compares the words that led on
 * from there: no rule is looked up for what has not changed.  The words are the
 * return addresses, and saved frame pointers where a rule further out uses
 * them; if all are what they were, unwinding would read the same and come to
 * the same frames.  [record.exact]
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/unwind.h"

#define PATH_SIZE 0xd6e8feb86659fd93u

/* What a walk found and the path did not have, innermost first. */
typedef struct path_fresh {
  uint32_t count;
  bool is_special;  // one has another rule than RULE_SP
  struct path_frame {
    record_frame at;
    uintptr_t bp_slot;
    record_rule rule;
  } frame[RECORD_DEPTH];
} path_fresh;

/* ---- Comparing ---------------------------------------------------------------- */

/* Would unwinding to path[k] read what it read?  Not asked when a word that we
 * did not keep was read. */
static bool
path_bp_is_same(const record_path *p, uint32_t k)
{
  const record_detail *const d = &p->detail[k];
  return !(d->needs & PATH_NEEDS_STEP) &&
         (!(d->needs & PATH_NEEDS_BP) || d->bp_slot == 0 ||
          record_word(d->bp_slot) == d->bp);
}

/* Compare `need` frames outward from path[j - 1], which is believed.  Returns
 * 0 when they all are as they were; otherwise the index + 1 of the frame whose
 * caller is another one now, or not yet known. */
static inline uint32_t
path_verify(const record_path *p, uint32_t j, uint32_t need)
{
  const uint32_t stop = j - 1 > need ? j - 1 - need : 0;
  const uint32_t known = j - 1 >= need || p->is_whole || p->is_broken ? 0 : 1;
  const record_detail *const d = &p->detail[j - 1];
  if (TN_LIKELY(p->is_own && !(d->needs & PATH_NEEDS_WALK)) &&
      record_are_same(&p->word[d->words - 1],
                      d->words - 1 - (stop ? p->detail[stop - 1].words : 0)))
    return known;
  for (uint32_t k = j - 1; k > stop; k--)
    if (!record_is_same(&p->frame[k - 1]) || !path_bp_is_same(p, k - 1))
      return k + 1;
  return known;
}

uint32_t
tni_record_path_words(const record_path *p, uint32_t count, uint32_t frames)
{
  if (p->detail[count - 1].needs & PATH_NEEDS_WALK)
    return 0;
  const uint32_t from = count > frames ? count - frames : 0;
  return p->detail[count - 1].words - (from ? p->detail[from - 1].words : 0);
}

/* ---- The path ------------------------------------------------------------------ */

static uint64_t path_powers[RECORD_DEPTH + 1];  // init: the first walk

static TN_COLD void
path_make_powers(void)
{
  uint64_t power = 1;
  for (uint32_t i = 0; i <= RECORD_DEPTH; i++, power *= UNWIND_BASE)
    path_powers[i] = power;
}

void
tni_record_forget_path(record_thread *t)
{
  t->path.count = 0;
  t->path.epoch++;
  t->path.is_stale = false;
}

/* Room for the fresh frames: drop the outermost half. */
static TN_COLD void
path_shorten(record_path *p)
{
  const uint32_t half = p->count / 2;
  const size_t left = p->count - half;
  const uint32_t words = p->detail[half - 1].words;
  memmove(p->word, p->word + words,
          (p->detail[p->count - 1].words - words) * sizeof *p->word);
  memmove(p->frame, p->frame + half, left * sizeof *p->frame);
  memmove(p->detail, p->detail + half, left * sizeof *p->detail);
  for (size_t i = 0; i < left; i++)
    p->detail[i].words -= words;
  p->count = (uint32_t)left;
  p->epoch++;
  p->is_whole = p->is_broken = false;
}

/* What a frame needs besides its return address, by the rule that leads on
 * from it, if the frame outside needs `outer`. */
static inline uint32_t
path_needs(record_rule rule, uint32_t outer)
{
  uint32_t needs = outer & (PATH_NEEDS_ANY | PATH_NEEDS_WALK);
  if (rule.kind == RULE_BP || rule.kind == RULE_BP_DEREF ||
      rule.kind == RULE_GUESS || rule.bp_kind == RULE_BP_AT_BP ||
      (rule.bp_kind == RULE_BP_SAME && (outer & PATH_NEEDS_BP)))
    needs |= PATH_NEEDS_BP | PATH_NEEDS_ANY;
  return needs;
}

/* The state of path[n], which is the fresh frame f: its needs, and the words by
 * which the one outside is known: its frame pointer is saved here. */
static TN_COLD uint32_t
path_note_needs(record_path *p, uint32_t n, const struct path_frame *f,
                const unwind_state *s, uint32_t outer, uint32_t *words)
{
  record_detail *const d = &p->detail[n];
  const record_rule rule = f->rule;
  if (n != 0 && (rule.kind == RULE_BP_DEREF || rule.kind == RULE_SP_DEREF)) {
    d[-1].needs |= PATH_NEEDS_STEP | PATH_NEEDS_ANY;
    outer |= PATH_NEEDS_ANY | PATH_NEEDS_WALK;
  }
  if (n != 0 && (outer & PATH_NEEDS_BP) && d[-1].bp_slot > f->at.slot)
    p->word[(*words)++] = (record_frame){d[-1].bp_slot, d[-1].bp};
  d->bp_slot = f->bp_slot;
  const uint32_t needs = path_needs(rule, outer);
  if (needs & PATH_NEEDS_BP)
    d->bp = f->bp_slot == 0       ? s->bp
            : f->bp_slot < s->low ? 0
                                  : record_word(f->bp_slot);
  return needs;
}

/* Append the fresh frames to the path, whose innermost is then this stack's. */
static inline void
path_extend(record_path *p, const path_fresh *fresh, const unwind_state *s)
{
  if (TN_UNLIKELY(p->count + fresh->count > RECORD_PATH))
    path_shorten(p);
  uint32_t n = p->count;
  uint32_t needs = 0;
  uint32_t words = 0;
  uint64_t hash = 0;
  uintptr_t outer = 0;
  if (TN_LIKELY(n != 0)) {
    needs = p->detail[n - 1].needs;
    words = p->detail[n - 1].words;
    hash = p->detail[n - 1].hash;
    outer = p->frame[n - 1].slot;
  } else if (!(p->is_whole || p->is_broken)) {
    needs = PATH_NEEDS_BP | PATH_NEEDS_ANY;
  }
  const bool is_plain = !fresh->is_special && !(needs & PATH_NEEDS_BP);
  needs &= is_plain ? ~(uint32_t)PATH_NEEDS_STEP : ~UINT32_C(0);
  for (uint32_t i = fresh->count; i-- != 0; n++) {
    const struct path_frame *const f = &fresh->frame[i];
    if (TN_LIKELY(n != 0))
      hash = hash * UNWIND_BASE + f->at.ra + (outer - f->at.slot) * PATH_SIZE;
    outer = f->at.slot;
    p->frame[n] = f->at;
    if (TN_UNLIKELY(!is_plain))
      needs = path_note_needs(p, n, f, s, needs, &words);
    p->word[words++] = f->at;
    p->detail[n].hash = hash;
    p->detail[n].needs = needs;
    p->detail[n].words = words;
  }
  p->count = n;
}

/* ---- Walking ------------------------------------------------------------------- */

static inline void
path_add(path_fresh *f, const unwind_state *s, record_rule rule)
{
  f->frame[f->count++] =
      (struct path_frame){{s->slot, s->ra}, s->bp_slot, rule};
  f->is_special |= rule.kind != RULE_SP;
}

/* Take the frames path[from - 1] .. path[to - 1], which were compared, as if
 * they had been walked; s is then the last of them. */
static void
path_take(path_fresh *f, const record_path *p, uint32_t from, uint32_t to,
          uint32_t depth, unwind_state *s)
{
  for (uint32_t i = from;; i--) {
    const record_rule rule = unwind_rule(s->ra);
    path_add(f, s, rule);
    if (i == to || f->count >= depth)
      return;
    if (rule.kind == RULE_SP) {
      s->slot = p->frame[i - 2].slot;
      if (rule.bp_kind == RULE_BP_AT_CFA)
        s->bp_slot = s->slot + 8 + (uintptr_t)(intptr_t)rule.bp_offset;
      s->ra = p->frame[i - 2].ra;
    } else if (tni_record_step(NULL, s, rule) != UNWIND_ON) {
      return;
    }
  }
}

/* Is path[j - 1] where s stands, in the same state? */
static inline bool
path_meets(const record_path *p, uint32_t j, const unwind_state *s)
{
  return p->frame[j - 1].slot == s->slot && p->frame[j - 1].ra == s->ra &&
         (!(p->detail[j - 1].needs & PATH_NEEDS_BP) ||
          p->detail[j - 1].bp == unwind_bp(s)) &&
         !s->is_exact;
}

/* The walk itself: how many outer frames of the path remain. */
static inline uint32_t
path_outward(record_thread *t, unwind_state *s, uint32_t depth, path_fresh *f,
             unwind_result *end)
{
  const record_path *const p = &t->path;
  uint32_t j = p->count;
  *end = UNWIND_ON;
  for (;;) {
    while (j > 0 && p->frame[j - 1].slot < s->slot)
      j--;
    if (j > 0 && path_meets(p, j, s)) {
      const uint32_t same = path_verify(p, j, depth - f->count - 1);
      if (TN_LIKELY(same == 0))
        return j;
      path_take(f, p, j, same, depth, s);
      j = same - 1;
    } else {
      path_add(f, s,
               TN_UNLIKELY(s->is_exact) ? tni_record_new_rule(0, s->ra)
                                        : unwind_rule(s->ra));
    }
    if (f->count >= depth)
      return 0;
    const record_rule rule = f->frame[f->count - 1].rule;
    s->is_exact = false;
    if (TN_LIKELY(rule.kind == RULE_SP)) {
      const uintptr_t slot = s->slot + (uintptr_t)(intptr_t)rule.offset;
      if (rule.bp_kind == RULE_BP_AT_CFA)
        s->bp_slot = slot + 8 + (uintptr_t)(intptr_t)rule.bp_offset;
      if (TN_UNLIKELY(slot <= s->slot || slot > s->last))
        *end = UNWIND_BROKEN;
      else if ((s->ra = record_word(slot)) == 0)
        *end = UNWIND_END;
      s->slot = slot;
    } else {
      *end = tni_record_step(t, s, rule);
    }
    if (TN_UNLIKELY(*end != UNWIND_ON))
      return 0;
  }
}

/* ---- Windows ------------------------------------------------------------------- */

/* One frame needs no walk; the path stays as it is. */
static void
path_innermost(record_thread *t, uintptr_t slot, record_window *window)
{
  t->innermost = (record_frame){slot, record_word(slot)};
  *window = (record_window){
      .frame = &t->innermost, .count = 1, .flags = TN_TRACE_STACK_CUT};
  window->key = record_key(t, window->frame, window->flags, 0);
}

/* The innermost frames of the path. */
static inline void
path_window(record_thread *t, uint32_t depth, record_window *w)
{
  const record_path *const p = &t->path;
  const uint32_t first = p->count > depth ? p->count - depth : 0;
  const uint32_t last = p->count - 1;
  w->frame = &p->frame[first];
  w->count = p->count - first;
  w->flags = first != 0 || !(p->is_whole || p->is_broken) ? TN_TRACE_STACK_CUT
             : p->is_broken ? TN_TRACE_STACK_BROKEN
                            : 0;
  w->key = record_key(t, w->frame, w->flags,
                      p->detail[last].hash -
                          p->detail[first].hash * path_powers[last - first]);
}

void
tni_record_walk(record_thread *t, uintptr_t slot, uintptr_t bp, uint32_t depth,
                record_window *window)
{
  path_fresh fresh;
  record_path *const p = &t->path;
  if (depth == 1) {
    path_innermost(t, slot, window);
    return;
  }
  unwind_state s = {.slot = slot,
                    .ra = record_word(slot),
                    .bp = bp,
                    .low = t->stack_low,
                    .last = t->stack_high - 8};
  if (TN_UNLIKELY(path_powers[0] == 0))
    path_make_powers();
  if (TN_UNLIKELY(slot < s.low || slot > s.last))
    if (!tni_record_find_stack(t, slot, &s))
      s.low = s.last = slot;
  if (TN_UNLIKELY(p->is_stale))
    tni_record_forget_path(t);
  fresh.count = 0;
  fresh.is_special = false;
  unwind_result end;
  p->count = path_outward(t, &s, depth, &fresh, &end);
  if (p->count == 0) {
    p->epoch++;
    p->is_whole = end == UNWIND_END;
    p->is_broken = end == UNWIND_BROKEN;
    p->is_own = s.low == t->stack_low;
  }
  path_extend(p, &fresh, &s);
  path_window(t, depth, window);
  window->fresh = fresh.count;
  if (TN_UNLIKELY(s.has_signal)) {
    p->is_stale = true;
    p->epoch++;
  }
}
