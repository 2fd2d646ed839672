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

/* A block of size bytes, and errno ENOMEM when there is none. */
TN_COLD void *tni_shim_allocate(size_t size, size_t align);
/* Free what is not for the fast path. */
TN_COLD void tni_shim_free(void *pointer);

/* malloc and free as the other files of the shim call them. */
static inline void *
tni_shim_malloc(size_t size)
{
  void *const block = tni_heap_try_take(size);
  return TN_LIKELY(block != NULL) ? block : tni_shim_allocate(size, TN_ALIGN);
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
  bool verbose;  // TENURE_VERBOSE
  size_t limit;  // TENURE_LIMIT: bytes; 0: none
} tni_shim_options;
extern tni_shim_options tni_shim_how;

/* Read the environment; a wrong value gets one line and is ignored. */
void tni_shim_read_options(void);

/* One line on standard error. */
void tni_shim_say(const char *line);

#endif
