/* stacks.c -- stacks get numbers, and rows in the tables; see record.h
 *
 * Looking up takes no lock: a table of keys that only gains entries, replaced
 * by a larger one when half full.  A key is 64 bits of the frames, the stack
 * pointer and the function called; two stacks of one program share one with
 * probability 2^-40 when it has 4,000 of them, 2^-28 with 250,000.
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/record.h"

enum { STACKS_FIRST_LOG2 = 12 };

typedef struct stacks_entry {
  uint64_t key;  // 0: free; stored last, release
  uint64_t number;
} stacks_entry;

typedef struct stacks_table {
  unsigned log2;
  stacks_entry *entries;  // wiped in a child
} stacks_table;

static stacks_table *stacks_known;   // acquire/release
static stacks_table *stacks_frames;  // lock: stack_lock

static stacks_entry *
stacks_slot(const stacks_table *table, uint64_t key)
{
  const size_t mask = ((size_t)1 << table->log2) - 1;
  size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> (64 - table->log2));
  for (;; i = (i + 1) & mask) {
    /* Pairs with the release in stacks_put. */
    const uint64_t seen =
        __atomic_load_n(&table->entries[i].key, __ATOMIC_ACQUIRE);
    if (seen == key || seen == 0)
      return &table->entries[i];
  }
}

static void
stacks_put(const stacks_table *table, uint64_t key, uint64_t number)
{
  stacks_entry *const e = stacks_slot(table, key);
  e->number = number;
  __atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
}

/* Make *table hold one more than count entries; false: no memory. */
static bool
stacks_room(stacks_table **table, size_t count)
{
  const stacks_table *const old = *table;
  if (old != NULL && count * 2 < (size_t)1 << old->log2)
    return true;
  stacks_table *const wider = tni_record_inherited_pages(sizeof *wider);
  if (wider == NULL)
    return false;
  wider->log2 = old ? old->log2 + 1 : STACKS_FIRST_LOG2;
  wider->entries = tni_record_pages(sizeof *wider->entries << wider->log2);
  if (wider->entries == NULL)
    return false;
  for (size_t i = 0; old != NULL && i < (size_t)1 << old->log2; i++)
    if (old->entries[i].key != 0)
      stacks_put(wider, old->entries[i].key, old->entries[i].number);
  __atomic_store_n(table, wider, __ATOMIC_RELEASE);
  return true;
}

/* The number of a frame; a new one gets a row. */
static uint64_t
stacks_frame(uintptr_t ra, uintptr_t size)
{
  record_wiped *const w = tni_record_wiped;
  const uint64_t words = size / 8;
  const uint64_t key = words < 1 << 16
                           ? ra | words << 48
                           : (ra ^ words * UINT64_C(0x9e3779b97f4a7c15)) | 1;
  if (!stacks_room(&stacks_frames, w->frames))
    return 0;
  const stacks_entry *const e = stacks_slot(stacks_frames, key);
  if (e->key == key)
    return e->number;
  record_row row;
  record_row_begin(&row);
  record_row_number(&row, tni_tape_zigzag(ra - w->frame_address));
  record_row_number(&row, words);
  tni_record_put_row(TN_TRACE_FRAME, &row);
  w->frame_address = ra;
  stacks_put(stacks_frames, key, w->frames);
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
  uint32_t number = 0;
  /* A stack of one frame was not walked: nobody has asked for its module. */
  (void)tni_record_find_module(window->frame[0].ra);
  tni_record_lock(&w->stack_lock);
  if (stacks_room(&stacks_known, w->stacks)) {
    const stacks_entry *const e = stacks_slot(stacks_known, key);
    if (e->key == key) {
      number = (uint32_t)e->number;
    } else {
      stacks_row(t, window, api);
      number = ++w->next_stack;
      w->stacks++;
      stacks_put(stacks_known, key, number);
    }
  }
  tni_record_unlock(&w->stack_lock);
  return number;
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
  /* Pairs with the release in stacks_room. */
  const stacks_table *const table =
      __atomic_load_n(&stacks_known, __ATOMIC_ACQUIRE);
  if (TN_UNLIKELY(table == NULL))
    return 0;
  const stacks_entry *const e = stacks_slot(table, key);
  return TN_LIKELY(__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) == key)
             ? (uint32_t)e->number
             : 0;
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
  const record_frame f = {slot, *(const uintptr_t *)slot};
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
