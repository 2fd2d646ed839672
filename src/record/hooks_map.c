/* hooks_map.c -- mappings, the data segment, unloading; see record.h
 *
 * What the program maps itself.  An allocator's own calls are not recorded:
 * the thread is busy then, and libc's do not come through here at all.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/hooks.h"

/* The stack of a hook's caller, for the first field of a record. */
#define MAP_WHERE(t, api)                                                      \
  tni_record_where(t, RECORD_SLOT, RECORD_BP, api, tni_record.depth)

/* The result of a system call as libc gives it. */
static long
map_result(long result)
{
  if (result >= 0 || result < -4095)
    return result;
  errno = (int)-result;
  return -1;
}

RECORD_HOOK void *
mmap(void *address, size_t size, int protection, int flags, int fd,
     off_t offset)
{
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  const long p = map_result(tni_record_call(SYS_mmap, (long)address, (long)size,
                                            protection, flags, fd, offset));
  if (t != NULL) {
    if (p != -1) {
      const uint64_t fields[] = {
          MAP_WHERE(t, TN_TRACE_API_MMAP), (uint64_t)p,     size,
          (uint64_t)(unsigned)protection,  (unsigned)flags, (uint64_t)(fd + 1)};
      tni_record_other(t, TN_TRACE_MAP, fields, 6);
    }
    tni_record_leave(t);
  }
  return (void *)p;
}

RECORD_HOOK void *mmap64(void *, size_t, int, int, int, off_t)
    __attribute__((alias("mmap")));

RECORD_HOOK int
munmap(void *address, size_t size)
{
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t != NULL) {
    const uint64_t fields[] = {MAP_WHERE(t, TN_TRACE_API_MUNMAP),
                               (uintptr_t)address, size};
    tni_record_other(t, TN_TRACE_UNMAP, fields, 3);
    t->other_low = t->other_high = 0;
    tni_record_leave(t);
  }
  return (int)map_result(
      tni_record_call(SYS_munmap, (long)address, (long)size, 0, 0, 0, 0));
}

RECORD_HOOK void *
mremap(void *old, size_t old_size, size_t size, int flags, ...)
{
  va_list args;
  va_start(args, flags);
  void *const wanted = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
  va_end(args);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  const long p =
      map_result(tni_record_call(SYS_mremap, (long)old, (long)old_size,
                                 (long)size, flags, (long)wanted, 0));
  if (t != NULL) {
    if (p != -1) {
      const uint64_t fields[] = {MAP_WHERE(t, TN_TRACE_API_MREMAP),
                                 (uintptr_t)old, old_size, (uint64_t)p, size};
      tni_record_other(t, TN_TRACE_REMAP, fields, 5);
    }
    tni_record_leave(t);
  }
  return (void *)p;
}

/* ---- The data segment --------------------------------------------------------- */

static void
map_say_break(record_thread *t, uint32_t stack)
{
  static uintptr_t start;
  const uintptr_t end = (uintptr_t)tni_record_call(SYS_brk, 0, 0, 0, 0, 0, 0);
  if (start == 0)
    start = end;
  const uint64_t fields[] = {stack, start, end - start};
  tni_record_other(t, TN_TRACE_BREAK, fields, 3);
}

RECORD_HOOK int
brk(void *end)
{
  typedef int (*fn)(void *);
  void *const found = tni_record_next("brk");
  fn real;
  memcpy(&real, &found, sizeof real);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  const int status = real(end);
  if (t != NULL) {
    map_say_break(t, MAP_WHERE(t, TN_TRACE_API_BRK));
    tni_record_leave(t);
  }
  return status;
}

RECORD_HOOK void *
sbrk(intptr_t step)
{
  typedef void *(*fn)(intptr_t);
  void *const found = tni_record_next("sbrk");
  fn real;
  memcpy(&real, &found, sizeof real);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = real(step);
  if (t != NULL) {
    if (step != 0)
      map_say_break(t, MAP_WHERE(t, TN_TRACE_API_BRK));
    tni_record_leave(t);
  }
  return p;
}

/* ---- Unloading ------------------------------------------------------------------- */

/* Afterwards its addresses may be another module's. */
RECORD_HOOK int
dlclose(void *handle)
{
  typedef int (*fn)(void *);
  void *const found = tni_record_next("dlclose");
  fn real;
  memcpy(&real, &found, sizeof real);
  const int status = real(handle);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (t != NULL) {
    tni_record_check_modules();
    tni_record_leave(t);
  }
  return status;
}
