/* os_linux_secret.c -- pages that nobody else is to see on Linux; os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os_linux.h"

/* Absent from headers older than Linux 5.14; the same on every processor. */
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* Memory that the kernel takes out of its own view (5.14, and since 6.5
 * without a boot option).  It is locked by nature and counts as such. */
static bool
os_secret_hidden(void *addr, size_t size)
{
  const int file = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
  if (file < 0)
    return false;
  const bool ok = ftruncate(file, (off_t)size) == 0 &&
                  mmap(addr, size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED;
  (void)close(file);
  if (!ok)
    return false;
  /* The kernel cannot populate what it cannot see: touch. */
  const size_t page = tni_os_get_config()->page_size;
  for (size_t at = 0; at < size; at += page)
    *((volatile unsigned char *)addr + at) = 0;
  return true;
}

static unsigned
os_secret_advise(void *addr, size_t size)
{
  return (madvise(addr, size, MADV_DONTDUMP) == 0 ? TNI_OS_SECRET_NO_DUMP
                                                  : 0u) |
         (madvise(addr, size, MADV_DONTFORK) == 0 ? TNI_OS_SECRET_NO_FORK : 0u);
}

tn_status
tni_os_secret(void *addr, size_t size, unsigned *reached)
{
  const int error = errno;
  if (size > (size_t)PTRDIFF_MAX || size > tni_os_budget())
    return TN_ENOMEM;
  unsigned bits = 0;
  if (os_secret_hidden(addr, size)) {
    bits = TNI_OS_SECRET_HIDDEN | TNI_OS_SECRET_LOCKED | TNI_OS_SECRET_NO_DUMP;
  } else {
    tn_status status = tni_os_decommit(addr, size);
    if (status == TN_OK)
      status = tni_os_commit(addr, size);
    if (status != TN_OK) {
      errno = error;
      return status;
    }
    bits = mlock(addr, size) == 0 ? TNI_OS_SECRET_LOCKED : 0;
  }
  *reached = bits | os_secret_advise(addr, size);
  errno = error;
  return TN_OK;
}
