/* check.c -- every stack against libunwind's, in a test mode; see record.h
 *
 * TENURE_RECORD=...:check=1.  libunwind is loaded by name when it is there; a
 * difference is told on standard error, and the process then ends with 99.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "record/record.h"

enum { CHECK_FRAMES = 256, CHECK_TELL = 5 };

static struct {
  int (*backtrace)(void **, int);
  uint64_t stacks;
  uint64_t frames;
  uint64_t wrong;
  uint64_t broken;
} check;

static TN_COLD void
check_tell(const record_window *w, void **frames, int count, int from)
{
  char text[120];
  (void)snprintf(text, sizeof text, "stack %llu differs from libunwind's",
                 (unsigned long long)check.stacks);
  tni_record_say(text);
  for (uint32_t i = 0; i < w->count || (int)i + from < count; i++) {
    const uintptr_t ours = i < w->count ? w->frame[w->count - 1 - i].ra : 0;
    const int at = (int)i + from;
    (void)snprintf(text, sizeof text, "  %2u %16lx %16lx", i,
                   (unsigned long)ours,
                   at < count ? (unsigned long)frames[at] : 0ul);
    tni_record_say(text);
  }
}

void
tni_record_compare(const record_window *w, uint32_t stack, uint32_t memo)
{
  void *frames[CHECK_FRAMES];
  if (check.backtrace == NULL) {
    void *const library = dlopen("libunwind.so.8", RTLD_NOW);
    void *const found = library ? dlsym(library, "unw_backtrace") : NULL;
    if (found == NULL) {
      tni_record_say("check=1 needs libunwind.so.8");
      tni_record_call(SYS_exit_group, 98, 0, 0, 0, 0, 0);
    }
    memcpy(&check.backtrace, &found, sizeof found);
  }
  const record_frame *const last = &w->frame[w->count - 1];
  const int count = check.backtrace(frames, CHECK_FRAMES);
  const uint32_t ours = w->count;
  int from = 0;
  while (from < count && (uintptr_t)frames[from] != last->ra)
    from++;
  bool same = from < count && (memo == 0 || memo == stack);
  uint32_t i = 0;
  for (; same && i < ours && from + (int)i < count; i++)
    same = (uintptr_t)frames[from + (int)i] == last[-(int)i].ra;
  if (same && i < ours)
    same = false;
  if (same && w->flags != TN_TRACE_STACK_CUT && from + (int)ours < count)
    same = false;
  check.stacks++;
  check.frames += ours;
  check.broken += (w->flags & TN_TRACE_STACK_BROKEN) != 0;
  if (!same && check.wrong++ < CHECK_TELL)
    check_tell(w, frames, count, from);
}

__attribute__((destructor)) static void
check_report(void)
{
  char text[160];
  if (check.stacks == 0)
    return;
  (void)snprintf(
      text, sizeof text, "%llu stacks, %llu frames: %llu differ, %llu broken",
      (unsigned long long)check.stacks, (unsigned long long)check.frames,
      (unsigned long long)check.wrong, (unsigned long long)check.broken);
  tni_record_say(text);
  if (check.wrong != 0)
    tni_record_call(SYS_exit_group, 99, 0, 0, 0, 0, 0);
}
