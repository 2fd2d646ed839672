/* malloc_provider.h -- libc's malloc as a provider, for tests
 *
 * Counts calls and live blocks, and can be made to fail: after `budget`
 * allocations it answers NULL.  With `room` a block can grow where it is.
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_MALLOC_PROVIDER_H
#define TENURE_MALLOC_PROVIDER_H

#include <stdlib.h>

#include <tenure/provider.h>

typedef struct malloc_provider {
  tn_provider provider;
  size_t extra;        // bytes granted beyond what is asked
  size_t room;         // bytes that a block can have at most where it is
  size_t budget;       // allocations that still succeed
  size_t allocations;  // so far
  size_t frees;        // so far
  size_t resizes;      // so far, also those that failed
  size_t wrong_sizes;  // frees with a size outside [asked, granted]
  size_t live_bytes;
} malloc_provider;

typedef struct malloc_provider_head {
  size_t asked;
  size_t granted;
  void *block;  // what malloc returned
} malloc_provider_head;

static inline tn_block
malloc_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  malloc_provider *const self = (malloc_provider *)provider;
  const size_t room = sizeof(malloc_provider_head) + self->extra + self->room;
  size_t total;
  if (align < TN_ALIGN)
    align = TN_ALIGN;
  /* ASan aborts for what malloc would refuse. */
  if (self->budget == 0 || !tn_size_add(size, room + align, &total) ||
      total > (size_t)1 << 30)
    return (tn_block){NULL, 0, false};
  char *const block = malloc(total);
  if (block == NULL)
    return (tn_block){NULL, 0, false};
  char *const after_head = block + sizeof(malloc_provider_head);
  char *const start = after_head + (-(uintptr_t)after_head & (align - 1));
  ((malloc_provider_head *)start)[-1] =
      (malloc_provider_head){size, size + self->extra, block};
  self->budget--;
  self->allocations++;
  self->live_bytes += size;
  return (tn_block){start, size + self->extra, false};
}

static inline void
malloc_provider_free(tn_provider *provider, void *pointer, size_t size,
                     size_t align)
{
  malloc_provider *const self = (malloc_provider *)provider;
  const malloc_provider_head head = ((malloc_provider_head *)pointer)[-1];
  (void)align;
  self->wrong_sizes += size < head.asked || size > head.granted;
  self->frees++;
  self->live_bytes -= head.asked;
  free(head.block);
}

static inline size_t
malloc_provider_resize(tn_provider *provider, void *pointer, size_t size,
                       size_t new_size, size_t align)
{
  malloc_provider *const self = (malloc_provider *)provider;
  malloc_provider_head *const head = (malloc_provider_head *)pointer - 1;
  (void)align;
  self->resizes++;
  self->wrong_sizes += size < head->asked || size > head->granted;
  if (new_size > self->room)
    return 0;
  self->live_bytes += new_size - head->asked;
  head->asked = new_size;
  head->granted = new_size + self->extra;
  return head->granted;
}

static inline void
malloc_provider_init(malloc_provider *self)
{
  *self = (malloc_provider){
      .provider = {.allocate = malloc_provider_allocate,
                   .free = malloc_provider_free,
                   .resize = malloc_provider_resize,
                   .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
                   .name = "malloc"},
      .budget = SIZE_MAX,
  };
}

#endif
