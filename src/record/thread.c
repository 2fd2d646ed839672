/* thread.c -- a thread's state, chunk and stack; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "record/record.h"

enum {
  THREAD_FIRST = 1 << 13,  // bytes of the first chunk
  THREAD_CHUNK = 1 << 16,
  THREAD_STACK = 1 << 30,  // at most, of the main thread
};

extern void *
    __libc_stack_end;  // of ld.so: where the main stack begins  // NOLINT(readability-identifier-naming)

__thread record_thread *tni_record_self;
volatile bool tni_record_is_on;

void
tni_record_set_stack(record_thread *t, uintptr_t low, uintptr_t high)
{
  t->stack_low = low;
  t->stack_high = t->top = high;
  tni_record_forget_path(t);
}

static void
thread_find_stack(record_thread *t, uintptr_t sp)
{
  struct rlimit limit = {0};
  const uintptr_t main_high = (uintptr_t)__libc_stack_end;
  uintptr_t low;
  uintptr_t high;
  if (tni_record_call(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit, 0, 0) ||
      limit.rlim_cur > THREAD_STACK)
    limit.rlim_cur = THREAD_STACK;
  if (sp < main_high && sp >= main_high - limit.rlim_cur) {
    tni_record_set_stack(t, main_high - limit.rlim_cur, main_high);
    /* The outermost frames lie at the very end. */
    t->stack_high = main_high + 64;
  } else if (tni_record_find_mapping(sp, &low, &high)) {
    tni_record_set_stack(t, low, high);
  }
}

/* The thread's row, with the name that it has now. */
static void
thread_row(const record_thread *t)
{
  static const char path[] = "/proc/thread-self/comm";
  char name[32];
  record_row row;
  size_t size = tni_record_read_file(path, name, sizeof name);
  if (size != 0 && name[size - 1] == '\n')
    size--;
  record_row_begin(&row);
  record_row_number(&row, t->number);
  record_row_number(&row,
                    (uint64_t)tni_record_call(SYS_gettid, 0, 0, 0, 0, 0, 0));
  record_row_number(&row, t->stack_low);
  record_row_number(&row, t->top);
  tni_record_row_text(&row, name, size);
  tni_record_add_row(TN_TRACE_THREAD, &row);
}

/* A state for the calling thread, busy; slot: on its stack. */
record_thread *
tni_record_new_thread(uintptr_t slot)
{
  record_wiped *const w = tni_record_wiped;
  tni_record_lock(&w->thread_lock);
  record_thread *t = w->idle;
  if (t != NULL)
    w->idle = t->next;
  tni_record_unlock(&w->thread_lock);
  if (t == NULL)
    t = tni_record_pages(sizeof *t);
  if (t == NULL)
    return NULL;
  t->busy = slot;
  t->number = __atomic_fetch_add(&w->threads, 1, __ATOMIC_RELAXED);
  t->sequence = 0;
  tni_record_forget_path(t);
  thread_find_stack(t, slot);
  thread_row(t);
  tni_record_self = t;
  return t;
}

void
tni_record_end_thread(record_thread *t)
{
  record_wiped *const w = tni_record_wiped;
  thread_row(t);
  tni_record_self = NULL;
  memset(t, 0, offsetof(record_thread, tape));
  tni_record_lock(&w->thread_lock);
  t->next = w->idle;
  w->idle = t;
  tni_record_unlock(&w->thread_lock);
}

/* ---- Entering --------------------------------------------------------------------- */

static bool
thread_holds(const record_thread *t, uintptr_t p)
{
  return p >= t->stack_low && p < t->stack_high;
}

/* While nothing is recorded every call comes here: has somebody said to go on? */
bool
tni_record_check_on(void)
{
  if (TN_UNLIKELY(!tni_record_is_on))
    tni_record_hear(
        __atomic_load_n(&tni_record.header->wish, __ATOMIC_RELAXED));
  return tni_record_is_on;
}

/* The rest of tni_record_enter: no state, no chunk (also a child's first
 * call), or busy.  A busy hook whose frame is further in than ours was left by
 * a jump or an exception. */
static record_thread *
thread_enter(record_thread *t, uintptr_t slot)
{
  if (!tni_record_resolve())
    return NULL;
  if (t != NULL && t->busy > RECORD_IDLE &&
      (slot < t->busy || !thread_holds(t, slot) || !thread_holds(t, t->busy)))
    return NULL;
  if (!tni_record_start() || !tni_record_check_on())
    return NULL;
  if (t == NULL || t->stack_high == 0)
    t = tni_record_new_thread(slot);
  if (t != NULL)
    t->busy = slot;
  if (t != NULL && t->at == NULL &&
      !tni_record_new_chunk(t, record_ticks() >> tni_record.tick_log2)) {
    t->busy = 0;
    return NULL;
  }
  return t;
}

TN_COLD record_thread *
tni_record_enter_slowly(record_thread *t, uintptr_t slot)
{
  const int before = errno;  // [record.errno]
  record_thread *const entered = thread_enter(t, slot);
  errno = before;
  return entered;
}

/* ---- Chunks ------------------------------------------------------------------------ */

/* Begin a chunk; tick is in units of the chunk that begins. */
bool
tni_record_new_chunk(record_thread *t, uint64_t tick)
{
  const size_t size = t->sequence ? THREAD_CHUNK : THREAD_FIRST;
  if (t->chunk != NULL)
    (void)tni_record_call(SYS_madvise, (long)t->chunk, (long)t->chunk_size,
                          MADV_DONTNEED, 0, 0, 0);
  uint8_t *const chunk = tni_record_claim(size);
  if (chunk == NULL) {
    t->chunk = NULL;
    t->at = t->limit = NULL;
    return false;
  }
  tni_record_touch_clock();
  t->tick_log2 = tni_record.tick_log2;
  tni_record_begin_chunk(chunk, size, TN_TRACE_CHUNK_EVENTS, t->number,
                         t->sequence++, t->tick_log2, tick << t->tick_log2);
  t->chunk = chunk;
  t->chunk_size = size;
  t->at = chunk + sizeof(tn_trace_chunk);
  t->limit = chunk + size - TNI_TAPE_MOST;
  tni_tape_begin(&t->tape, tick);
  return true;
}
