/* hooks.c -- the C allocator's functions; see record.h
 *
 * Each calls the real function with the thread marked as busy, so that what an
 * allocator asks of itself or of the system is not recorded, and then says what
 * happened.  Before the real functions are known, blocks come from a buffer
 * and are never freed: dlsym may ask for some.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "record/hooks.h"
#include "record/write.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum { HOOKS_EARLY = 1 << 16 };

hooks_real tni_record_real;

static struct {
  uint32_t state;  // 0 not begun, 1 under way, 2 known
  size_t used;     // atomic
  _Alignas(16) unsigned char early[HOOKS_EARLY];
} hooks;

void *
tni_record_next(const char *name)
{
  return dlsym(RTLD_NEXT, name);
}

/* A block before there is an allocator; its size is in front of it. */
static void *
hooks_early(size_t size, size_t align)
{
  if (size > HOOKS_EARLY || align > 4096)
    return NULL;
  const size_t step =
      ((size + 15) & ~(size_t)15) + 16 + (align > 16 ? align : 0);
  const size_t at = __atomic_fetch_add(&hooks.used, step, __ATOMIC_RELAXED);
  if (at + step > HOOKS_EARLY)
    return NULL;
  const uintptr_t base = (uintptr_t)hooks.early;
  uintptr_t p = base + at + 16;
  if (align > 16)
    p = (p + align - 1) & ~(align - 1);
  unsigned char *const block = hooks.early + (p - base);
  memcpy(block - sizeof size, &size, sizeof size);
  return block;
}

static inline bool
hooks_is_early(const void *p)
{
  return (uintptr_t)p - (uintptr_t)hooks.early < HOOKS_EARLY;
}

bool
tni_record_resolve(void)
{
  uint32_t begun = 0;
  if (!__atomic_compare_exchange_n(&hooks.state, &begun, 1, false,
                                   __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
    return begun == 2;
  hooks_real real;
  void *found[10];
  static const char *const names[10] = {
      "malloc",   "free",          "calloc",         "realloc", "reallocarray",
      "memalign", "aligned_alloc", "posix_memalign", "valloc",  "pvalloc"};
  _Static_assert(sizeof real == sizeof found, "a name for each");
  for (unsigned i = 0; i < 10; i++)
    found[i] = tni_record_next(names[i]);
  memcpy(&real, found, sizeof real);
  tni_record_real = real;
  __atomic_store_n(&hooks.state, 2, __ATOMIC_RELEASE);
  return true;
}

/* False: the real functions are being looked up by our caller. */
static inline bool
hooks_are_ready(void)
{
  if (TN_LIKELY(__atomic_load_n(&hooks.state, __ATOMIC_ACQUIRE) == 2))
    return true;
  return tni_record_resolve();
}

const char *
tni_record_allocator(void)
{
  Dl_info info;
  void *p;
  memcpy(&p, &tni_record_real.malloc, sizeof p);
  if (p == NULL || !dladdr(p, &info) || info.dli_fname == NULL)
    return "system";
  return strstr(info.dli_fname, "libtenure") ? "tenure"
         : strstr(info.dli_fname, "libc.so") ? "system"
                                             : info.dli_fname;
}

/* ---- Allocating ------------------------------------------------------------------ */

/* The end of every hook that allocates: p is the answer, recorded unless it
 * is none. */
#define HOOKS_ALLOCATED(t, p, size, align, api)                                \
  do {                                                                         \
    if (TN_LIKELY((t) != NULL)) {                                              \
      record_allocated(t, RECORD_SLOT, RECORD_BP, api, p, size, align);        \
      tni_record_leave(t);                                                     \
    }                                                                          \
  } while (0)

/* A thread that can record knows the allocator. */
RECORD_HOOK void *
malloc(size_t size)
{
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (TN_UNLIKELY(t == NULL && !hooks_are_ready()))
    return hooks_early(size, 16);
  void *const p = tni_record_real.malloc(size);
  HOOKS_ALLOCATED(t, p, size, 0, TN_TRACE_API_MALLOC);
  return p;
}

RECORD_HOOK void *
calloc(size_t count, size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready())) {
    size_t bytes;
    return tn_size_mul(count, size, &bytes) ? hooks_early(bytes, 16) : NULL;
  }
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = tni_record_real.calloc(count, size);
  HOOKS_ALLOCATED(t, p, count * size, 0, TN_TRACE_API_CALLOC);
  return p;
}

RECORD_HOOK void *
memalign(size_t align, size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready()))
    return hooks_early(size, align);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = tni_record_real.memalign(align, size);
  HOOKS_ALLOCATED(t, p, size, align, TN_TRACE_API_MEMALIGN);
  return p;
}

RECORD_HOOK void *
aligned_alloc(size_t align, size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready()))
    return hooks_early(size, align);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = tni_record_real.aligned_alloc(align, size);
  HOOKS_ALLOCATED(t, p, size, align, TN_TRACE_API_ALIGNED_ALLOC);
  return p;
}

RECORD_HOOK int
posix_memalign(void **out, size_t align, size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready()))
    return (*out = hooks_early(size, align)) ? 0 : ENOMEM;
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  const int status = tni_record_real.posix_memalign(out, align, size);
  void *const p = status == 0 ? *out : NULL;
  HOOKS_ALLOCATED(t, p, size, align, TN_TRACE_API_POSIX_MEMALIGN);
  return status;
}

RECORD_HOOK void *
valloc(size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready()))
    return hooks_early(size, 4096);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = tni_record_real.valloc(size);
  HOOKS_ALLOCATED(t, p, size, 4096, TN_TRACE_API_VALLOC);
  return p;
}

RECORD_HOOK void *
pvalloc(size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready()))
    return hooks_early((size + 4095) & ~(size_t)4095, 4096);
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  void *const p = tni_record_real.pvalloc(size);
  HOOKS_ALLOCATED(t, p, size, 4096, TN_TRACE_API_PVALLOC);
  return p;
}

/* ---- Resizing ---------------------------------------------------------------------- */

/* A block of the early buffer moves to the allocator. */
static void *
hooks_move_early(void *old, size_t size)
{
  size_t had;
  memcpy(&had, (unsigned char *)old - sizeof had, sizeof had);
  void *const p = hooks_are_ready() ? malloc(size) : hooks_early(size, 16);
  if (p != NULL)
    memcpy(p, old, had < size ? had : size);
  return p;
}

/* With several threads the old address may be another's before the new one is
 * known; so it is announced. */
static uint32_t
hooks_open_resize(record_thread *t, void *old, size_t size, uintptr_t slot,
                  uintptr_t bp, tn_trace_api api)
{
  const uint32_t stack = tni_record_where(
      t, slot, bp, api, size ? tni_record.depth : tni_record.free_depth);
  if (size == 0) {
    tni_record_free(t, stack, old);
  } else if (tni_record.has_threads) {
    const uint64_t fields[] = {stack, (uintptr_t)old};
    tni_record_other(t, TN_TRACE_RESIZE_OPEN, fields, 2);
  }
  return stack;
}

/* A resize that is one event, or the birth of a block. */
static void *
hooks_resize_seen(record_thread *t, void *old, size_t size, tn_trace_api api,
                  uintptr_t slot, uintptr_t bp)
{
  uint32_t stack = 0;
  if (old != NULL)
    stack = hooks_open_resize(t, old, size, slot, bp, api);
  void *const p = tni_record_real.realloc(old, size);
  if (old == NULL)
    record_allocated(t, slot, bp, api, p, size, 0);
  else if (size != 0)
    tni_record_resize(t, stack, old, p, size);
  return p;
}

/* With sums or samples the old block ends and the new one is asked for anew:
 * each size has the chance that its weight says.  A tally is told afterwards: a
 * resize that is refused changes nothing.  A sample must be told before; it is
 * gone from the trace if the resize is refused. */
static void *
hooks_resize_apart(record_thread *t, void *old, size_t size, tn_trace_api api,
                   uintptr_t slot, uintptr_t bp)
{
  const bool is_sum = tni_record.mode == TN_TRACE_TALLIES;
  if (old != NULL && !is_sum)
    record_freed(t, slot, bp, api, old);
  void *const p = tni_record_real.realloc(old, size);
  if (is_sum && old != NULL && (p != NULL || size == 0))
    tni_record_tally_free((uintptr_t)old);
  record_allocated(t, slot, bp, api, p, size, 0);
  return p;
}

static void *
hooks_resize(void *old, size_t size, tn_trace_api api, uintptr_t slot,
             uintptr_t bp)
{
  record_thread *const t = tni_record_enter(slot);
  if (t == NULL)
    return tni_record_real.realloc(old, size);
  void *const p = tni_record.mode == TN_TRACE_EVENTS
                      ? hooks_resize_seen(t, old, size, api, slot, bp)
                      : hooks_resize_apart(t, old, size, api, slot, bp);
  tni_record_leave(t);
  return p;
}

RECORD_HOOK void *
realloc(void *old, size_t size)
{
  if (TN_UNLIKELY(!hooks_are_ready() || hooks_is_early(old)))
    return old ? hooks_move_early(old, size) : hooks_early(size, 16);
  return hooks_resize(old, size, TN_TRACE_API_REALLOC, RECORD_SLOT, RECORD_BP);
}

RECORD_HOOK void *
reallocarray(void *old, size_t count, size_t size)
{
  size_t bytes;
  if (!tn_size_mul(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  if (TN_UNLIKELY(!hooks_are_ready() || hooks_is_early(old)))
    return old ? hooks_move_early(old, bytes) : hooks_early(bytes, 16);
  return hooks_resize(old, bytes, TN_TRACE_API_REALLOCARRAY, RECORD_SLOT,
                      RECORD_BP);
}

/* ---- Freeing ------------------------------------------------------------------------ */

/* Recorded before it is done: [trace.thread]. */
RECORD_HOOK void
free(void *p)
{
  if (p == NULL)
    return;
  if (TN_UNLIKELY(hooks_is_early(p)))
    return;
  record_thread *const t = tni_record_enter(RECORD_SLOT);
  if (TN_LIKELY(t != NULL)) {
    record_freed(t, RECORD_SLOT, RECORD_BP, TN_TRACE_API_FREE, p);
    tni_record_real.free(p);
    tni_record_leave(t);
  } else if (hooks_are_ready()) {
    tni_record_real.free(p);
  }
}

/* What old programs call free. */
RECORD_HOOK void cfree(void *p);
RECORD_HOOK void
cfree(void *p)
{
  free(p);
}
