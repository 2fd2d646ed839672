/* os_linux.c -- pages of address space on Linux; the contract is os.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/os_linux.h"
#include "os/os_linux_call.h"

/* Absent from headers older than Linux 4.17, 5.7, 5.14 and 6.13. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define OS_UNCHECKED_MAX TNI_MIB(16)
#define OS_RESERVE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static struct {
  _Atomic uint32_t state;    // 0 not asked, 1 being filled in, 2 ready
  tni_os_config config;      // const once state is 2
  _Atomic size_t unchecked;  // bytes that may be committed before the budget
                             // is looked at again
} os_linux;

/* ---- The system's facts -------------------------------------------------- */

static size_t
os_huge_size(void)
{
  char text[64];
  if (tni_os_linux_read_file("/sys/kernel/mm/transparent_hugepage/enabled",
                             text, sizeof text) == 0 ||
      strstr(text, "[never]"))
    return 0;
  if (tni_os_linux_read_file(
          "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text,
          sizeof text) == 0)
    return 0;
  size_t size = 0;
  for (const char *p = text; *p >= '0' && *p <= '9'; p++)
    size = size * 10 + (size_t)(*p - '0');
  return size;
}

/* With vm.overcommit_memory = 2 every writable page is charged at once. */
static bool
os_is_strict(void)
{
  char text[8];
  return tni_os_linux_read_file("/proc/sys/vm/overcommit_memory", text,
                                sizeof text) > 0 &&
         text[0] == '2';
}

/* Whether the kernel knows MREMAP_DONTUNMAP (5.7): it moves a page. */
static bool
os_can_move(size_t page)
{
  char *const p =
      tni_os_mmap(NULL, 2 * page, PROT_NONE, OS_RESERVE_FLAGS, -1, 0);
  if (p == MAP_FAILED)
    return false;
  const bool ok =
      tni_os_mremap(p, page, page,
                    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                    p + page) != MAP_FAILED;
  (void)tni_os_munmap(p, 2 * page);
  return ok;
}

static tni_os_config
os_ask_config(void)
{
  const int error = errno;
#if defined(__x86_64__)
  const size_t page = 4096;  // the architecture's
#else
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
#endif
  const tni_os_config config = {
    .page_size = page,
    .grain = page,
    .huge_size = os_huge_size(),
#if UINTPTR_MAX <= 0xffffffffu
    .address_bits = 32,
#elif defined(__x86_64__)
    .address_bits = 47,
#else
    .address_bits = 48,
#endif
    .has_guard = true,
    .has_lazy = !os_is_strict(),
    .has_faults = true,
    .has_threads = true,
    .can_alias = true,
    .can_move = os_can_move(page),
  };
  errno = error;
  return config;
}

const tni_os_config *
tni_os_get_config(void)
{
  /* Pairs with the release below: the facts are seen complete. */
  if (TN_LIKELY(tni_load_acquire(&os_linux.state) == 2))
    return &os_linux.config;
  const tni_os_config config = os_ask_config();
  uint32_t expected = 0;
  if (tni_cas_acq_rel(&os_linux.state, &expected, 1)) {
    os_linux.config = config;
    tni_store_release(&os_linux.state, 2);
  }
  while (tni_load_acquire(&os_linux.state) != 2)
    (void)usleep(1);  // another thread is copying them at this moment
  return &os_linux.config;
}

/* ---- Budget --------------------------------------------------------------- */

/* Whether missing more bytes fit under the budget, given what is resident. */
static bool
os_fits_budget(size_t missing, size_t budget)
{
  const size_t resident = tni_os_resident();
  const size_t room = budget > resident ? budget - resident : 0;
  if (missing > room)
    return false;
  tni_store_relaxed(&os_linux.unchecked,
                    tni_min((room - missing) / 8, OS_UNCHECKED_MAX));
  return true;
}

/* For [os.budget].  Looking costs some file reads, so a look that finds room lets an
 * eighth of it pass, at most OS_UNCHECKED_MAX, before the next. */
static bool
os_is_unchecked(size_t size)
{
  size_t left = tni_load_relaxed(&os_linux.unchecked);
  while (size <= left)
    if (tni_cas_acq_rel(&os_linux.unchecked, &left, left - size))
      return true;
  return false;
}

/* Bytes of the range that are not resident. */
static size_t
os_missing_bytes(void *addr, size_t size)
{
  const size_t page = tni_os_get_config()->page_size;
  unsigned char there[512];
  size_t missing = 0;
  for (size_t at = 0; at < size; at += sizeof there * page) {
    const size_t part = tni_min(size - at, sizeof there * page);
    if (mincore((char *)addr + at, part, there) != 0)
      return size;
    for (size_t i = 0; i < part / page; i++)
      missing += there[i] & 1 ? 0 : page;
  }
  return missing;
}

static bool
os_ask_budget(void *addr, size_t size)
{
  if (os_is_unchecked(size))
    return true;
  const size_t budget = tni_os_budget_now();
  return size <= budget &&
         (os_fits_budget(size, budget) ||
          os_fits_budget(os_missing_bytes(addr, size), budget));
}

/* ---- Reserving ------------------------------------------------------------ */

/* The status of a system call's result, with errno put back. */
static tn_status
os_result(bool ok, int saved_errno)
{
  const tn_status status = ok ? TN_OK : tni_os_linux_status(errno);
  errno = saved_errno;
  return status;
}

tn_status
tni_os_reserve(size_t size, size_t align, void **out)
{
  const int error = errno;
  const size_t page = tni_os_get_config()->page_size;
  size_t padded;
  if (!tn_size_add(size, align > page ? align - page : 0, &padded))
    return TN_ENOMEM;
  char *const p = tni_os_mmap(NULL, padded, PROT_NONE, OS_RESERVE_FLAGS, -1, 0);
  if (p == MAP_FAILED)
    return os_result(false, error);
  const size_t before = -tni_address(p) & (align > page ? align - 1 : 0);
  const size_t after = padded - before - size;
  /* Cutting a fresh mapping at its ends only fails when the kernel itself is
   * out of memory; what is left is then address space without use. */
  if (before > 0)
    (void)tni_os_munmap(p, before);
  if (after > 0)
    (void)tni_os_munmap(p + before + size, after);
  errno = error;
  *out = p + before;
  return TN_OK;
}

tn_status
tni_os_reserve_at(void *addr, size_t size)
{
  const int error = errno;
  void *const p = tni_os_mmap(addr, size, PROT_NONE,
                              OS_RESERVE_FLAGS | MAP_FIXED_NOREPLACE, -1, 0);
  if (p == MAP_FAILED) {
    const bool is_used = errno == EEXIST;
    const tn_status status = os_result(false, error);
    return is_used ? TN_EBUSY : status;
  }
  if (p == addr)
    return TN_OK;
  (void)tni_os_munmap(p, size);  // before 4.17 the flag was a hint
  errno = error;
  return TN_EBUSY;
}

tn_status
tni_os_release(void *addr, size_t size)
{
  const int error = errno;
  return os_result(tni_os_munmap(addr, size) == 0, error);
}

/* ---- States of pages ------------------------------------------------------- */

tn_status
tni_os_commit(void *addr, size_t size)
{
  if (!os_ask_budget(addr, size))
    return TN_ENOMEM;
  return tni_os_commit_lazy(addr, size);
}

tn_status
tni_os_commit_lazy(void *addr, size_t size)
{
  return tni_os_protect(addr, size, TNI_OS_READ_WRITE);
}

tn_status
tni_os_decommit(void *addr, size_t size)
{
  /* A fresh mapping, not mprotect and MADV_DONTNEED: only this gives back the
   * charge of strict overcommit, and only this takes a view of shared memory
   * away.  It merges with reserved neighbours. */
  const int error = errno;
  const void *const p =
      tni_os_mmap(addr, size, PROT_NONE, OS_RESERVE_FLAGS | MAP_FIXED, -1, 0);
  return os_result(p != MAP_FAILED, error);
}

tn_status
tni_os_reset(void *addr, size_t size)
{
  const int error = errno;
  if (tni_os_madvise(addr, size, MADV_FREE) == 0)
    return TN_OK;
  const bool is_unknown = errno == EINVAL;  // before 4.5
  const tn_status status = os_result(false, error);
  return is_unknown ? tni_os_purge(addr, size) : status;
}

tn_status
tni_os_purge(void *addr, size_t size)
{
  const int error = errno;
  return os_result(tni_os_madvise(addr, size, MADV_DONTNEED) == 0, error);
}

tn_status
tni_os_protect(void *addr, size_t size, tni_os_access access)
{
  static const int protection[] = {
      [TNI_OS_NONE] = PROT_NONE,
      [TNI_OS_READ] = PROT_READ,
      [TNI_OS_READ_WRITE] = PROT_READ | PROT_WRITE,
      [TNI_OS_READ_EXECUTE] = PROT_READ | PROT_EXEC,
  };
  const int error = errno;
  return os_result(tni_os_mprotect(addr, size, protection[access]) == 0, error);
}

tn_status
tni_os_huge(void *addr, size_t size, bool on)
{
  const int error = errno;
  if (tni_os_madvise(addr, size, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0)
    return TN_OK;
  const bool is_unknown = errno == EINVAL;  // kernel without huge pages
  const tn_status status = os_result(false, error);
  return is_unknown ? TN_ENOTSUP : status;
}

/* Writing each page without changing it; another thread may be using it. */
static void
os_touch_pages(void *addr, size_t size)
{
  const size_t page = tni_os_get_config()->page_size;
  for (size_t at = 0; at < size; at += page)
    tni_add_relaxed((_Atomic unsigned char *)addr + at, 0);
}

tn_status
tni_os_prefault(void *addr, size_t size)
{
  if (!os_ask_budget(addr, size))
    return TN_ENOMEM;
  const int error = errno;
  if (tni_os_madvise(addr, size, MADV_POPULATE_WRITE) == 0)
    return TN_OK;
  const bool is_unknown = errno == EINVAL;  // before 5.14
  const tn_status status = os_result(false, error);
  if (!is_unknown)
    return status;
  os_touch_pages(addr, size);
  return TN_OK;
}

tn_status
tni_os_move(void *from, void *to, size_t size)
{
  if (!tni_os_get_config()->can_move)
    return TN_ENOTSUP;
  /* Without DONTUNMAP there would be a moment in which from is nobody's. */
  const int error = errno;
  if (tni_os_mremap(from, size, size,
                    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                    to) != MAP_FAILED)
    return tni_os_decommit(from, size);
  const bool is_several = errno == EFAULT;  // mappings, before 6.17
  const tn_status status = os_result(false, error);
  /* Some kernels unmap the target before they look at the source. */
  (void)tni_os_reserve_at(to, size);
  return is_several ? TN_ENOTSUP : status;
}

tn_status
tni_os_guard(void *addr, size_t size)
{
  const int error = errno;
  if (tni_os_madvise(addr, size, MADV_GUARD_INSTALL) == 0)
    return TN_OK;
  const bool is_unknown = errno == EINVAL;  // before 6.13
  const tn_status status = os_result(false, error);
  return is_unknown ? TN_ENOTSUP : status;
}

/* ---- Exchanging pages ------------------------------------------------------- */

/* What a whole page table maps: the kernel moves it in one step when both
 * places are as far from its start. */
static size_t
os_table_span(void)
{
  const size_t page = tni_os_get_config()->page_size;
  return page * (page / sizeof(void *));
}

/* The pages of from go to to; from stays mapped, empty. */
static bool
os_move_out(void *from, void *to, size_t size)
{
  return tni_os_mremap(from, size, size,
                       MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                       to) != MAP_FAILED;
}

/* The same back to where something is mapped still: one mapping, so that the
 * kernel can only refuse before it has unmapped anything.  Then copy. */
static void
os_move_in(void *from, void *to, size_t size)
{
  if (!os_move_out(from, to, size))
    memcpy(to, from, size);
}

/* Both go to spare places first: there is no moment in which a refusal could
 * not be undone.  Old kernels unmap the target of a move that they then
 * refuse (EFAULT): a hole in the spare room, which others may have taken, is
 * left to them. */
static tn_status
os_swap_by(void *a, void *b, char *spare_a, char *spare_b, size_t size)
{
  char *refused = NULL;
  if (!os_move_out(a, spare_a, size))
    refused = spare_a;
  else if (!os_move_out(b, spare_b, size))
    refused = spare_b;
  if (!refused) {
    os_move_in(spare_b, a, size);
    os_move_in(spare_a, b, size);
    return TN_OK;
  }
  const tn_status status = errno == EFAULT || errno == EINVAL
                               ? TN_ENOTSUP
                               : tni_os_linux_status(errno);
  if (refused == spare_b)
    os_move_in(spare_a, a, size);
  return status;
}

tn_status
tni_os_swap(void *a, void *b, size_t size)
{
  const size_t span = os_table_span();
  size_t half, room;
  if (!tni_os_get_config()->can_move)
    return TN_ENOTSUP;
  if (!tn_size_add(size, span, &half) ||
      !tni_round_up_checked(half, span, &half) || !tn_size_mul(half, 2, &room))
    return TN_ENOMEM;
  const int error = errno;
  void *map = NULL;
  tn_status status = tni_os_reserve(room, span, &map);
  if (!map)
    return status;
  char *const spare_a = (char *)map + (tni_address(a) & (span - 1));
  char *const spare_b = (char *)map + half + (tni_address(b) & (span - 1));
  status = os_swap_by(a, b, spare_a, spare_b, size);
  (void)tni_os_release(map, room);
  errno = error;
  return status;
}

/* ---- Shared memory --------------------------------------------------------- */

tn_status
tni_os_shared_open(size_t size, int *out)
{
  const int error = errno;
  if (size > (size_t)PTRDIFF_MAX)
    return TN_ENOMEM;
  const int handle = memfd_create("tenure", MFD_CLOEXEC);
  if (handle < 0)
    return os_result(false, error);
  if (ftruncate(handle, (off_t)size) != 0) {
    const tn_status status = os_result(false, error);
    (void)close(handle);
    return status;
  }
  *out = handle;
  return TN_OK;
}

tn_status
tni_os_shared_close(int handle)
{
  const int error = errno;
  return os_result(close(handle) == 0, error);
}

tn_status
tni_os_alias(int handle, size_t offset, void *addr, size_t size)
{
  const int error = errno;
  const void *const p =
      tni_os_mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                  handle, (off_t)offset);
  return os_result(p != MAP_FAILED, error);
}
