/* test_old_kernel.c -- the same contract where the kernel lacks what we use
 *
 * Defines the calls of libc through which os_linux*.c ask the kernel, and lets
 * them answer as Linux 4.4 would, or one that denies them.
 * Tags: [os.page] [os.budget]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "child.h"

static struct {
  bool denies_urandom;
  bool is_strict;  // vm.overcommit_memory = 2
  int readv_error;
  size_t fallbacks;
} kernel = {.readv_error = ENOSYS};

static int
refuse(int error)
{
  kernel.fallbacks++;
  errno = error;
  return -1;
}

/* ---- libc's functions, older ------------------------------------------------- */

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

void *
mmap(void *addr, size_t size, int protection, int flags, int file, off_t offset)
{
  if (flags & MAP_FIXED_NOREPLACE) {
    kernel.fallbacks++;
    flags &= ~MAP_FIXED_NOREPLACE;  // unknown flags were no error
  }
  const long p = syscall(SYS_mmap, addr, size, protection, flags, file, offset);
  void *result;
  memcpy(&result, &p, sizeof result);
  return result;
}

int
madvise(void *addr, size_t size, int advice)
{
  if (advice == MADV_POPULATE_WRITE || advice == MADV_FREE ||
      advice == MADV_HUGEPAGE || advice == MADV_NOHUGEPAGE ||
      advice == 102)  // MADV_GUARD_INSTALL
    return refuse(EINVAL);
  return (int)syscall(SYS_madvise, addr, size, advice);
}

void *
mremap(void *addr, size_t size, size_t new_size, int flags, ...)
{
  (void)addr, (void)size, (void)new_size, (void)flags;
  (void)refuse(EINVAL);
  return MAP_FAILED;
}

int
open(const char *path, int flags, ...)
{
  int strict[2];
  if (kernel.denies_urandom && strcmp(path, "/dev/urandom") == 0)
    return refuse(ENOENT);
  if (kernel.is_strict && strcmp(path, "/proc/sys/vm/overcommit_memory") == 0) {
    if (pipe(strict) != 0 || write(strict[1], "2\n", 2) != 2)
      abort();
    close(strict[1]);
    return strict[0];
  }
  va_list args;
  va_start(args, flags);
  const int mode = flags & O_CREAT ? va_arg(args, int) : 0;
  va_end(args);
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t
getrandom(void *to, size_t size, unsigned flags)
{
  (void)to, (void)size, (void)flags;
  return refuse(ENOSYS);
}

int
close_range(unsigned first, unsigned last, int flags)
{
  (void)first, (void)last, (void)flags;
  return refuse(ENOSYS);
}

ssize_t
process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals,
                 const struct iovec *remote, unsigned long remotes,
                 unsigned long flags)
{
  (void)pid, (void)local, (void)locals, (void)remote, (void)remotes;
  (void)flags;
  return refuse(kernel.readv_error);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

/* ---- The contract ---------------------------------------------------------------- */

static bool
pages_can_write(unsigned char *p)
{
  unsigned char byte = 0;
  int pipes[2];
  if (tni_os_guarded_read(&byte, p, 1) != TN_OK || pipe(pipes) != 0)
    return false;
  const bool ok = write(pipes[1], &byte, 1) == 1 && read(pipes[0], p, 1) == 1;
  close(pipes[0]);
  close(pipes[1]);
  return ok;
}

static void
case_pages(void)
{
  const size_t before = kernel.fallbacks;
  pages_test_all();
  TEST(!tni_os_get_config()->can_move);
  TEST(tni_os_get_config()->has_lazy == !kernel.is_strict);
  TEST(kernel.fallbacks > before + 20);
}

static void
case_strict(void)
{
  kernel.is_strict = true;
  case_pages();
}

static void
case_prefault(void)
{
  unsigned char there[8] = {0};
  unsigned char *const p = pages_reserve(8);
  TEST(tni_os_commit(p, pages_size(8)) == TN_OK);
  p[5] = 9;
  TEST(tni_os_prefault(p, pages_size(8)) == TN_OK);
  TEST(mincore(p, pages_size(8), there) == 0);
  for (size_t i = 0; i < 8; i++)
    TEST(there[i] & 1);
  TEST(p[5] == 9);
  pages_release(p, 8);
}

/* Longer than a page, across mappings, up to the byte that is missing. */
static void
case_guarded_read(void)
{
  static unsigned char to[3 * 4096];
  const size_t page = pages_size(1);
  unsigned char *const p = pages_reserve(3);
  TEST(tni_os_commit(p, 2 * page) == TN_OK);
  for (size_t i = 0; i < 2 * page; i++)
    p[i] = (unsigned char)(i * 7);
  for (int denied = 0; denied < 2; denied++) {
    kernel.readv_error = denied ? EPERM : ENOSYS;
    memset(to, 0, sizeof to);
    TEST(tni_os_guarded_read(to, p + 1, 2 * page - 1) == TN_OK);
    TEST(memcmp(to, p + 1, 2 * page - 1) == 0);
    TEST(tni_os_guarded_read(to, p + 1, 2 * page) == TN_EFAULT);
    TEST(tni_os_guarded_read(to, NULL, 1) == TN_EFAULT);
    TEST(tni_os_guarded_read(to, NULL, 0) == TN_OK);
  }
  pages_release(p, 3);
}

static void
case_entropy(void)
{
  for (int denied = 0; denied < 2; denied++) {
    uint64_t value[64] = {0};
    kernel.denies_urandom = denied;
    for (size_t i = 0; i < 64; i++)
      tni_os_entropy(&value[i], sizeof value[i]);
    unsigned ones = 0;
    for (size_t i = 0; i < 64; i++) {
      ones += (unsigned)__builtin_popcountll(value[i]);
      for (size_t k = 0; k < i; k++)
        TEST(value[i] != value[k]);
    }
    /* 4,096 bits: 2,048 on average, deviation 32; 8 of those. */
    TEST(ones > 2048 - 256 && ones < 2048 + 256);
  }
}

static void
case_close_range(void)
{
  int file[6];
  for (size_t i = 0; i < 6; i++)
    file[i] = dup(2);
  TEST(close(file[2]) == 0);
  TEST(tni_os_close_range(file[1], file[4]) == TN_OK);
  for (size_t i = 0; i < 6; i++)
    TEST((fcntl(file[i], F_GETFD) != -1) == (i == 0 || i == 5));
}

int
main(void)
{
  TEST(child_passes(case_strict));
  TEST(child_passes(case_pages));
  TEST(child_passes(case_prefault));
  TEST(child_passes(case_guarded_read));
  TEST(child_passes(case_entropy));
  TEST(child_passes(case_close_range));
  return test_done();
}
