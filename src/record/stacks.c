/* stacks.c -- stacks get numbers, and rows in the tables; see record.h
 *
 * Looking up takes no lock: known.h.  A key is 64 bits of the frames, the stack
 * pointer and the function called; two stacks of one program share one with
 * probability 2^-40 when it has 4,000 of them, 2^-28 with 250,000.
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/known.h"

enum { STACKS_FIRST_LOG2 = 12 };

static record_known *stacks_known;   // acquire/release
static record_known *stacks_frames;  // lock: stack_lock

/* The number of a frame; a new one gets a row. */
static uint64_t
stacks_frame(uintptr_t ra, uintptr_t size)
{
  record_wiped *const w = tni_record_wiped;
  const uint64_t words = size / 8;
  const uint64_t key = words < 1 << 16
                           ? ra | words << 48
                           : (ra ^ words * UINT64_C(0x9e3779b97f4a7c15)) | 1;
  uint64_t number;
  if (!tni_record_known_room(&stacks_frames, w->frames, STACKS_FIRST_LOG2))
    return 0;
  if (known_get(stacks_frames, key, &number))
    return number;
  record_row row;
  record_row_begin(&row);
  record_row_number(&row, tni_tape_zigzag(ra - w->frame_address));
  record_row_number(&row, words);
  tni_record_put_row(TN_TRACE_FRAME, &row);
  w->frame_address = ra;
  known_put(stacks_frames, key, w->frames);
  return w->frames++;
}

/* The row of a stack: what it shares with the last one is not repeated. */
static void
stacks_row(const record_thread *t, const record_window *window,
           tn_trace_api api)
{
  record_wiped *const w = tni_record_wiped;
  const record_frame *const frames = window->frame;
  const uint32_t count = window->count;
  uintptr_t size[RECORD_DEPTH];
  uint64_t frame[RECORD_DEPTH];
  uint32_t shared = 0;
  for (uint32_t i = 0; i < count; i++) {
    size[i] = i ? frames[i - 1].slot - frames[i].slot : 0;
    if (size[i] > INT32_MAX || size[i] % 8 != 0)
      size[i] = 0;
  }
  while (shared < count && shared < w->last_count && window->flags == 0 &&
         w->last_flags == 0 && w->last_ra[shared] == frames[shared].ra &&
         w->last_size[shared] == size[shared])
    shared++;
  for (uint32_t i = shared; i < count; i++) {
    w->last_ra[i] = frames[i].ra;
    w->last_size[i] = size[i];
    frame[i] = stacks_frame(w->last_ra[i], size[i]);
  }
  w->last_count = count;
  w->last_flags = window->flags;
  const uintptr_t outermost = frames[0].slot;
  const uintptr_t top = t->top > outermost && outermost >= t->stack_low
                            ? (t->top - outermost) / 8 + 1
                            : 0;
  record_row row;
  record_row_begin(&row);
  record_row_number(&row, api);
  record_row_number(&row, shared);
  record_row_number(&row, top);
  record_row_number(&row, window->flags);
  record_row_number(&row, count - shared);
  for (uint32_t i = shared; i < count; i++)
    record_row_number(&row, frame[i]);
  tni_record_put_row(TN_TRACE_STACK, &row);
}

static TN_COLD uint32_t
stacks_add(const record_thread *t, const record_window *window,
           tn_trace_api api, uint64_t key)
{
  record_wiped *const w = tni_record_wiped;
  uint64_t number = 0;
  /* A stack of one frame was not walked: nobody has asked for its module. */
  (void)tni_record_find_module(window->frame[0].ra);
  tni_record_lock(&w->stack_lock);
  if (tni_record_known_room(&stacks_known, w->stacks, STACKS_FIRST_LOG2) &&
      !known_get(stacks_known, key, &number)) {
    stacks_row(t, window, api);
    number = ++w->next_stack;
    w->stacks++;
    known_put(stacks_known, key, number);
  }
  tni_record_unlock(&w->stack_lock);
  return (uint32_t)number;
}

static inline uint64_t
stacks_key(uint64_t window_key, tn_trace_api api)
{
  return (window_key + (uint64_t)api * 0xff51afd7ed558ccdu) | 1;
}

/* The number of a key; 0: it is new. */
static inline uint32_t
stacks_get(uint64_t key)
{
  /* Pairs with the release in tni_record_known_room. */
  const record_known *const table =
      __atomic_load_n(&stacks_known, __ATOMIC_ACQUIRE);
  uint64_t number = 0;
  if (TN_LIKELY(table != NULL))
    (void)known_get(table, key, &number);
  return (uint32_t)number;
}

uint32_t
tni_record_stack(record_thread *t, const record_window *window,
                 tn_trace_api api, bool *is_new)
{
  const uint64_t key = stacks_key(window->key, api);
  const uint32_t known = stacks_get(key);
  *is_new = known == 0;
  return TN_LIKELY(known != 0) ? known : stacks_add(t, window, api, key);
}

uint32_t
tni_record_known_one(const record_thread *t, uintptr_t slot, tn_trace_api api)
{
  const record_frame f = {slot, record_word(slot)};
  return stacks_get(stacks_key(record_key(t, &f, TN_TRACE_STACK_CUT, 0), api));
}

void
tni_record_forget_stacks(void)
{
  record_wiped *const w = tni_record_wiped;
  tni_record_lock(&w->stack_lock);
  __atomic_store_n(&stacks_known, NULL, __ATOMIC_RELEASE);
  stacks_frames = NULL;
  w->stacks = 0;
  w->last_count = 0;
  tni_record.generation++;
  tni_record_unlock(&w->stack_lock);
}
