/* registry.h -- owners of blocks inside memory that is not ours
 *
 * A caller's buffer and a mapped file do not lie in slices of ours, so the
 * page map cannot name them.  They are listed here, for tn_describe.  It is
 * not for hot paths: look in the page map first.
 *
 * Invariants
 *   [registry.nodes]  a node, once published, stays in the list for ever; only
 *                     its owner changes.
 * Threads   find: any thread and signal handler, no lock.  add and remove: any
 *           thread, one lock.
 * Failure   TN_ENOMEM, nothing changed.
 * Cost      find and remove: O(most entries there ever were at once).
 * Design    doc/design/vm.md      Tests  test/vm/test_registry.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_REGISTRY_H
#define TNI_REGISTRY_H

#include "base/base.h"
#include "vm/pagemap.h"

/* List owner, whose base and size say where.  Ranges may nest. */
tn_status tni_registry_add(const tni_owner *owner);
/* Strike owner out; nothing happens when it is not listed. */
void tni_registry_remove(const tni_owner *owner);
/* The owner of the smallest range that holds p, or NULL. */
const tni_owner *tni_registry_find(const void *p);

#endif
