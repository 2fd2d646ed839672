/* tiny_os.c -- the least system that Tenure runs on, and a program on it
 *
 * No libc: what os.h asks of a machine without a kernel's help, over one static
 * array, the four functions that every compiler expects, and a start.  What
 * cannot be had there is TN_ENOTSUP.  test_freestanding.py links it with the
 * core and runs it; the exit status is the number of the step that failed.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/checked.h>

#include "os/os.h"
#include "vm/vm.h"

#define TINY_PAGE TNI_KIB(64)
#define TINY_SIZE TNI_MIB(16)

static _Alignas(1 << 16) unsigned char tiny_memory[TINY_SIZE];
static size_t tiny_used;

/* ---- What compilers call by themselves ------------------------------------ */

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
size_t strlen(const char *text);

void *
memmove(void *to, const void *from, size_t size)
{
  unsigned char *const t = to;
  const unsigned char *const f = from;
  const bool is_up = tni_address(t) < tni_address(f);
  for (size_t n = 0; n < size; n++) {
    const size_t i = is_up ? n : size - 1 - n;
    t[i] = f[i];
  }
  return to;
}

void *
memcpy(void *restrict to, const void *restrict from, size_t size)
{
  return memmove(to, from, size);
}

void *
memset(void *to, int value, size_t size)
{
  for (size_t i = 0; i < size; i++)
    ((unsigned char *)to)[i] = (unsigned char)value;
  return to;
}

size_t
strlen(const char *text)
{
  size_t n = 0;
  while (text[n])
    n++;
  return n;
}

/* ---- Linux for two calls: the end, and a message --------------------------- */

static long
tiny_call(long number, long a, long b, long c)
{
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

static TN_NORETURN void
tiny_exit(int status)
{
  for (;;)
    tiny_call(231, status, 0, 0);
}

void
tni_os_write_error(const char *text, size_t size)
{
  tiny_call(1, 2, (long)text, (long)size);
}

void
tni_fatal(const char *text)
{
  tni_os_write_error(text, strlen(text));
  tiny_exit(99);
}

/* ---- os.h ------------------------------------------------------------------- */

const tni_os_config *
tni_os_get_config(void)
{
  static const tni_os_config config = {
      .page_size = TINY_PAGE, .grain = TINY_PAGE, .address_bits = 32};
  return &config;
}

size_t
tni_os_budget(void)
{
  return TINY_SIZE;
}

size_t
tni_os_physical(void)
{
  return TINY_SIZE;
}

tn_status
tni_os_reserve(size_t size, size_t align, void **out)
{
  const size_t start = tni_round_up(tiny_used, tni_max(align, TINY_PAGE));
  if (align > TINY_PAGE || start > TINY_SIZE || size > TINY_SIZE - start)
    return TN_ENOMEM;
  tiny_used = tni_round_up(start + size, TINY_PAGE);
  *out = tiny_memory + start;
  return TN_OK;
}

tn_status
tni_os_reserve_at(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_EBUSY;
}

tn_status
tni_os_release(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_OK;
}

tn_status
tni_os_commit(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_OK;
}

tn_status
tni_os_commit_lazy(void *addr, size_t size)
{
  return tni_os_commit(addr, size);
}

tn_status
tni_os_purge(void *addr, size_t size)
{
  memset(addr, 0, size);
  return TN_OK;
}

tn_status
tni_os_decommit(void *addr, size_t size)
{
  return tni_os_purge(addr, size);
}

tn_status
tni_os_reset(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_OK;
}

tn_status
tni_os_protect(void *addr, size_t size, tni_os_access access)
{
  (void)addr, (void)size, (void)access;
  return TN_ENOTSUP;
}

tn_status
tni_os_huge(void *addr, size_t size, bool on)
{
  (void)addr, (void)size, (void)on;
  return TN_ENOTSUP;
}

tn_status
tni_os_prefault(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_OK;
}

tn_status
tni_os_move(void *from, void *to, size_t size)
{
  (void)from, (void)to, (void)size;
  return TN_ENOTSUP;
}

tn_status
tni_os_shared_open(size_t size, int *out)
{
  (void)size, (void)out;
  return TN_ENOTSUP;
}

tn_status
tni_os_shared_close(int handle)
{
  (void)handle;
  return TN_ENOTSUP;
}

tn_status
tni_os_alias(int handle, size_t offset, void *addr, size_t size)
{
  (void)handle, (void)offset, (void)addr, (void)size;
  return TN_ENOTSUP;
}

tn_status
tni_os_map_file(const char *path, tni_os_map_mode mode, uint64_t offset,
                size_t size, tni_os_map *out)
{
  (void)path, (void)mode, (void)offset, (void)size, (void)out;
  return TN_ENOTSUP;
}

tn_status
tni_os_unmap_file(tni_os_map *map)
{
  (void)map;
  return TN_ENOTSUP;
}

tn_status
tni_os_guarded_read(void *to, const void *from, size_t size)
{
  memcpy(to, from, size);
  return TN_OK;
}

void
tni_os_entropy(void *to, size_t size)
{
  memset(to, 0x55, size);
}

void
tni_os_lock_acquire(tni_os_lock *lock)
{
  tni_store_relaxed(&lock->word, 1);
}

void
tni_os_lock_release(tni_os_lock *lock)
{
  tni_store_relaxed(&lock->word, 0);
}

void
tni_os_fork_lock(tni_os_lock *lock)
{
  (void)lock;
}

size_t
tni_os_symbol(const void *code, char *buffer, size_t size)
{
  (void)code, (void)buffer, (void)size;
  return 0;
}

size_t
tni_os_describe_stack(const void *p, char *buffer, size_t size)
{
  (void)p, (void)buffer, (void)size;
  return 0;
}

tn_status
tni_os_fault_add(const tni_os_fault_watch *watch)
{
  (void)watch;
  return TN_ENOTSUP;
}

void
tni_os_fault_remove(void *base)
{
  (void)base;
}

/* ---- The program ------------------------------------------------------------ */

static bool
tiny_is_text(const char *text, const char *wanted)
{
  size_t i = 0;
  while (text[i] && text[i] == wanted[i])
    i++;
  return text[i] == wanted[i];
}

/* 0, or the number of the step that failed. */
static int
tiny_run(void)
{
  char text[100];
  void *pages = NULL;
  if (tn_vm_reserve(TNI_MIB(1), 1, &pages) != TN_OK ||
      tn_vm_commit(pages, TNI_MIB(1)) != TN_OK)
    return 1;
  tn_describe((char *)pages + 5, text, sizeof text);
  if (!tiny_is_text(text, "vm: 5 bytes into a live block of 1048576 bytes"))
    return 2;

  tn_checked bump;
  const tn_checked_options options = {.size = TNI_MIB(2)};
  if (tn_checked_create(&bump, &options) != TN_OK)
    return 3;
  size_t sum = 0, count = 0;
  for (unsigned char *block; (block = tn_checked_try(&bump, 1000)); count++) {
    memset(block, 1, 1000);
    sum += block[999];
  }
  if (count < 2080 || count > 2200 || sum != count)
    return 4;
  tn_checked_destroy(&bump);

  void *more = NULL;
  if (tn_vm_reserve(TINY_SIZE, 1, &more) != TN_ENOMEM || more)
    return 5;
  return tn_vm_release(pages) == TN_OK && !tni_pagemap_find(pages) ? 0 : 6;
}

TN_NORETURN void _start(void);  // NOLINT(readability-identifier-naming)
/* The kernel enters with a stack that is aligned as no function's is. */
__attribute__((force_align_arg_pointer)) void
_start(void)
{
  tiny_exit(tiny_run());
}
