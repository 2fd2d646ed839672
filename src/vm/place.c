#include "vm/place.h"

#include "os/os.h"

/* With fewer address bits there is no room for [place.random]. */
#define PLACE_MIN_ADDRESS_BITS 44
#define PLACE_TRIES            8

size_t
tni_place_random(size_t limit, size_t unit)
{
  uint64_t random;
  tni_os_entropy(&random, sizeof random);
  const size_t choices = limit / unit + 1;  // 0 when it wraps: all of them
  return (choices ? (size_t)random % choices : (size_t)random) * unit;
}

#if UINTPTR_MAX > 0xffffffffu
/* Where the next reservation is tried; 0 before the first draw. */
static _Atomic uintptr_t place_next;  // atomic: relaxed, a hint only

/* Below two thirds of the address space, where Linux puts programs, their
 * heap, libraries and stacks; above what programs linked to fixed addresses,
 * and AddressSanitizer's low shadow, use.  ThreadSanitizer knows the regions
 * that Linux chooses and no others. */
static bool
place_try(size_t size, size_t align, void **out)
{
  const unsigned bits = tni_os_get_config()->address_bits;
  if (TNI_HAS_TSAN || bits < PLACE_MIN_ADDRESS_BITS)
    return false;
  const size_t low = (size_t)1 << 40;
  const size_t high = ((size_t)1 << bits) / 3 * 2;
  if (size > (high - low) / 2)
    return false;
  uintptr_t next = tni_load_relaxed(&place_next);
  for (int i = 0; i < PLACE_TRIES; i++) {
    if (next < low || next > high - size - align)
      next = low + tni_place_random(high - low - size - align, TNI_SLICE_SIZE);
    next = tni_round_up(next, align);
    void *const place = tni_pointer(next);
    const tn_status status = tni_os_reserve_at(place, size);
    if (status == TN_OK) {
      tni_store_relaxed(&place_next, next + size);
      *out = place;
      return true;
    }
    if (status != TN_EBUSY)
      return false;
    next = 0;
  }
  return false;
}
#else
static bool
place_try(size_t size, size_t align, void **out)
{
  (void)size, (void)align, (void)out;
  return false;
}
#endif

tn_status
tni_place_reserve(size_t size, size_t align, void **out)
{
  align = tni_max(align, TNI_SLICE_SIZE);
  TN_CHECK(tni_is_aligned(size, TNI_SLICE_SIZE), "place.slice");
  if (place_try(size, align, out))
    return TN_OK;
  return tni_os_reserve(size, align, out);
}
