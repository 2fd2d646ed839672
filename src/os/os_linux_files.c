/* os_linux_files.c -- mapped files, guarded reads, descriptors; os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/os_linux.h"

/* ---- Mapped files ---------------------------------------------------------- */

/* Map what there is of [offset, offset + size) of an open file. */
static tn_status
os_map_open_file(int file, tni_os_map_mode mode, uint64_t offset, size_t size,
                 tni_os_map *out)
{
  struct stat facts;
  if (fstat(file, &facts) != 0)
    return tni_os_linux_status(errno);
  const uint64_t end = facts.st_size > 0 ? (uint64_t)facts.st_size : 0;
  *out = (tni_os_map){0};
  if (offset >= end || size == 0)
    return TN_OK;
  const size_t page = tni_os_get_config()->page_size;
  const uint64_t start = offset & ~(uint64_t)(page - 1);
  const size_t before = (size_t)(offset - start);
  const uint64_t wanted = end - offset < size ? end - offset : size;
  if (wanted > SIZE_MAX - page)
    return TN_ENOMEM;
  const int access =
      mode == TNI_OS_MAP_READ ? PROT_READ : PROT_READ | PROT_WRITE;
  const int sharing = mode == TNI_OS_MAP_WRITE ? MAP_SHARED : MAP_PRIVATE;
  unsigned char *const base =
      mmap(NULL, before + (size_t)wanted, access, sharing, file, (off_t)start);
  if (base == MAP_FAILED)
    return tni_os_linux_status(errno);
  *out = (tni_os_map){
      .data = base + before,
      .size = (size_t)wanted,
      .base = base,
      .reserved = tni_round_up(before + (size_t)wanted, page),
  };
  return TN_OK;
}

tn_status
tni_os_map_file(const char *path, tni_os_map_mode mode, uint64_t offset,
                size_t size, tni_os_map *out)
{
  const int error = errno;
  const int flags = mode == TNI_OS_MAP_WRITE ? O_RDWR : O_RDONLY;
  const int file = open(path, flags | O_CLOEXEC);
  tn_status status;
  if (file < 0) {
    status = tni_os_linux_status(errno);
  } else {
    status = os_map_open_file(file, mode, offset, size, out);
    (void)close(file);
  }
  errno = error;
  return status;
}

tn_status
tni_os_unmap_file(tni_os_map *map)
{
  const tn_status status =
      map->base ? tni_os_release(map->base, map->reserved) : TN_OK;
  if (status == TN_OK)
    *map = (tni_os_map){0};
  return status;
}

/* ---- Guarded reads ---------------------------------------------------------- */

/* The kernel reads for us, page by page through a pipe, and says EFAULT where
 * we would get a signal.  For systems that deny process_vm_readv. */
static tn_status
os_read_by_pipe(unsigned char *to, const unsigned char *from, size_t size)
{
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return tni_os_linux_status(errno);
  tn_status status = TN_OK;
  while (size > 0 && status == TN_OK) {
    const size_t part = tni_min(size, 4096);  // a pipe holds that much at least
    const ssize_t n = write(ends[1], from, part);
    if (n <= 0 || read(ends[0], to, (size_t)n) != n) {
      status = n < 0 && errno == EINTR ? TN_OK : TN_EFAULT;
      continue;
    }
    to += n;
    from += n;
    size -= (size_t)n;
  }
  (void)close(ends[0]);
  (void)close(ends[1]);
  return status;
}

tn_status
tni_os_guarded_read(void *to, const void *from, size_t size)
{
  const int error = errno;
  tn_status status = TN_OK;
  for (size_t done = 0; done < size && status == TN_OK;) {
    const struct iovec local = {(char *)to + done, size - done};
    const unsigned char *const at = (const unsigned char *)from + done;
    struct iovec remote = {.iov_len = size - done};
    memcpy(&remote.iov_base, &at, sizeof at);  // its type is not const
    const ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (n > 0) {
      done += (size_t)n;
      continue;
    }
    status = TN_EFAULT;
    if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
      status = os_read_by_pipe((unsigned char *)to + done, at, size - done);
      break;
    }
  }
  errno = error;
  return status;
}

/* ---- Descriptors ------------------------------------------------------------ */

tn_status
tni_os_close_range(int first, int last)
{
  if (first < 0 || last < first)
    return TN_EINVAL;
  const int error = errno;
  if (close_range((unsigned)first, (unsigned)last, 0) != 0) {
    /* Before 5.9: one by one, up to the limit of descriptors. */
    const long open_max = sysconf(_SC_OPEN_MAX);
    for (int i = first; i <= last && i < open_max; i++)
      (void)close(i);
  }
  errno = error;
  return TN_OK;
}

bool
tni_os_descriptor_is_open(int descriptor)
{
  const int error = errno;
  const bool is_open = fcntl(descriptor, F_GETFD) != -1;
  errno = error;
  return is_open;
}

tn_status
tni_os_descriptor_replace(int at, int by)
{
  const int error = errno;
  const int flags = fcntl(by, F_GETFD);
  tn_status status = flags == -1 || at == by || at < 0 ? TN_EINVAL : TN_OK;
  if (status == TN_OK) {
    int got;
    do  // EBUSY: another thread's open is about to take the number
      got = dup3(by, at, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
    while (got < 0 && (errno == EINTR || errno == EBUSY));
    if (got == at)
      (void)close(by);
    else
      status = TN_EAGAIN;
  }
  errno = error;
  return status;
}
