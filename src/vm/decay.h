/* decay.h -- how much memory to keep over a reset
 *
 * A reset that gives nothing back keeps the memory of one spike for ever; one
 * that gives all back pays the page faults each time.  This keeps what was
 * needed lately: a high-water mark that each reset lowers by an eighth.
 *
 * Invariants
 *   [decay.enough]  what is kept is at least what the last use needed.
 *   [decay.falls]   after a spike the rest goes back within O(log) resets.
 * Threads   the owner of the tni_decay.
 * Cost      a few instructions; a system call only when a whole unit goes.
 * Source    dvui's arenas; the eighth is ours (doc/design/vm.md).
 * Design    doc/design/vm.md      Tests  test/vm/test_decay.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_DECAY_H
#define TNI_DECAY_H

#include "base/base.h"

/* Zero is the state before the first use. */
typedef struct tni_decay {
  size_t high;      // owner: bytes, the decaying mark
  size_t resident;  // owner: bytes that may be resident
} tni_decay;

/* Note a reset of used bytes.
 *
 *   unit    what goes back together: a power of two (the huge page)
 *   returns the bytes to keep, a multiple of unit: give back what lies beyond
 *           them; SIZE_MAX when there is not a whole unit to give back
 */
static inline size_t
tni_decay_reset(tni_decay *decay, size_t used, size_t unit)
{
  decay->high = tni_max(used, decay->high - decay->high / 8);
  decay->resident = tni_max(decay->resident, used);
  const size_t keep = tni_round_up(decay->high, unit);
  TN_CHECK(keep >= used, "decay.enough");
  /* Giving back a unit at a time is what [decay.falls] needs, and spares a
   * system call at most resets. */
  if (decay->resident < keep + unit)
    return SIZE_MAX;
  decay->resident = keep;
  return keep;
}

#endif
