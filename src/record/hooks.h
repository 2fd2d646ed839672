/* hooks.h -- the functions behind our hooks
 *
 * Found once, by name, after us in the order of loading: the program's
 * allocator, or libtenure-malloc.so when it is preloaded behind us.
 *
 * Design    doc/design/record.md      Tests  test/record/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_HOOKS_H
#define TNI_RECORD_HOOKS_H

#include "record/record.h"

typedef struct hooks_real {
  void *(*malloc)(size_t);
  void (*free)(void *);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void *(*reallocarray)(void *, size_t, size_t);
  void *(*memalign)(size_t, size_t);
  void *(*aligned_alloc)(size_t, size_t);
  int (*posix_memalign)(void **, size_t, size_t);
  void *(*valloc)(size_t);
  void *(*pvalloc)(size_t);
} hooks_real;
extern hooks_real tni_record_real;

/* The function called name behind us; NULL: there is none. */
void *tni_record_next(const char *name);

#endif
