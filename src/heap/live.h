/* live.h -- which blocks are live, exactly (TN_HARDEN or TN_DEBUG from 1)
 *
 * One bit for each eight bytes of a space, set where a live block starts.  Free
 * clears it and sees whether it was set, in one step: an interior pointer, a
 * second free, also by two threads at once, and a stale pointer whose block
 * was not given out again are told with certainty.
 *
 * Threads   any.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_LIVE_H
#define TNI_HEAP_LIVE_H

#include "heap/space.h"

/* The block at p was given to the program. */
static inline void
tni_live_set(const tni_heap_space *space, const void *p)
{
  if (TNI_HEAP_CHECKED)
    (void)tni_atomic_bit_set(space->live,
                             (tni_address(p) - tni_address(space->base)) >> 3);
}

/* It is freed; false when no live block starts at p. */
static inline bool
tni_live_clear(const tni_heap_space *space, const void *p)
{
  if (!TNI_HEAP_CHECKED)
    return true;
  const size_t offset = tni_address(p) - tni_address(space->base);
  return (offset & 7) == 0 && tni_atomic_bit_clear(space->live, offset >> 3);
}

/* The same for blocks of the first space. */
static inline void
tni_live_set_fast(const void *p)
{
  const size_t offset = tni_address(p) - tni_address(tni_heap_map.base);
  if (TN_UNLIKELY(offset >= tni_load_relaxed(&tni_heap_map.size)))
    tni_live_set(tni_slices_find(p), p);
  else
    (void)tni_atomic_bit_set(tni_heap_map.live, offset >> 3);
}

static inline bool
tni_live_clear_fast(const void *p)
{
  const size_t offset = tni_address(p) - tni_address(tni_heap_map.base);
  return (offset & 7) == 0 &&
         tni_atomic_bit_clear(tni_heap_map.live, offset >> 3);
}

/* Whether a live block starts at p. */
static inline bool
tni_live_is(const tni_heap_space *space, const void *p)
{
  if (!TNI_HEAP_CHECKED)
    return true;
  const size_t offset = tni_address(p) - tni_address(space->base);
  return (offset & 7) == 0 &&
         (tni_load_relaxed(&space->live[offset >> 9]) >> (offset >> 3) % 64 &
          1) != 0;
}

#endif
