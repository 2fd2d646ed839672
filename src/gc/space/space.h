/* space.h -- the door of gc/space: where objects may lie
 *
 * Policies over blocks and pages that collectors are put together from.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_SPACE_H
#define TNI_GC_SPACE_H

#include "gc/space/cells.h"
#include "gc/space/inplace.h"
#include "gc/space/large.h"
#include "gc/space/linear.h"
#include "gc/space/lines.h"
#include "gc/space/markregion.h"

#endif
