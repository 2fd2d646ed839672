/* failed.c -- what has failed is not searched again (see engine.h)
 *
 * A node's plans are the ways to place its unplaced items, each at its rest,
 * in ascending (offset, position) from (low, low_at) on.  So they depend on
 * the items in their order, where each rests, and on low and low_at: on
 * nothing else, and a node that is the same in all of these as one that failed
 * fails too [search.failed].  All of these are kept and compared, not a hash.
 *
 * The descriptions stand one after the other in an array of fixed size; when
 * it is full all are forgotten, as they are when capacity or order change.
 * SPDX-License-Identifier: MIT
 */
#include "plan/engine.h"

#include <string.h>

/* A description: count, low, low_at, then item and rest of each. */
enum { FAILED_HEAD = 3, FAILED_PER_SLOT = 32 };

bool
tni_engine_remember(tni_engine *e, uint32_t words, uint32_t least,
                    tni_plan_memory *memory)
{
  engine_failed *const c = &e->failed_nodes;
  if (e->window)
    return false;
  c->least = least;
  c->slots = words / FAILED_PER_SLOT + 1;
  c->slot = tni_plan_take(memory, c->slots, sizeof *c->slot);
  c->word = tni_plan_take_dirty(memory, words, sizeof *c->word);
  c->room = c->slot && c->word ? words : 0;
  return c->room > 0;
}

void
tni_engine_forget(tni_engine *e)
{
  engine_failed *const c = &e->failed_nodes;
  if (c->used)
    memset(c->slot, 0, c->slots * sizeof *c->slot);
  c->used = 0;
}

static uint32_t *
failed_slot(const tni_engine *e, const engine_frame *f)
{
  const engine_failed *const c = &e->failed_nodes;
  const uint16_t *const ids = e->ids + f->ids;
  uint64_t hash = (uint64_t)f->low << 32 | f->low_at;
  for (uint32_t i = 0; i < f->count; i++)
    hash = (hash ^ ((uint64_t)ids[i] << 32 | (uint32_t)e->rest[ids[i]])) *
           0x9e3779b97f4a7c15u;
  return &c->slot[(hash >> 32) % c->slots];
}

bool
tni_engine_has_failed(tni_engine *e, const engine_frame *f)
{
  const engine_failed *const c = &e->failed_nodes;
  const uint16_t *const ids = e->ids + f->ids;
  const uint32_t at = c->used ? *failed_slot(e, f) : 0;
  if (!at)
    return false;
  const uint32_t *const word = c->word + at - 1;
  if (word[0] != f->count || word[1] != (uint32_t)f->low ||
      word[2] != f->low_at)
    return false;
  const uint32_t *const pair = word + FAILED_HEAD;
  for (size_t i = 0; i < f->count; i++)
    if (pair[2 * i] != ids[i] || pair[2 * i + 1] != (uint32_t)e->rest[ids[i]])
      return false;
  e->recalled++;
  return true;
}

void
tni_engine_add_failed(tni_engine *e, const engine_frame *f)
{
  engine_failed *const c = &e->failed_nodes;
  const uint16_t *const ids = e->ids + f->ids;
  const uint32_t words = FAILED_HEAD + 2 * f->count;
  if (e->nodes - f->since < c->least || words > c->room)
    return;
  if (c->used > c->room - words)
    tni_engine_forget(e);
  *failed_slot(e, f) = c->used + 1;
  uint32_t *const word = c->word + c->used;
  c->used += words;
  word[0] = f->count;
  word[1] = (uint32_t)f->low;
  word[2] = f->low_at;
  uint32_t *pair = word + FAILED_HEAD;
  for (uint32_t i = 0; i < f->count; i++) {
    *pair++ = ids[i];
    *pair++ = (uint32_t)e->rest[ids[i]];
  }
}
