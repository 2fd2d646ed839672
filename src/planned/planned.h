/* planned.h -- the door of the planned layer
 *
 * Everything public is in <tenure/planned.h>; this adds what checks need.
 *
 * Design    doc/design/planned.md      Tests  test/planned/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLANNED_H
#define TNI_PLANNED_H

#include <tenure/planned.h>

#include "base/base.h"

/* Do the counters agree with the table of live blocks?  O(pushes). */
bool tni_planned_is_valid(const tn_planned *p);

#endif
