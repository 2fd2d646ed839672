/* vm.h -- address space: reservations, commit policy, the page map
 *
 * The door of the vm layer.  The public half (single calls on pages, files,
 * tn_describe) is <tenure/vm.h>; this is what disciplines build on.
 *
 * A region is one reservation with a part of it usable, growing in one
 * direction.  It knows how its pages come: asked for (commit), on touch
 * (lazy), or through the fault handler.
 *
 *   growing down (bump):   base |guard|......free......|== usable ==| end
 *   growing up   (array):  base |== usable ==|......free......|guard| end
 *
 * Threads   one owner a region; the page map may be read by anyone at any
 *           time, also in a signal handler.
 * Design    doc/design/vm.md      Tests  test/vm/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_VM_H
#define TNI_VM_H

#include <tenure/vm.h>

#include "base/base.h"
#include "vm/decay.h"
#include "vm/meta.h"
#include "vm/pagemap.h"
#include "vm/place.h"
#include "vm/reclaim.h"
#include "vm/region.h"
#include "vm/registry.h"

/* A broken contract: a line and the end, or TN_EINVAL where checks are off. */
#define TNI_VM_REQUIRE(cond, tag, text)                                        \
  do {                                                                         \
    TN_REQUIRE(cond, tag, text);                                               \
    if (TN_UNLIKELY(!(cond)))                                                  \
      return TN_EINVAL;                                                        \
  } while (0)

#endif
