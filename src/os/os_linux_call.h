/* os_linux_call.h -- system calls of the allocator, past libc where that pays
 *
 * TNI_OS_DIRECT (libtenure-malloc*.so): the calls below enter the kernel by
 * themselves.  libc's are spread over its text and its constants, of which the
 * system maps 64 KiB around each address that is touched; and its open, read,
 * close and getrandom end a thread that was cancelled, which malloc must not.
 * Elsewhere they are libc's, before which tests and sanitizers put their own.
 *
 * Threads   any; signal-safe.
 * Failure   as libc's: errno says why.
 * Design    doc/design/os.md      Tests  test/shim/test_start.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_OS_LINUX_CALL_H
#define TNI_OS_LINUX_CALL_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"

#ifndef TNI_OS_DIRECT
#define TNI_OS_DIRECT 0
#endif

#if TNI_OS_DIRECT && defined(__x86_64__)
/* The kernel's result; -1, and errno, for an error. */
static inline long
tni_os_call(unsigned long number, const unsigned long a[6])
{
  register unsigned long r10 __asm__("r10") = a[3];
  register unsigned long r8 __asm__("r8") = a[4];
  register unsigned long r9 __asm__("r9") = a[5];
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
                     "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  if (TN_LIKELY((unsigned long)result <= -4096ul))
    return result;
  errno = (int)-result;
  return -1;
}
#define TNI_OS_CALL(name, ...)                                                 \
  tni_os_call(SYS_##name, (const unsigned long[6]){__VA_ARGS__})
#define TNI_OS_CALL_PLACE(name, ...)                                           \
  tni_pointer((uintptr_t)TNI_OS_CALL(name, __VA_ARGS__))
#define TNI_OS_WORD(p) tni_address(p)
#define TNI_OS_INT(n)  ((unsigned long)(n))
#else
#define TNI_OS_CALL(name, ...)       name(__VA_ARGS__)
#define TNI_OS_CALL_PLACE(name, ...) name(__VA_ARGS__)
#define TNI_OS_WORD(p)               (p)
#define TNI_OS_INT(n)                (n)
#endif

static inline void *
tni_os_mmap(void *at, size_t size, int access, int flags, int file, long start)
{
  return TNI_OS_CALL_PLACE(mmap, TNI_OS_WORD(at), size, TNI_OS_INT(access),
                           TNI_OS_INT(flags), TNI_OS_INT(file),
                           TNI_OS_INT(start));
}

static inline int
tni_os_munmap(void *at, size_t size)
{
  return (int)TNI_OS_CALL(munmap, TNI_OS_WORD(at), size);
}

static inline int
tni_os_mprotect(void *at, size_t size, int access)
{
  return (int)TNI_OS_CALL(mprotect, TNI_OS_WORD(at), size, TNI_OS_INT(access));
}

static inline int
tni_os_madvise(void *at, size_t size, int advice)
{
  return (int)TNI_OS_CALL(madvise, TNI_OS_WORD(at), size, TNI_OS_INT(advice));
}

static inline void *
tni_os_mremap(void *from, size_t old_size, size_t size, int flags, void *to)
{
  return TNI_OS_CALL_PLACE(mremap, TNI_OS_WORD(from), old_size, size,
                           TNI_OS_INT(flags), TNI_OS_WORD(to));
}

static inline int
tni_os_open(const char *path, int flags)
{
  return (int)TNI_OS_CALL(open, TNI_OS_WORD(path), TNI_OS_INT(flags));
}

static inline ssize_t
tni_os_read(int file, void *buffer, size_t size)
{
  return TNI_OS_CALL(read, TNI_OS_INT(file), TNI_OS_WORD(buffer), size);
}

static inline int
tni_os_close(int file)
{
  return (int)TNI_OS_CALL(close, TNI_OS_INT(file));
}

static inline ssize_t
tni_os_getrandom(void *buffer, size_t size, unsigned flags)
{
  return TNI_OS_CALL(getrandom, TNI_OS_WORD(buffer), size, flags);
}

static inline int
tni_os_getrlimit(int resource, struct rlimit *limit)
{
#if TNI_OS_DIRECT
  return (int)TNI_OS_CALL(prlimit64, 0, TNI_OS_INT(resource), 0,
                          TNI_OS_WORD(limit));
#else
  return getrlimit((__rlimit_resource_t)resource, limit);
#endif
}

#endif
