/* provider.h -- the one interface between disciplines
 *
 * A provider is "any allocator": a discipline that refills from another, or a
 * container that takes whichever allocator it is given, calls these three
 * functions, through tn_allocate, tn_release and tn_resize.  Hot paths never
 * do: they are inline in the discipline's own header.  Providers that stand on
 * nothing (a buffer, a reservation) are in source.h.
 *
 * Invariants (each discipline's provider passes test/provider/conform.h)
 *   [provider.align]   a block is aligned as asked, and to TN_ALIGN at least.
 *   [provider.grant]   granted >= size asked; all granted bytes may be used.
 *   [provider.zero]    zeroed means every granted byte is 0.
 *   [provider.same]    a failed call has changed nothing.
 *   [provider.live]    live blocks never overlap.
 * Contracts
 *   [provider.size]    nobody asks for 0 bytes.
 * Threads   as the discipline says; TN_PROVIDER_THREADS when any may call.
 * Failure   pointer NULL (allocate), 0 (resize).
 * Design    doc/design/provider.md      Tests  test/provider/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_PROVIDER_H
#define TENURE_PROVIDER_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* What allocate answers. */
typedef struct tn_block {
  void *pointer;   // NULL when out of memory
  size_t granted;  // bytes that may be used, at least what was asked
  bool zeroed;     // every granted byte is known to be 0
} tn_block;

enum {
  TN_PROVIDER_FREE = 1 << 0,     // free gives single blocks back, any order
  TN_PROVIDER_RESIZE = 1 << 1,   // resize can succeed
  TN_PROVIDER_THREADS = 1 << 2,  // any thread may call at any time
};

typedef struct tn_provider tn_provider;
struct tn_provider {
  /* size >= 1 bytes; align a power of two. */
  tn_block (*allocate)(tn_provider *provider, size_t size, size_t align);
  /* pointer, and the size and align it was asked or last resized with (any
   * size from asked to granted is right).  Only with TN_PROVIDER_FREE, and
   * may be NULL otherwise. */
  void (*free)(tn_provider *provider, void *pointer, size_t size, size_t align);
  /* Grow or shrink in place.  Returns the new granted size, at least new_size;
   * 0 when the block cannot have it where it is (then nothing changed).  Only
   * with TN_PROVIDER_RESIZE, and may be NULL otherwise. */
  size_t (*resize)(tn_provider *provider, void *pointer, size_t size,
                   size_t new_size, size_t align);
  unsigned capabilities;  // const: TN_PROVIDER_*
  const char *name;       // const: for messages
};

/* Allocate size bytes aligned to align from any provider.
 *
 *   size    bytes, at least 1
 *   align   a power of two
 *   returns the block; pointer NULL when the provider has no room
 *   threads as the provider
 *   cost    an indirect call, and the provider's
 */
TN_INLINE tn_block
tn_allocate(tn_provider *provider, size_t size, size_t align)
{
  TN_REQUIRE(size > 0, "provider.size", "a request for 0 bytes");
  TN_REQUIRE(tn_is_power_of_two(align), "provider.align",
             "alignment is not a power of two");
  TNI_ALLOCATES(NULL);
  return provider->allocate(provider, size, align);
}

/* Give a block back; nothing happens when the provider cannot free.
 *
 *   size, align  as asked; any size from the one asked to the one granted
 *   threads as the provider
 *   cost    an indirect call, and the provider's
 */
TN_INLINE void
tn_release(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  if (provider->capabilities & TN_PROVIDER_FREE)
    provider->free(provider, pointer, size, align);
}

/* Make a block larger or smaller where it is.
 *
 *   size, align  as for tn_release
 *   new_size     bytes, at least 1
 *   returns bytes granted, at least new_size; 0 when the block cannot have
 *           that where it is (then nothing has changed)
 *   threads as the provider
 *   cost    an indirect call, and the provider's
 */
TN_INLINE size_t
tn_resize(tn_provider *provider, void *pointer, size_t size, size_t new_size,
          size_t align)
{
  TN_REQUIRE(new_size > 0, "provider.size", "a request for 0 bytes");
  if (new_size > size)
    TNI_ALLOCATES(NULL);
  if (!(provider->capabilities & TN_PROVIDER_RESIZE))
    return 0;
  return provider->resize(provider, pointer, size, new_size, align);
}

TN_END_DECLS
#endif
