/* profile_walk.c -- who called malloc; see profile.h
 *
 * The recorder's rules (record/rules.c), looked up when they are first used.
 * The first look at a stack reads /proc/self/maps for its bounds.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>

#include "record/record.h"
#include "shim/profile.h"

#define WALK_KEPT 1024u  // rules

typedef struct walk_state {
  uintptr_t slot;  // address of the return address
  uintptr_t bp;
  uintptr_t low;  // of the stack
  uintptr_t high;
} walk_state;

static bool
walk_read(const walk_state *s, uintptr_t at, uintptr_t *out)
{
  if (at < s->low || at > s->high - sizeof *out || at % sizeof *out != 0)
    return false;
  *out = *(const uintptr_t *)tni_pointer(at);
  return true;
}

/* The canonical frame address; false: not to be had. */
static bool
walk_cfa(const walk_state *s, record_rule rule, uintptr_t pc, uintptr_t *cfa)
{
  const uintptr_t sp = s->slot + sizeof sp;
  const uintptr_t offset = (uintptr_t)(intptr_t)rule.offset;
  switch ((record_rule_kind)rule.kind) {
  case RULE_SP:
  case RULE_SP_FAR: *cfa = sp + offset; return true;
  case RULE_BP: *cfa = s->bp + offset; return true;
  case RULE_PLT: *cfa = sp + offset + ((pc & 15) >= 11 ? 8 : 0); return true;
  case RULE_BP_DEREF: return walk_read(s, s->bp + offset, cfa);
  case RULE_SP_DEREF: return walk_read(s, sp + offset, cfa);
  case RULE_UNKNOWN:
  case RULE_SIGNAL:
  case RULE_END:
  case RULE_GUESS: break;
  }
  return false;
}

/* The rule at pc; those used before are kept.  A module that is unloaded takes
 * its map with it; should another have the same one at the same place, a stack
 * is wrong, and no more. */
static record_rule
walk_rule(uintptr_t pc, const struct dl_find_object *object)
{
  static struct {
    uintptr_t pc;
    const void *map;
    record_rule rule;
  } kept[WALK_KEPT];  // lock
  const size_t i = (size_t)(pc * 0x9e3779b97f4a7c15u >> 40) % WALK_KEPT;
  if (kept[i].pc != pc || kept[i].map != object->dlfo_link_map) {
    kept[i].rule = tni_record_find_rule(object->dlfo_eh_frame, pc);
    kept[i].pc = pc;
    kept[i].map = object->dlfo_link_map;
  }
  return kept[i].rule;
}

/* From the frame whose code is at pc to its caller's; false: there is none, or
 * no rule for it.  A signal handler is where a walk ends. */
static bool
walk_step(walk_state *s, uintptr_t pc, const struct dl_find_object *object)
{
  const record_rule rule = walk_rule(pc, object);
  uintptr_t cfa;
  if (!walk_cfa(s, rule, pc, &cfa))
    return false;
  const uintptr_t slot = cfa + (uintptr_t)(intptr_t)(rule.ra_offset * 8);
  const uintptr_t bp_offset = (uintptr_t)(intptr_t)rule.bp_offset;
  if (rule.bp_kind != RULE_BP_SAME &&
      !walk_read(s, (rule.bp_kind == RULE_BP_AT_CFA ? cfa : s->bp) + bp_offset,
                 &s->bp))
    s->bp = 0;  // no frame: who needs it ends the walk
  const bool is_on = slot > s->slot;
  s->slot = slot;
  return is_on;
}

/* The code of this library, wherever it is linked to: tools/malloc.mk. */
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
extern const unsigned char __start_tenure_code[]
    __attribute__((visibility("hidden")));
extern const unsigned char __stop_tenure_code[]
    __attribute__((visibility("hidden")));
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

static bool
walk_is_ours(uintptr_t pc)
{
  return pc >= tni_address(__start_tenure_code) &&
         pc < tni_address(__stop_tenure_code);
}

/* The stack that slot is on; remembered for as long as a thread stays there. */
static bool
walk_find_stack(walk_state *s)
{
  static _Thread_local uintptr_t low, high;
  if ((s->slot < low || s->slot >= high) &&
      !tni_record_find_mapping(s->slot, &low, &high)) {
    low = high = 0;
    return false;
  }
  s->low = s->slot;
  s->high = high;
  return true;
}

__attribute__((noinline)) unsigned
tni_profile_walk(uintptr_t *pc, unsigned max)
{
  const uintptr_t frame = tni_address(__builtin_frame_address(0));
  walk_state s = {.slot = frame + sizeof frame,
                  .bp = *(const uintptr_t *)tni_pointer(frame)};
  unsigned depth = 0;
  uintptr_t ra;
  if (!walk_find_stack(&s))
    return 0;
  struct dl_find_object object = {.dlfo_map_end = NULL};
  while (depth < max && walk_read(&s, s.slot, &ra) && ra != 0) {
    if ((ra - 1 < tni_address(object.dlfo_map_start) ||
         ra - 1 >= tni_address(object.dlfo_map_end)) &&
        _dl_find_object(tni_pointer(ra - 1), &object) != 0)
      break;
    if (depth > 0 || !walk_is_ours(ra - 1))
      pc[depth++] = ra - 1;
    if (!walk_step(&s, ra - 1, &object))
      break;
  }
  return depth;
}
