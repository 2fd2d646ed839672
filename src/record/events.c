/* events.c -- from a hook's call to a record; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "record/write.h"

enum { EVENTS_SAMPLE_NS = 20000000 };

/* The stack was not kept, or what was kept is to be checked. */
uint32_t
tni_record_where_slowly(record_thread *t, uintptr_t slot, uintptr_t bp,
                        tn_trace_api api, uint32_t depth)
{
  const uintptr_t ra = record_word(slot);
  record_window window;
  bool is_new;
  if (depth == 1 && !tni_record.check) {
    const uint32_t known = tni_record_known_one(t, slot, api);
    if (TN_LIKELY(known != 0)) {
      memo_one_keep(memo_one_at(t, slot, ra), slot, api, known);
      return known;
    }
  }
  const uint32_t memo = record_recall(t, slot, bp, api, depth);
  tni_record_walk(t, slot, bp, depth, &window);
  const uint32_t stack = tni_record_stack(t, &window, api, &is_new);
  if (TN_UNLIKELY(tni_record.check))
    tni_record_compare(&window, stack, memo);
  if (depth == 1 && window.flags == TN_TRACE_STACK_CUT)
    memo_one_keep(memo_one_at(t, slot, ra), slot, api, stack);
  else if (!is_new && depth != 1)
    tni_record_keep_memo(t, &window, memo_at(t, slot, ra), memo_how(api, depth),
                         stack);
  return stack;
}

uint32_t
tni_record_where(record_thread *t, uintptr_t slot, uintptr_t bp,
                 tn_trace_api api, uint32_t depth)
{
  return record_where(t, slot, bp, api, depth);
}

/* ---- What is resident ---------------------------------------------------------------- */

/* The number after name in a text like that of /proc/self/status, in KiB. */
static uint64_t
events_status(const char *text, const char *name)
{
  const char *p = strstr(text, name);
  uint64_t v = 0;
  if (p == NULL)
    return 0;
  for (p += strlen(name); *p == ' ' || *p == '\t'; p++)
    ;
  for (; *p >= '0' && *p <= '9'; p++)
    v = v * 10 + (uint64_t)(*p - '0');
  return v * 1024;
}

/* Do what a watcher asks, and write the sums if he asks or if it is time; also
 * where a pause begins: at its end, nothing is. */
static TN_COLD void
events_tell(record_thread *t)
{
  const record_process *const r = &tni_record;
  const uint32_t wish = __atomic_load_n(&r->header->wish, __ATOMIC_RELAXED);
  const uint32_t heard = __atomic_load_n(&r->heard, __ATOMIC_RELAXED);
  tni_record_hear(wish);
  tni_record_tell_tallies(t, wish != heard);
}

static TN_COLD void
events_sample(record_thread *t)
{
  const int before = errno;
  char text[2048];
  struct rusage usage = {0};
  const size_t size =
      tni_record_read_file("/proc/self/status", text, sizeof text - 1);
  text[size] = '\0';
  (void)tni_record_call(SYS_getrusage, RUSAGE_SELF, (long)&usage, 0, 0, 0, 0);
  const uint64_t fields[] = {events_status(text, "VmRSS:"),
                             events_status(text, "RssFile:"),
                             events_status(text, "VmStk:"),
                             (uint64_t)(usage.ru_minflt + usage.ru_majflt)};
  tni_record_other(t, TN_TRACE_SAMPLE, fields, 4);
  tni_record_touch_clock();
  /* (A sample may be due while sums are written: they are not begun here.) */
  if (tni_record.mode != TN_TRACE_TALLIES)
    tni_record_hear(
        __atomic_load_n(&tni_record.header->wish, __ATOMIC_RELAXED));
  errno = before;
}

/* The tick of now, when the chunk is full or a sample is due; 0: there is no
 * chunk. */
TN_COLD uint64_t
tni_record_tick_slowly(record_thread *t, uint64_t now)
{
  if (t->at >= t->limit) {
    const int before = errno;
    const bool given = tni_record_new_chunk(t, now >> tni_record.tick_log2);
    errno = before;
    return given ? now >> t->tick_log2 : 0;
  }
  tni_record.next_sample = now + tni_record.sample_ticks;
  events_sample(t);
  return record_tick(t);
}

void
tni_record_other(record_thread *t, unsigned kind, const uint64_t *fields,
                 unsigned count)
{
  const uint64_t tick = record_tick(t);
  if (tick != 0)
    t->at = tni_tape_other(&t->tape, t->at, tick, kind, fields, count);
}

/* ---- Allocation ------------------------------------------------------------------------ */

void
tni_record_alloc(record_thread *t, uint32_t stack, void *p, size_t size,
                 size_t align)
{
  const uintptr_t address = (uintptr_t)p;
  if (TN_UNLIKELY(tni_record.mode == TN_TRACE_TALLIES)) {
    tni_record_tally_alloc(stack, address, size);
    if (record_ticks() >= tni_record.next_sample) {
      tni_record.next_sample = record_ticks() + tni_record.sample_ticks;
      events_tell(t);
    }
    return;
  }
  if (TN_UNLIKELY(address % 16 != 0 || align != 0)) {
    const uint64_t fields[] = {stack, address, size, align};
    tni_record_other(t, TN_TRACE_ALLOC, fields, 4);
    return;
  }
  const uint64_t tick = record_tick(t);
  if (TN_LIKELY(tick != 0))
    t->at = tni_tape_alloc(&t->tape, t->at, tick, stack, address, size);
}

void
tni_record_free(record_thread *t, uint32_t stack, void *p)
{
  const uintptr_t address = (uintptr_t)p;
  if (TN_UNLIKELY(address % 16 != 0)) {
    const uint64_t fields[] = {stack, address};
    tni_record_other(t, TN_TRACE_FREE, fields, 2);
    return;
  }
  const uint64_t tick = record_tick(t);
  if (TN_LIKELY(tick != 0))
    t->at = tni_tape_free(&t->tape, t->at, tick, stack, address);
}

void
tni_record_resize(record_thread *t, uint32_t stack, void *old, void *p,
                  size_t size)
{
  const uintptr_t from = (uintptr_t)old;
  const uintptr_t to = (uintptr_t)p;
  if (TN_UNLIKELY((from | to) % 16 != 0 || to == 0)) {
    const uint64_t fields[] = {stack, from, to, size};
    tni_record_other(t, TN_TRACE_RESIZE, fields, 4);
    return;
  }
  const uint64_t tick = record_tick(t);
  if (TN_LIKELY(tick != 0))
    t->at = tni_tape_resize(&t->tape, t->at, tick, stack, from, to, size);
}
