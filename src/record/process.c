/* process.c -- where recording begins and ends; see record.h
 *
 * What to do is in the environment: TENURE_RECORD=directory:key=value:...
 * `tenure run` sets it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/record.h"

enum {
  PROCESS_NEW,
  PROCESS_STARTING,
  PROCESS_READY,
  PROCESS_OFF,
  PROCESS_ENVIRONMENT = 1 << 20,
};

record_process tni_record;
record_wiped *tni_record_wiped;

static uint32_t process_first_owner;  // who makes tni_record_wiped

/* ---- The environment ---------------------------------------------------------------- */

static uint64_t
process_number(const char **p)
{
  uint64_t v = 0;
  for (; **p >= '0' && **p <= '9'; (*p)++)
    v = v * 10 + (uint64_t)(**p - '0');
  return v;
}

/* One key=value. */
static void
process_set(const char *key, const char *value)
{
  record_process *const r = &tni_record;
  const uint64_t v = process_number(&value);
  if (strncmp(key, "depth=", 6) == 0)
    r->depth = v >= 1 && v <= RECORD_DEPTH ? (uint32_t)v : RECORD_DEPTH;
  else if (strncmp(key, "free=", 5) == 0)
    r->free_depth = v >= 1 && v <= RECORD_DEPTH ? (uint32_t)v : RECORD_DEPTH;
  else if (strncmp(key, "rate=", 5) == 0)
    r->rate = v;
  else if (strncmp(key, "mode=", 5) == 0)
    r->mode = v <= TN_TRACE_TALLIES ? (uint32_t)v : TN_TRACE_EVENTS;
  else if (strncmp(key, "every=", 6) == 0)
    r->interval_ns = v;
  else if (strncmp(key, "follow=", 7) == 0)
    r->follow = v != 0;
  else if (strncmp(key, "check=", 6) == 0)
    r->check = v != 0;
  else if (strncmp(key, "marks=", 6) == 0)
    r->marks = v != 0;
  else if (strncmp(key, "iterate=", 8) == 0)
    r->iterates = v != 0;
  else if (strncmp(key, "off=", 4) == 0)
    r->starts_off = v != 0;
}

static bool
process_parse(const char *text)
{
  record_process *const r = &tni_record;
  const char *end = strchr(text, ':');
  size_t size = end ? (size_t)(end - text) : strlen(text);
  if (size == 0 || size >= sizeof r->directory)
    return false;
  memcpy(r->directory, text, size);
  r->directory[size] = '\0';
  r->follow = true;
  r->depth = r->free_depth = RECORD_DEPTH;
  while (end != NULL) {
    const char *const key = end + 1;
    const char *const value = strchr(key, '=');
    end = strchr(key, ':');
    if (value != NULL)
      process_set(key, value + 1);
  }
  return true;
}

/* libc may not have set environ when ld.so first allocates, so the kernel's
 * copy is read. */
static bool
process_configure(void)
{
  static const char name[] = "TENURE_RECORD=";
  char *const text = tni_record_inherited_pages(PROCESS_ENVIRONMENT);
  bool found = false;
  if (text == NULL)
    return false;
  const size_t size =
      tni_record_read_file("/proc/self/environ", text, PROCESS_ENVIRONMENT - 1);
  for (size_t i = 0; i < size && !found; i += strlen(text + i) + 1)
    if (strncmp(text + i, name, sizeof name - 1) == 0)
      found = process_parse(text + i + sizeof name - 1);
  tni_record_unpages(text, PROCESS_ENVIRONMENT);
  return found;
}

/* ---- Beginning ------------------------------------------------------------------------ */

static void
process_row(void)
{
  char *const text = tni_record_inherited_pages(1 << 16);
  record_row row;
  if (text == NULL)
    return;
  record_row_begin(&row);
  const long size = tni_record_call(SYS_readlink, (long)"/proc/self/exe",
                                    (long)text, 1 << 16, 0, 0, 0);
  tni_record_row_text(&row, text, size > 0 && size < 1500 ? (size_t)size : 0);
  const size_t all = tni_record_read_file("/proc/self/cmdline", text, 1 << 16);
  tni_record_row_text(&row, text, all < 4000 ? all : 4000);
  const char *const allocator = tni_record_allocator();
  tni_record_row_text(&row, allocator, strlen(allocator));
  tni_record_add_row(TN_TRACE_PROGRAM, &row);
  tni_record_unpages(text, 1 << 16);
}

void
tni_record_hear(uint32_t wish)
{
  const uint32_t before =
      __atomic_exchange_n(&tni_record.heard, wish, __ATOMIC_RELAXED);
  if (((before ^ wish) & TN_TRACE_WISH_SWITCHES) != 0)
    tni_record_is_on = (wish & TN_TRACE_WISH_OFF) == 0;
}

/* What a watcher wished before our section could be seen.  A child has obeyed
 * what its parent had. */
static void
process_read_wish(void)
{
  record_process *const r = &tni_record;
  char path[sizeof r->path];
  const size_t length = strlen(r->directory);
  uint32_t wish = r->heard, none = 0;
  memcpy(path, r->directory, length);
  memcpy(path + length, "/" TN_TRACE_WISH_FILE, sizeof "/" TN_TRACE_WISH_FILE);
  (void)tni_record_read_file(path, (char *)&wish, sizeof wish);
  (void)__atomic_compare_exchange_n(&r->header->wish, &none, wish, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  tni_record_hear(wish);
}

static bool
process_begin(bool is_child)
{
  record_process *const r = &tni_record;
  if (is_child ? !r->follow : !process_configure())
    return false;
  if (!is_child) {
    tni_record_is_on = !r->starts_off;
    r->heard = r->starts_off ? TN_TRACE_WISH_OFF : 0;
  }
  r->pid = (uint32_t)tni_record_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
  r->tick_log2 = RECORD_TICK_COARSE;
  r->has_threads = false;
  r->sample_ticks = 50000000;
  r->next_sample = 0;
  if (r->mode == TN_TRACE_SAMPLED &&
      (r->rate == 0 || !tni_record_begin_samples()))
    return false;
  if (r->mode == TN_TRACE_TALLIES && !tni_record_begin_tallies())
    return false;
  if (!tni_record_create_file()) {
    tni_record_say("cannot write a trace into the folder of the recording");
    return false;
  }
  process_read_wish();
  process_row();
  return true;
}

/* The page of the process's state; made by whoever comes first. */
static bool
process_make_wiped(void)
{
  uint32_t nobody = 0;
  if (!__atomic_compare_exchange_n(&process_first_owner, &nobody, 1, false,
                                   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return false;
  record_wiped *const w = tni_record_pages(sizeof *w);
  __atomic_store_n(&tni_record_wiped, w, __ATOMIC_RELEASE);
  return w != NULL;
}

/* True when there is a section to write to.  In a child everything is to be
 * done again: it finds PROCESS_NEW. */
bool
tni_record_start(void)
{
  record_wiped *const w = __atomic_load_n(&tni_record_wiped, __ATOMIC_ACQUIRE);
  if (w == NULL && !process_make_wiped())
    return false;
  uint32_t *const state = &tni_record_wiped->state;
  uint32_t seen = __atomic_load_n(state, __ATOMIC_ACQUIRE);
  if (TN_LIKELY(seen >= PROCESS_READY))
    return seen == PROCESS_READY;
  if (seen == PROCESS_STARTING ||
      !__atomic_compare_exchange_n(state, &seen, PROCESS_STARTING, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return false;
  const bool is_ready = process_begin(tni_record.pid != 0);
  __atomic_store_n(state, is_ready ? PROCESS_READY : PROCESS_OFF,
                   __ATOMIC_RELEASE);
  return is_ready;
}

bool
tni_record_is_mine(void)
{
  return tni_record.header != NULL &&
         tni_record_wiped->state == PROCESS_READY &&
         (uint32_t)tni_record_call(SYS_getpid, 0, 0, 0, 0, 0, 0) ==
             tni_record.pid;
}

/* ---- Ending ----------------------------------------------------------------------------- */

void
tni_record_finish(tn_trace_ending ending, int status)
{
  if (!tni_record_is_mine())
    return;
  tn_trace_section *const h = tni_record.header;
  h->status = (uint32_t)status;
  h->ending = ending;
  tni_record_touch_clock();
}

static void
process_at_exit(int status, void *unused)
{
  (void)unused;
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t != NULL) {
    const uint64_t field = (uint64_t)(uint32_t)status;
    tni_record_other(t, TN_TRACE_EXIT, &field, 1);
    tni_record_leave(t);
  }
  tni_record_finish(TN_TRACE_EXITED, status);
}

void
tni_record_dump_tallies(void)
{
  if (tni_record.mode != TN_TRACE_TALLIES || !tni_record_is_mine())
    return;
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t == NULL)
    return;
  tni_record_tell_tallies(t, true);
  tni_record_leave(t);
}

__attribute__((destructor)) static void
process_destructor(void)
{
  tni_record_dump_tallies();
  tni_record_mark_left(RECORD_SLOT);
}

__attribute__((constructor)) static void
process_constructor(void)
{
  const int before = errno;
  tni_record_resolve();
  if (tni_record_start()) {
    tni_record_keep_environment(tni_record.follow);
    (void)on_exit(process_at_exit, NULL);
  }
  errno = before;
}
