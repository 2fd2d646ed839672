/* obstack.h -- the obstacks of the GNU C library, over an arena
 *
 * A program that uses obstacks compiles against this header instead of
 * <obstack.h> and behaves the same: the macros have the same names, arguments
 * and results, memory comes from its obstack_chunk_alloc.  New programs use
 * arena.h.
 *
 *     chunk | object | object | growing object ===== | .. room .. |
 *                               object_base     next_free    chunk_limit
 *
 * Different: chunks double, objects are multiples of TN_ALIGN bytes apart,
 * sizes are size_t, and a contract of the arena is checked in debug builds.
 *
 * Invariants
 *   [obstack.cursor]  the growing object starts at the arena's cursor.
 * Threads   one owner at a time; no lock.
 * Failure   obstack_alloc_failed_handler is called, which does not return.
 * Cost      an allocation some 12 instructions.
 * Source    the interface: The GNU C Library Reference Manual, "Obstacks".
 * Design    doc/design/arena.md      Tests  test/arena/test_obstack.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_OBSTACK_H
#define TENURE_OBSTACK_H

#include <string.h>

#include <tenure/arena.h>

TN_BEGIN_DECLS

/* Where chunks come from. */
typedef struct tni_obstack_source {
  tn_provider provider;  // first
  void *(*alloc)(size_t);
  void (*free)(void *);
  void *(*alloc_arg)(void *, size_t);  // NULL: the two without argument
  void (*free_arg)(void *, void *);
  void *argument;
} tni_obstack_source;

struct obstack {
  char *object_base;
  char *next_free;
  char *chunk_limit;
  tn_arena arena;
  tni_obstack_source source;
  size_t chunk_size;
  size_t alignment_mask;
};

TN_API void tni_obstack_begin(struct obstack *h, size_t size, size_t align,
                              tni_obstack_source source);
TN_API TN_COLD void tni_obstack_more(struct obstack *h, size_t size);
TN_API void *tni_obstack_finish(struct obstack *h);
TN_API void tni_obstack_free(struct obstack *h, void *object);
TN_API int tni_obstack_printf(struct obstack *h, const char *format, ...)
    TN_PRINTF(2, 3);
TN_API int tni_obstack_vprintf(struct obstack *h, const char *format,
                               va_list args) TN_PRINTF(2, 0);
TN_API extern void (*tni_obstack_failed)(void);
TN_API extern int tni_obstack_exit_failure;

TN_INLINE void
tni_obstack_room(struct obstack *h, size_t size)
{
  if (TN_UNLIKELY((size_t)(h->chunk_limit - h->next_free) < size))
    tni_obstack_more(h, size);
}

TN_INLINE void
tni_obstack_grow(struct obstack *h, const void *from, size_t size)
{
  tni_obstack_room(h, size);
  if (size > 0)
    memcpy(h->next_free, from, size);
  h->next_free += size;
}

TN_INLINE void
tni_obstack_grow_byte(struct obstack *h, char byte)
{
  tni_obstack_room(h, 1);
  *h->next_free++ = byte;
}

/* A negative size takes bytes off the growing object. */
TN_INLINE void
tni_obstack_blank(struct obstack *h, ptrdiff_t size)
{
  if (size > 0)
    tni_obstack_room(h, (size_t)size);
  h->next_free += size;
}

TN_INLINE void *
tni_obstack_end(struct obstack *h)
{
  if (TN_DEBUG >= 1 || TN_UNLIKELY(h->alignment_mask >= TN_ALIGN))
    return tni_obstack_finish(h);
  char *const object = h->object_base;
  h->arena.gone =
      (h->arena.gone + (size_t)(h->next_free - object)) | (TN_ALIGN - 1);
  h->object_base = h->next_free = (char *)tni_arena_cursor(&h->arena);
  return object;
}

TN_INLINE void *
tni_obstack_alloc(struct obstack *h, size_t size)
{
  tni_obstack_room(h, size);
  h->next_free += size;
  return tni_obstack_end(h);
}

TN_INLINE void *
tni_obstack_copy(struct obstack *h, const void *from, size_t size, bool ends)
{
  tni_obstack_grow(h, from, size);
  if (ends)
    tni_obstack_grow_byte(h, '\0');
  return tni_obstack_end(h);
}

TN_INLINE tni_obstack_source
tni_obstack_plain(void *(*alloc)(size_t), void (*release)(void *))
{
  tni_obstack_source source;
  memset(&source, 0, sizeof source);
  source.alloc = alloc;
  source.free = release;
  return source;
}

TN_INLINE tni_obstack_source
tni_obstack_with_arg(void *(*alloc)(void *, size_t),
                     void (*release)(void *, void *), void *argument)
{
  tni_obstack_source source;
  memset(&source, 0, sizeof source);
  source.alloc_arg = alloc;
  source.free_arg = release;
  source.argument = argument;
  return source;
}

TN_END_DECLS

/* ---- The names of the GNU C library -------------------------------------- */
// NOLINTBEGIN(readability-identifier-naming): they are glibc's

#define obstack_alloc_failed_handler tni_obstack_failed
#define obstack_exit_failure         tni_obstack_exit_failure

#define obstack_init(h)              obstack_begin(h, 0)
#define obstack_begin(h, size)                                                 \
  tni_obstack_begin(h, (size_t)(size), 0, TNI_OBSTACK_PLAIN)
#define TNI_OBSTACK_PLAIN                                                      \
  tni_obstack_plain((void *(*)(size_t))obstack_chunk_alloc,                    \
                    (void (*)(void *))obstack_chunk_free)
#define obstack_specify_allocation(h, size, align, alloc, free)                \
  tni_obstack_begin(                                                           \
      h, (size_t)(size), (size_t)(align),                                      \
      tni_obstack_plain((void *(*)(size_t))(alloc), (void (*)(void *))(free)))
#define obstack_specify_allocation_with_arg(h, size, align, alloc, free, arg)  \
  tni_obstack_begin(h, (size_t)(size), (size_t)(align),                        \
                    tni_obstack_with_arg((void *(*)(void *, size_t))(alloc),   \
                                         (void (*)(void *, void *))(free),     \
                                         arg))

#define obstack_base(h)                  ((void *)(h)->object_base)
#define obstack_next_free(h)             ((void *)(h)->next_free)
#define obstack_object_size(h)           ((size_t)((h)->next_free - (h)->object_base))
#define obstack_room(h)                  ((size_t)((h)->chunk_limit - (h)->next_free))
#define obstack_chunk_size(h)            ((h)->chunk_size)
#define obstack_alignment_mask(h)        ((h)->alignment_mask)
#define obstack_memory_used(h)           ((h)->arena.held)
#define obstack_calculate_object_size(h) obstack_object_size(h)
#define obstack_empty_p(h)                                                     \
  (obstack_object_size(h) == 0 && tn_arena_get_stats(&(h)->arena).used == 0)

#define obstack_make_room(h, size)  tni_obstack_room(h, (size_t)(size))
#define obstack_grow(h, from, size) tni_obstack_grow(h, from, (size_t)(size))
#define obstack_grow0(h, from, size)                                           \
  (tni_obstack_grow(h, from, (size_t)(size)), tni_obstack_grow_byte(h, '\0'))
#define obstack_1grow(h, byte) tni_obstack_grow_byte(h, (char)(byte))
#define obstack_ptr_grow(h, pointer)                                           \
  tni_obstack_grow(h, TNI_OBSTACK_VALUE(const void *, pointer), sizeof(void *))
#define obstack_int_grow(h, number)                                            \
  tni_obstack_grow(h, TNI_OBSTACK_VALUE(int, number), sizeof(int))
#define TNI_OBSTACK_VALUE(T, value) (&(struct { T it; }){value}.it)
#define obstack_1grow_fast(h, byte) (*(h)->next_free++ = (char)(byte))
#define obstack_ptr_grow_fast(h, p) obstack_ptr_grow(h, p)
#define obstack_int_grow_fast(h, i) obstack_int_grow(h, i)
#define obstack_blank(h, size)      tni_obstack_blank(h, (ptrdiff_t)(size))
#define obstack_blank_fast(h, size)                                            \
  ((void)((h)->next_free += (ptrdiff_t)(size)))
#define obstack_alloc(h, size) tni_obstack_alloc(h, (size_t)(size))
#define obstack_copy(h, from, size)                                            \
  tni_obstack_copy(h, from, (size_t)(size), false)
#define obstack_copy0(h, from, size)                                           \
  tni_obstack_copy(h, from, (size_t)(size), true)
#define obstack_finish(h)       tni_obstack_end(h)
#define obstack_free(h, object) tni_obstack_free(h, (void *)(object))
#define obstack_printf          tni_obstack_printf
#define obstack_vprintf         tni_obstack_vprintf
// NOLINTEND(readability-identifier-naming)

#endif
