/* malloc.c -- the entry points of malloc, as glibc and C23 have them
 *
 * All of them in one object, so that a static link takes all or none.
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/shim.h"

#define MALLOC_MOST_MOVED ((size_t)65536)    // realloc: small blocks
#define MALLOC_FAST_ZERO  TN_HEAP_TABLE_MAX  // calloc: cleared on the fast path

void *
tni_shim_allocate(size_t size, size_t align, unsigned flags)
{
  if (TN_UNLIKELY(tni_window_rate != 0) && size <= TN_HEAP_TABLE_MAX &&
      align <= TN_ALIGN && flags == 0) {
    void *const block = tni_profile_allocate(size);
    if (TN_LIKELY(block != NULL))
      return block;
  }
  const tn_block block =
      tn_heap_allocate(&tni_heap_default, size, align, flags);
  if (TN_UNLIKELY(!block.pointer))
    errno = ENOMEM;
  else if (tni_profile_is_due(block.granted))
    return tni_profile_add(block, size, align, flags);
  return block.pointer;
}

void *
tni_shim_malloc_slow(size_t size)
{
  void *block;
  if (TN_UNLIKELY(tni_window_rate != 0))
    block = size <= TN_HEAP_TABLE_MAX ? tni_profile_allocate(size) : NULL;
  else
    block = tni_heap_take_refilled(size);
  return block ? block : tni_shim_allocate(size, TN_ALIGN, 0);
}

void
tni_shim_free(void *pointer)
{
  if (TN_UNLIKELY(tni_window_rate != 0) && pointer)
    tni_profile_forget(pointer);
  tn_heap_free_any(pointer);
}

void
tni_shim_free_sized(void *pointer, size_t size, size_t align)
{
  tn_heap *heap = &tni_heap_default;
  if (tni_window_rate != 0 && pointer) {
    heap = tni_profile_heap_of(pointer);
    tni_profile_forget(pointer);
  }
  tn_heap_free(heap, pointer, size, align);
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's are
// reserved names

/* ---- ISO C ---------------------------------------------------------------------- */

/* Thirteen instructions and a return, as free's fifteen: [heap.cost]. */
TN_API void *
malloc(size_t size)
{
  return tni_shim_malloc(size);
}

TN_API void
free(void *pointer)
{
  tni_shim_release(pointer);
}

TN_API void *
calloc(size_t count, size_t size)
{
  size_t bytes;
  if (TN_UNLIKELY(!tn_size_mul(count, size, &bytes))) {
    errno = ENOMEM;
    return NULL;
  }
  if (TN_LIKELY(bytes <= MALLOC_FAST_ZERO)) {
    void *const block = tni_shim_malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
  }
  return tni_shim_allocate(bytes, TN_ALIGN, TN_HEAP_ZERO);
}

/* What to ask for when a block of old bytes is too small for size.  Who grows
 * in small steps will do so again, and would move at every step from one class
 * to the next, an eighth larger. */
static inline size_t
malloc_grown(size_t old, size_t size)
{
  const bool is_step = size > old && size - old <= old / 8;
  return is_step ? size + size / 8 : size;
}

TN_API void *
realloc(void *pointer, size_t size)
{
  if (!pointer)
    return tni_shim_malloc(size);
  if (size == 0) {  // as glibc; C23 leaves it undefined
    tni_shim_release(pointer);
    return NULL;
  }
  const unsigned size_class = tni_heap_map_class(pointer);
  const size_t old = tni_local_sizes[size_class];
  if (TN_LIKELY(size <= old && size >= old / 2))
    return pointer;
  if (size_class != 0 && size <= MALLOC_MOST_MOVED) {
    void *const moved = tni_shim_malloc(malloc_grown(old, size));
    if (moved) {
      size_t kept = tni_min(old, size);
      TNI_OPAQUE(kept);
      memcpy(moved, pointer, kept);
      tni_shim_release(pointer);
      return moved;
    }
  }
  void *const block =
      TN_UNLIKELY(tni_window_rate != 0)
          ? tni_profile_reallocate(pointer, size)
          : tn_heap_reallocate(NULL, pointer, size, TN_ALIGN).pointer;
  if (!block)
    errno = ENOMEM;
  return block;
}

TN_API void *
aligned_alloc(size_t align, size_t size)
{
  if (!tn_is_power_of_two(align)) {
    errno = EINVAL;
    return NULL;
  }
  if (align <= TN_ALIGN)
    return tni_shim_malloc(size);
  if (size <= TN_HEAP_TABLE_MAX && align <= TN_HEAP_TABLE_MAX) {
    /* A class that is a multiple of the alignment, on the fast path. */
    const size_t fit =
        tni_class_size(tni_class_of(size, align, TN_HEAP_SMALL_MAX));
    if (fit <= TN_HEAP_TABLE_MAX)
      return tni_shim_malloc(fit);
  }
  return tni_shim_allocate(size, align, 0);
}

void free_sized(void *pointer, size_t size);
TN_API void
free_sized(void *pointer, size_t size)
{
  if (TNI_HEAP_CHECKED)
    tni_shim_free_sized(pointer, size, TN_ALIGN);
  else
    tni_shim_release(pointer);
}

void free_aligned_sized(void *pointer, size_t align, size_t size);
TN_API void
free_aligned_sized(void *pointer, size_t align, size_t size)
{
  if (TNI_HEAP_CHECKED)
    tni_shim_free_sized(pointer, size, tni_max(align, TN_ALIGN));
  else
    tni_shim_release(pointer);
}

/* ---- POSIX, BSD ------------------------------------------------------------------- */

TN_API int
posix_memalign(void **out, size_t align, size_t size)
{
  if (!tn_is_power_of_two(align) || align % sizeof(void *) != 0)
    return EINVAL;
  const int error = errno;
  void *const block = aligned_alloc(align, size);
  errno = error;
  if (!block)
    return ENOMEM;
  *out = block;
  return 0;
}

TN_API void *
reallocarray(void *pointer, size_t count, size_t size)
{
  size_t bytes;
  if (!tn_size_mul(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(pointer, bytes);
}

/* ---- glibc --------------------------------------------------------------------------- */

TN_API void *
memalign(size_t align, size_t size)
{
  if (align > (size_t)PTRDIFF_MAX) {
    errno = EINVAL;
    return NULL;
  }
  size_t power = TN_ALIGN;  // glibc rounds up as well
  while (power < align)
    power *= 2;
  return aligned_alloc(power, size);
}

TN_API void *
valloc(size_t size)
{
  return aligned_alloc(tni_os_get_config()->page_size, size);
}

TN_API void *
pvalloc(size_t size)
{
  const size_t page = tni_os_get_config()->page_size;
  size_t rounded;
  if (!tni_round_up_checked(tni_max(size, 1), page, &rounded)) {
    errno = ENOMEM;
    return NULL;
  }
  return aligned_alloc(page, rounded);
}

TN_API size_t
malloc_usable_size(void *pointer)
{
  const unsigned size_class = tni_heap_map_class(pointer);
  return size_class ? tni_local_sizes[size_class] : tn_heap_granted(pointer);
}

TN_API int
malloc_trim(size_t pad)
{
  (void)pad;
  return tn_purge_all() > 0;
}

TN_API struct mallinfo2
mallinfo2(void)
{
  tn_heap_stats s;
  tn_heap_get_stats(&tni_heap_default, &s);
  return (struct mallinfo2){
      .arena = s.pages - s.large,
      .hblkhd = s.large,
      .usmblks = s.peak,
      .uordblks = s.live - s.large,
      .fordblks = s.pages > s.live ? s.pages - s.live : 0,
      .keepcost = tni_slices_dirty(),
  };
}

static int
malloc_cut(size_t n)
{
  return n > INT_MAX ? INT_MAX : (int)n;
}

TN_API struct mallinfo
mallinfo(void)
{
  const struct mallinfo2 m = mallinfo2();
  return (struct mallinfo){.arena = malloc_cut(m.arena),
                           .hblkhd = malloc_cut(m.hblkhd),
                           .usmblks = malloc_cut(m.usmblks),
                           .uordblks = malloc_cut(m.uordblks),
                           .fordblks = malloc_cut(m.fordblks),
                           .keepcost = malloc_cut(m.keepcost)};
}

/* None of glibc's parameters has a counterpart here: refused, which callers
 * that set them must expect. */
TN_API int
mallopt(int parameter, int value)
{
  (void)parameter, (void)value;
  return 0;
}

TN_API void
malloc_stats(void)
{
  char json[700];
  (void)tn_heap_json(&tni_heap_default, json, sizeof json);
  tni_shim_say(json);
}

TN_API int
malloc_info(int options, FILE *stream)
{
  if (options != 0)
    return EINVAL;
  tn_heap_stats s;
  tn_heap_get_stats(&tni_heap_default, &s);
  return fprintf(stream,
                 "<malloc version=\"1\">\n"
                 "<system type=\"current\" size=\"%zu\"/>\n"
                 "<system type=\"max\" size=\"%zu\"/>\n"
                 "<total type=\"live\" size=\"%zu\"/>\n"
                 "<total type=\"large\" size=\"%zu\"/>\n"
                 "<total type=\"purged\" size=\"%zu\"/>\n"
                 "</malloc>\n",
                 s.pages, s.peak, s.live, s.large, s.purged) < 0
             ? -1
             : 0;
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
