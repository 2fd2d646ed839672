/* calls.c -- which calls of a thread are under way; see calls.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/calls.h"

#include <stdlib.h>

#include "trace/store.h"

void
tni_calls_fini(tni_calls *calls)
{
  free(calls->entries);
  *calls = (tni_calls){0};
}

static void
calls_push(tni_calls *calls, tni_calls_entry entry)
{
  calls->entries = tni_store_grow(calls->entries, &calls->room,
                                  calls->count + 1, sizeof *calls->entries);
  TN_CHECK(calls->count == 0 ||
               calls->entries[calls->count - 1].call.slot > entry.call.slot,
           "calls.order");
  calls->entries[calls->count++] = entry;
}

/* How many calls lie outside slot. */
static size_t
calls_outside(const tni_calls *calls, uint64_t slot)
{
  size_t low = 0, high = calls->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (calls->entries[middle].call.slot > slot)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool
calls_is_same(const tni_call *a, const tni_call *b)
{
  return a->slot == b->slot && a->frame == b->frame;
}

static bool
calls_may_be_one(const tni_call *a, const tni_call *b)
{
  return a->function == b->function || a->function == 0 || b->function == 0;
}

/* Nothing is known of the first `count` calls since this event. */
static void
calls_doubt(tni_calls *calls, size_t count, uint64_t now)
{
  for (size_t i = 0; i < count; i++)
    calls->entries[i].doubt = now;
}

/* How many of the event's calls, from the outermost, are those of the list
 * from place `at`. */
static size_t
calls_count_same(const tni_calls *calls, size_t at, const tni_call *stack,
                 size_t count)
{
  const size_t live = calls_outside(calls, stack[count - 1].slot);
  size_t same = 0;
  while (at + same < live && same < count - 1 &&
         calls_is_same(&calls->entries[at + same].call, &stack[same]))
    same++;
  return same;
}

size_t
tni_calls_same(const tni_calls *calls, const tni_call *stack, size_t count,
               bool is_cut)
{
  const size_t at = is_cut ? calls_outside(calls, stack[0].slot) : 0;
  return calls_count_same(calls, at, stack, count);
}

void
tni_calls_enter(tni_calls *calls, const tni_call *stack, size_t count,
                bool is_cut, uint64_t now)
{
  tni_calls_enter_same(calls, stack, count, is_cut, now,
                       tni_calls_same(calls, stack, count, is_cut));
}

void
tni_calls_enter_same(tni_calls *calls, const tni_call *stack, size_t count,
                     bool is_cut, uint64_t now, size_t same)
{
  const size_t at = is_cut ? calls_outside(calls, stack[0].slot) : 0;
  /* What stood where they part: a call, or the leaf of the last event. */
  const tni_calls_entry was =
      at + same < calls->count ? calls->entries[at + same] : calls->leaf;
  /* The frame beyond the last equal call belongs to the same function, or that
   * call was made anew (through a pointer, or it went on by a tail call). */
  const bool is_one =
      was.call.slot && calls_may_be_one(&was.call, &stack[same]);
  if (was.call.slot && !is_one && same > 0)
    same--;
  bool has_gap = false;
  if (is_cut && same == 0) {
    /* Not seen to join what is outside, unless it is another call from a frame
     * that was there. */
    has_gap = !(is_one && was.call.slot == stack[0].slot);
    if (has_gap)
      calls_doubt(calls, at, now);
  }
  calls->count = at + same;
  tni_calls_entry entry = {.birth = now,
                           .maybe = has_gap || was.is_gap ? 0 : now};
  const bool is_there =
      calls->count > 0 &&
      calls->entries[calls->count - 1].call.slot == stack[0].slot + 1;
  if (has_gap && !is_there) {
    entry.is_gap = true;
    entry.call = (tni_call){.slot = stack[0].slot + 1};
    calls_push(calls, entry);
    entry.is_gap = false;
  }
  for (size_t i = same; i + 1 < count; i++) {
    entry.call = stack[i];
    calls_push(calls, entry);
  }
  calls->has_root = calls->has_root || !is_cut;
  entry.call = stack[count - 1];
  calls->leaf = entry;
}

tni_holder
tni_calls_find(const tni_calls *calls, uint64_t since)
{
  size_t sure = calls->count;
  while (sure > 0 && calls->entries[sure - 1].birth > since)
    sure--;
  const tni_holder unknown = {TNI_HOLDER_UNKNOWN, 0};
  if (sure < calls->count && calls->entries[sure].maybe <= since)
    return unknown;
  if (sure == 0)
    return calls->has_root ? (tni_holder){TNI_HOLDER_THREAD, 0} : unknown;
  const tni_calls_entry *const e = &calls->entries[sure - 1];
  if (e->is_gap || e->doubt > since)
    return unknown;
  return (tni_holder){TNI_HOLDER_CALL, e->call.slot};
}
