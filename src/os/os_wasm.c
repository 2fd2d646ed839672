/* os_wasm.c -- WebAssembly: one linear memory that only grows
 *
 * There are no guard pages, no faults, no threads and no files here: what is
 * RESERVED can be touched, so the checked forms are the only sound ones, and
 * tni_os_config says so.  A release keeps the pages for the next reservation
 * of at most that size: linear memory cannot shrink.
 *
 * Threads   one.
 * Failure   a message goes to tni_wasm_message, for the host page to read, and
 *           the module traps.
 * Design    doc/design/os.md      Tests  test/web/
 * SPDX-License-Identifier: MIT
 */
#include "os/os.h"

#include <string.h>

#define WASM_PAGE  TNI_KIB(64)
#define WASM_FREES 64

typedef struct os_wasm_range {
  unsigned char *base;
  size_t size;
} os_wasm_range;

static struct {
  os_wasm_range freed[WASM_FREES];  // base NULL: an empty slot
  uint64_t ticks;
  size_t resident;
  char message[512];
} os_wasm;

/* The host's clock in milliseconds, as performance.now gives it. */
__attribute__((import_module("host"), import_name("clock_ms"))) double
os_wasm_clock_ms(void);

/* The last message, for the host; an empty string when there is none. */
TN_API const char *tni_wasm_message(void);
const char *
tni_wasm_message(void)
{
  return os_wasm.message;
}

const tni_os_config *
tni_os_get_config(void)
{
  static const tni_os_config config = {
      .page_size = WASM_PAGE,
      .grain = WASM_PAGE,
      .address_bits = 32,
  };
  return &config;
}

size_t
tni_os_physical(void)
{
  return SIZE_MAX;
}

size_t
tni_os_budget(void)
{
  return SIZE_MAX;
}

size_t
tni_os_resident(void)
{
  return __builtin_wasm_memory_size(0) * WASM_PAGE;
}

size_t
tni_os_page_faults(void)
{
  return 0;
}

/* ---- Pages: the memory grows, and what is released is kept -------------- */

/* The smallest released range that holds size bytes at align; its rest stays
 * released.  NULL when there is none. */
static unsigned char *
os_wasm_reuse(size_t size, size_t align)
{
  os_wasm_range *best = NULL;
  for (size_t i = 0; i < WASM_FREES; i++) {
    os_wasm_range *const r = &os_wasm.freed[i];
    if (r->base && r->size >= size &&
        tni_is_aligned(tni_address(r->base), align) &&
        (!best || r->size < best->size))
      best = r;
  }
  if (!best)
    return NULL;
  unsigned char *const base = best->base;
  best->size -= size;
  best->base = best->size ? base + size : NULL;
  return base;
}

tn_status
tni_os_reserve(size_t size, size_t align, void **out)
{
  align = tni_max(align, WASM_PAGE);
  unsigned char *base = os_wasm_reuse(size, align);
  if (!base) {
    const size_t end = __builtin_wasm_memory_size(0) * WASM_PAGE;
    size_t start, total;
    if (!tni_round_up_checked(end, align, &start) ||
        !tn_size_add(start - end, size, &total) ||
        __builtin_wasm_memory_grow(0, total / WASM_PAGE) == SIZE_MAX)
      return TN_ENOMEM;
    base = (unsigned char *)start;  // NOLINT(performance-no-int-to-ptr)
  }
  *out = base;
  return TN_OK;
}

tn_status
tni_os_reserve_at(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_ENOTSUP;
}

tn_status
tni_os_release(void *addr, size_t size)
{
  memset(addr, 0, size);  // so that the next reservation reads zero
  for (size_t i = 0; i < WASM_FREES; i++) {
    if (os_wasm.freed[i].base == (unsigned char *)addr + size) {
      os_wasm.freed[i].base = addr;
      os_wasm.freed[i].size += size;
      return TN_OK;
    }
    if (!os_wasm.freed[i].base) {
      os_wasm.freed[i] = (os_wasm_range){addr, size};
      return TN_OK;
    }
  }
  return TN_OK;  // the table is full: the range is lost, nothing else
}

/* Everything RESERVED can be touched and reads as zero, so committing is
 * nothing and taking back is clearing. */
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
tni_os_decommit(void *addr, size_t size)
{
  memset(addr, 0, size);
  return TN_OK;
}

tn_status
tni_os_reset(void *addr, size_t size)
{
  return tni_os_commit(addr, size);
}

tn_status
tni_os_purge(void *addr, size_t size)
{
  return tni_os_decommit(addr, size);
}

tn_status
tni_os_prefault(void *addr, size_t size)
{
  return tni_os_commit(addr, size);
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
tni_os_move(void *from, void *to, size_t size)
{
  (void)from, (void)to, (void)size;
  return TN_ENOTSUP;
}

tn_status
tni_os_swap(void *a, void *b, size_t size)
{
  (void)a, (void)b, (void)size;
  return TN_ENOTSUP;
}

tn_status
tni_os_guard(void *addr, size_t size)
{
  (void)addr, (void)size;
  return TN_ENOTSUP;
}

/* Nothing is written to a swap file by the machine itself, but what the host
 * does with its own memory is out of reach: nothing is promised. */
tn_status
tni_os_secret(void *addr, size_t size, unsigned *reached)
{
  *reached = 0;
  return tni_os_commit(addr, size);
}

tn_status
tni_os_shared_open(size_t size,
                   int *out)  // NOLINT(readability-non-const-parameter)
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

/* ---- Files and descriptors: none ----------------------------------------- */

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
  const size_t end = tni_os_resident();
  if (tni_address(from) > end || size > end - tni_address(from))
    return TN_EFAULT;
  memcpy(to, from, size);
  return TN_OK;
}

tn_status
tni_os_close_range(int first, int last)
{
  (void)first, (void)last;
  return TN_ENOTSUP;
}

bool
tni_os_descriptor_is_open(int descriptor)
{
  (void)descriptor;
  return false;
}

tn_status
tni_os_descriptor_replace(int at, int by)
{
  (void)at, (void)by;
  return TN_ENOTSUP;
}

/* Messages are kept for the host; the last one stays. */
void
tni_os_write_error(const char *text, size_t size)
{
  size = tni_min(size, sizeof os_wasm.message - 1);
  memcpy(os_wasm.message, text, size);
  os_wasm.message[size] = '\0';
}

void
tni_fatal(const char *text)
{
  size_t length = 0;
  while (text[length])
    length++;
  tni_os_write_error(text, length);
  __builtin_trap();
}

/* ---- Clock, entropy, environment ------------------------------------------ */

uint64_t
tni_os_clock_ns(void)
{
  return (uint64_t)(os_wasm_clock_ms() * 1e6);
}

/* The host's clock, mixed: unpredictable to nobody who tries.  A host that
 * needs more gives its own. */
void
tni_os_entropy(void *to, size_t size)
{
  unsigned char *const bytes = to;
  for (size_t i = 0; i < size; i++) {
    os_wasm.ticks += tni_os_clock_ns() + UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t z =
        (os_wasm.ticks ^ (os_wasm.ticks >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bytes[i] = (unsigned char)(z >> 56);
  }
}

const char *
tni_os_option(const char *name)
{
  (void)name;
  return NULL;
}

/* ---- One thread ------------------------------------------------------------ */

tn_status
tni_os_thread_start(tni_os_thread **out, void (*fn)(void *), void *argument,
                    const tni_os_thread_options *options)
{
  (void)out, (void)fn, (void)argument, (void)options;
  return TN_ENOTSUP;
}

void
tni_os_thread_join(tni_os_thread *thread)
{
  (void)thread;
}

unsigned
tni_os_thread_id(void)
{
  return 1;
}

void
tni_os_lock_acquire(tni_os_lock *lock)
{
  if (!tni_os_lock_try(lock))
    tni_fatal("tenure: [os.lock] a lock taken twice by the only thread");
}

bool
tni_os_lock_try(tni_os_lock *lock)
{
  if (tni_load_relaxed(&lock->word))
    return false;
  tni_store_relaxed(&lock->word, 1);
  return true;
}

void
tni_os_lock_release(tni_os_lock *lock)
{
  tni_store_relaxed(&lock->word, 0);
}

size_t
tni_os_cache_size(void)
{
  return TNI_MIB(1);
}

void
tni_os_wait(_Atomic uint32_t *word, uint32_t expected)
{
  (void)word;
  (void)expected;  // there is one thread
}

void
tni_os_wake(_Atomic uint32_t *word, bool all)
{
  (void)word;
  (void)all;
}

tn_status
tni_os_data_ranges(bool is_local, tni_os_range_fn *fn, void *argument)
{
  (void)is_local;
  (void)fn;
  (void)argument;
  return TN_ENOTSUP;
}

void
tni_os_fork_lock(tni_os_lock *lock)
{
  (void)lock;  // nothing forks
}

void
tni_os_fork_child(void (*fn)(void))
{
  (void)fn;
}

static void *os_wasm_tls[8];  // by key
static unsigned os_wasm_tls_count;

/* The one thread never ends, so at_exit is never called. */
tn_status
tni_os_tls_create(tni_os_tls *out, void (*at_exit)(void *))
{
  (void)at_exit;
  if (os_wasm_tls_count == sizeof os_wasm_tls / sizeof os_wasm_tls[0])
    return TN_EAGAIN;
  out->key = os_wasm_tls_count++;
  return TN_OK;
}

void *
tni_os_tls_load(tni_os_tls tls)
{
  return os_wasm_tls[tls.key];
}

tn_status
tni_os_tls_store(tni_os_tls tls, void *value)
{
  os_wasm_tls[tls.key] = value;
  return TN_OK;
}

/* ---- Stacks and faults: the machine keeps them to itself ------------------ */

tn_status
tni_os_stack_bounds(void **low, void **high)
{
  (void)low, (void)high;
  return TN_ENOTSUP;
}

tn_status
tni_os_alternate_stack(void)
{
  return TN_ENOTSUP;
}

tn_status
tni_os_prefault_program(void)
{
  return TN_OK;
}

tn_status
tni_os_prefault_stack(size_t size)
{
  (void)size;
  return TN_OK;
}

size_t
tni_os_symbol(const void *code, char *buffer, size_t size)
{
  (void)code, (void)size;
  buffer[0] = '\0';
  return 0;
}

size_t
tni_os_describe_stack(const void *p, char *buffer, size_t size)
{
  return tni_os_symbol(p, buffer, size);
}

const void *
tni_os_fault_code(void)
{
  return NULL;
}

tn_status
tni_os_fault_first(tni_os_fault_first_fn *fn)
{
  (void)fn;
  return TN_ENOTSUP;
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

bool
tni_os_fault_offer(int signal, void *info, void *context)
{
  (void)signal, (void)info, (void)context;
  return false;
}

tni_os_fault_counts
tni_os_fault_get_counts(void)
{
  return (tni_os_fault_counts){0};
}
