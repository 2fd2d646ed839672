/* system.c -- the kernel, asked directly; see record.h
 *
 * libc's wrappers set errno, may be cancelled and may be hooked by us.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "record/record.h"

long
tni_record_call(long number, long a, long b, long c, long d, long e, long f)
{
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                     "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

void *
tni_record_inherited_pages(size_t size)
{
  const long p =
      tni_record_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p < 0 && p > -4096 ? NULL : (void *)p;
}

void *
tni_record_pages(size_t size)
{
  void *const p = tni_record_inherited_pages(size);
  if (p != NULL && tni_record_call(SYS_madvise, (long)p, (long)size,
                                   MADV_WIPEONFORK, 0, 0, 0) != 0) {
    tni_record_unpages(p, size);
    return NULL;
  }
  return p;
}

void
tni_record_unpages(void *p, size_t size)
{
  (void)tni_record_call(SYS_munmap, (long)p, (long)size, 0, 0, 0, 0);
}

uint64_t
tni_record_ns(int clock)
{
  struct timespec t = {0};
  (void)clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
tni_record_say(const char *text)
{
  static const char name[] = "tenure: ";
  (void)tni_record_call(SYS_write, 2, (long)name, sizeof name - 1, 0, 0, 0);
  (void)tni_record_call(SYS_write, 2, (long)text, (long)strlen(text), 0, 0, 0);
  (void)tni_record_call(SYS_write, 2, (long)"\n", 1, 0, 0, 0);
}

int
tni_record_open(const char *path, int flags)
{
  return (int)tni_record_call(SYS_openat, AT_FDCWD, (long)path,
                              flags | O_CLOEXEC, 0600, 0, 0);
}

void
tni_record_close(int fd)
{
  (void)tni_record_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

size_t
tni_record_read_file(const char *path, char *to, size_t size)
{
  const int fd = tni_record_open(path, O_RDONLY);
  size_t got = 0;
  while (fd >= 0 && got < size) {
    const long n = tni_record_call(SYS_read, fd, (long)(to + got),
                                   (long)(size - got), 0, 0, 0);
    if (n == -EINTR)
      continue;
    if (n <= 0)
      break;
    got += (size_t)n;
  }
  if (fd >= 0)
    tni_record_close(fd);
  return got;
}

/* ---- Mappings ----------------------------------------------------------------- */

uintptr_t
tni_record_hex(const char **p)
{
  uintptr_t v = 0;
  for (;; (*p)++) {
    const char c = **p;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0)
      return v;
    v = v << 4 | (uintptr_t)digit;
  }
}

/* Lines of /proc/self/maps are shorter than the buffer; a part of one is moved
 * to its front before more is read. */
bool
tni_record_find_mapping(uintptr_t wanted, uintptr_t *low, uintptr_t *high)
{
  char buffer[4096] = {0};
  size_t have = 0;
  bool found = false;
  const int fd = tni_record_open("/proc/self/maps", O_RDONLY);
  while (fd >= 0 && !found) {
    const long n = tni_record_call(SYS_read, fd, (long)(buffer + have),
                                   (long)(sizeof buffer - have), 0, 0, 0);
    if (n <= 0)
      break;
    have += (size_t)n;
    const char *line = buffer;
    const char *end;
    while (!found &&
           (end = memchr(line, '\n', have - (size_t)(line - buffer))) != NULL) {
      *low = tni_record_hex(&line);
      line++;
      *high = tni_record_hex(&line);
      found = wanted >= *low && wanted < *high;
      line = end + 1;
    }
    have -= (size_t)(line - buffer);
    memmove(buffer, line, have);
    if (have == sizeof buffer)
      have = 0;
  }
  if (fd >= 0)
    tni_record_close(fd);
  return found;
}

/* ---- Locks: 0 free, 1 taken, 2 taken and waited for --------------------------- */

void
tni_record_lock(record_lock *lock)
{
  uint32_t seen = 0;
  if (__atomic_compare_exchange_n(&lock->word, &seen, 1, false,
                                  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
    (void)tni_record_call(SYS_futex, (long)&lock->word, FUTEX_WAIT_PRIVATE, 2,
                          0, 0, 0);
}

void
tni_record_unlock(record_lock *lock)
{
  if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
    (void)tni_record_call(SYS_futex, (long)&lock->word, FUTEX_WAKE_PRIVATE, 1,
                          0, 0, 0);
}
