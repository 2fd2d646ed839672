/* region.h -- one reservation whose usable part grows in one direction
 *
 *   grows down:  |guard ........|low ... free ...|== usable ==|high| page |
 *   grows up:    | page |low|== usable ==|... free ...|high|....... guard |
 *
 * A reservation of 4 GiB or more is rounded up to 4 GiB and aligned to it, so
 * that the page map needs only root entries; what rounding adds goes to a
 * random place on both sides of [low, high).
 *
 * Invariants
 *   [region.bounds]  reserved < low <= high < reserved + reserved_size, all
 *                    page-aligned; the guard is never usable.
 *   [region.usable]  usable <= high - low; those bytes may be touched.
 *   [region.policy]  how pages come never changes after creation.
 *   [region.refused]  a touch that the system has no memory for stops the
 *                    program with a line.
 * Threads   one owner; with TNI_COMMIT_FAULT the handler grows it from any
 *           thread's touch, which is why `usable` is atomic.
 * Failure   a status, nothing changed.
 * Design    doc/design/vm.md      Tests  test/vm/test_region.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_REGION_H
#define TNI_REGION_H

#include "base/base.h"
#include "vm/decay.h"
#include "vm/pagemap.h"

typedef enum tni_commit {
  TNI_COMMIT_ASK,    // tni_region_ensure asks the system: failure is a value
  TNI_COMMIT_TOUCH,  // all of it is usable at once; pages come when touched
  TNI_COMMIT_FAULT,  // RESERVED until touched; our fault handler commits steps
} tni_commit;

typedef struct tni_region_options {
  size_t size;     // usable bytes at most; rounded up to pages
  size_t guard;    // bytes never usable beyond the growing end (and at
                   // least a page at the other)
  size_t initial;  // bytes usable from the start
  tni_commit commit;
  bool grows_down;
  bool is_huge;  // ask for huge pages, but for the first; steps are multiples
  const tni_owner_ops *ops;  // who it is in the page map
  const char *name;          // the instance's, for messages; NULL for none
  /* The owner's word on a touch of a guard: writes one line and stops.
   * NULL: a general line.  Runs in the signal handler. */
  void (*on_overflow)(const tni_owner *owner, const void *address);
} tni_region_options;

typedef struct tni_region {
  tni_owner owner;         // first: what the page map points to
  tni_region_options how;  // const
  unsigned char *low;      // const: first byte that may become usable
  unsigned char *high;     // const: one past the last
  void *reserved;          // const: start of the reservation
  size_t reserved_size;    // const: bytes
  _Atomic size_t usable;   // atomic: bytes usable now, from high when growing
                           // down, from low when up
  tni_decay decay;         // owner: what a reset keeps
} tni_region;

/* Reserve and register; the record is a meta block.  NULL and *status when it
 * cannot be had.  Faults are watched unless the policy is TNI_COMMIT_ASK. */
tni_region *tni_region_create(const tni_region_options *options,
                              tn_status *status);
/* Give all of it back.  What the owner has poisoned (base/annotate.h) it gives
 * before: whoever gets these addresses next must not meet the poison, and only
 * the owner knows how far it reaches. */
void tni_region_destroy(tni_region *region);

/* Make at least bytes usable, growing in steps (as much as there is, from 1
 * MiB, or 2 MiB when huge, to 64 MiB; what was asked when a step is refused).
 * TN_ENOMEM: the system refuses, also after the reclaim hook; TN_ERANGE: more
 * than the region's size. */
tn_status tni_region_ensure(tni_region *region, size_t bytes);

/* Give pages beyond the first bytes back; they stay reserved, and usable where
 * pages come on touch.  Huge regions keep whole huge pages. */
tn_status tni_region_shrink(tni_region *region, size_t bytes);

/* Note a reset of a region of which used bytes were in use, and give back what
 * lies beyond its decaying high-water mark (decay.h). */
void tni_region_reset(tni_region *region, size_t used);

bool tni_region_is_valid(const tni_region *region);

#endif
