/* reclaim.h -- one more try when memory runs out
 *
 * tn_vm_set_reclaim registers the program's hook; whoever is refused memory
 * calls tni_reclaim once and, when it says true, tries once more.
 *
 * Invariants
 *   [reclaim.once]  the hook never runs while it runs: a refusal meanwhile, on
 *                   any thread, fails at once.  So it cannot recurse, and
 *                   nobody waits for it with a lock in hand.
 * Threads   any.
 * Design    doc/design/vm.md      Tests  test/vm/test_region.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECLAIM_H
#define TNI_RECLAIM_H

#include "base/base.h"

/* Ask the program to give back bytes of memory; true: try again. */
bool tni_reclaim(size_t bytes);

#endif
