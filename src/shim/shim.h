/* shim.h -- malloc, new and delete on the general heap
 *
 * The door of the shim layer.  libtenure-malloc.so exports every entry point
 * of malloc and of C++'s operators; each is a few lines over <tenure/heap.h>.
 *
 * Design    doc/malloc.md      Tests  test/shim/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_SHIM_H
#define TNI_SHIM_H

#include "heap/heap.h"

/* A block of size bytes, and errno ENOMEM when there is none; flags as
 * tn_heap_allocate. */
TN_COLD void *tni_shim_allocate(size_t size, size_t align, unsigned flags);
/* The same for malloc when the fast path has none. */
TN_COLD void *tni_shim_malloc_slow(size_t size);
/* Free what is not for the fast path. */
TN_COLD void tni_shim_free(void *pointer);
/* The same where sizes are checked. */
TN_COLD void tni_shim_free_sized(void *pointer, size_t size, size_t align);

/* malloc and free as the other files of the shim call them. */
static inline void *
tni_shim_malloc(size_t size)
{
  void *const block = tni_heap_try_take(size);
  return TN_LIKELY(block != NULL) ? block : tni_shim_malloc_slow(size);
}

static inline void
tni_shim_release(void *pointer)
{
  if (!TN_LIKELY(tni_heap_try_give(pointer)))
    tni_shim_free(pointer);
}

/* What the environment says; filled in when the library is loaded, and all
 * zero in programs that run with raised privileges. */
typedef struct tni_shim_options {
  bool verbose;              // TENURE_VERBOSE
  size_t limit;              // TENURE_LIMIT: bytes; 0: none
  size_t profile;            // TENURE_PROFILE: bytes between samples; 0: none
  int profile_signal;        // TENURE_PROFILE_SIGNAL; 0: none
  const char *profile_path;  // TENURE_PROFILE_PATH
} tni_shim_options;
extern tni_shim_options tni_shim_how;

/* Read the environment; a wrong value gets one line and is ignored. */
void tni_shim_read_options(void);

/* profile.c: a sampled heap profile, written when the signal comes (0: none)
 * and by tni_profile_finish into files whose names begin with prefix. */
void tni_profile_start(size_t rate, int number, const char *prefix);
void tni_profile_finish(void);
/* While there is one: a block of at most TN_HEAP_TABLE_MAX bytes, which may be a
 * sample; NULL: ask the heap. */
void *tni_profile_allocate(size_t size);
/* Whether any other block, of size bytes, is to be one; never what a thread
 * asks for when it has ended. */
static inline bool
tni_profile_is_due(size_t size)
{
  return TN_UNLIKELY(tni_window_rate != 0) &&
         tni_window_is_due((tni_heap_local *)tni_heap_here, size);
}
/* Then the sample; block, or one in its place. */
TN_COLD void *tni_profile_add(tn_block block, size_t size, size_t align,
                              unsigned flags);
/* In the place of the heap's function. */
void *tni_profile_reallocate(void *pointer, size_t size);
/* A block is about to be freed. */
TN_COLD void tni_profile_forget(const void *pointer);
/* The heap that a block of malloc's is in. */
tn_heap *tni_profile_heap_of(const void *pointer);

/* One line on standard error. */
void tni_shim_say(const char *line);

#endif
