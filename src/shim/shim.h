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
/* Free what is not for the fast path. */
TN_COLD void tni_shim_free(void *pointer);
/* The same where sizes are checked. */
TN_COLD void tni_shim_free_sized(void *pointer, size_t size, size_t align);

/* malloc and free as the other files of the shim call them. */
static inline void *
tni_shim_malloc(size_t size)
{
  void *const block = tni_heap_try_take(size);
  return TN_LIKELY(block != NULL) ? block
                                  : tni_shim_allocate(size, TN_ALIGN, 0);
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
/* While there is one, in the place of the heap's functions: a block, which may
 * be a sample; and another size of one. */
void *tni_profile_allocate(size_t size, size_t align, unsigned flags);
void *tni_profile_reallocate(void *pointer, size_t size);
/* A block is about to be freed. */
TN_COLD void tni_profile_forget(const void *pointer);
/* The heap that a block of malloc's is in. */
tn_heap *tni_profile_heap_of(const void *pointer);

/* One line on standard error. */
void tni_shim_say(const char *line);

#endif
