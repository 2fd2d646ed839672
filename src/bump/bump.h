/* bump.h -- what the files of the bump layer share
 *
 * The public half is <tenure/bump.h> and <tenure/checked.h>, where the hot
 * paths are.  Here are the regions behind them.
 *
 * Invariants
 *   [bump.region]  the byte below the cursor of a tn_bump that we created, or
 *                  of a scope of it, lies in its reservation: the page map
 *                  finds the region from the cursor alone.
 * Design    doc/design/bump.md      Tests  test/bump/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_BUMP_H
#define TNI_BUMP_H

#include <tenure/bump.h>

#include "base/base.h"
#include "vm/vm.h"

/* p without its const, where it points to a record that we may write to. */
static inline void *
tni_bump_writable(const void *p)
{
  void *writable;
  memcpy(&writable, &p, sizeof writable);
  return writable;
}

/* The region that cursor is in; NULL when it is in memory not ours. */
tni_region *tni_bump_region(const void *cursor);

/* What "" or "name" to call a region in a message. */
const char *tni_bump_name(const tni_region *region);

typedef struct tni_bump_request {
  const char *name;
  size_t size;  // bytes; 0: the budget
  size_t guard;
  tni_commit commit;
  bool avoid_huge;
  bool has_zones;  // up to half of it goes to red zones: twice the size
} tni_bump_request;

/* Reserve a region that grows down, of at most the budget. */
tni_region *tni_bump_reserve(const tni_bump_request *request,
                             tn_status *status);

#endif
