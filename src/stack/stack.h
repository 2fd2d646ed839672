/* stack.h -- the door of the stack layer
 *
 * All of it is <tenure/stack.h> and <tenure/stack_pool.h>.
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_STACK_H
#define TNI_STACK_H

#include <tenure/stack.h>

#include "base/base.h"
#include "vm/vm.h"

/* [stack.order] and what else the fields say of one another. */
bool tni_stack_is_valid(const tn_stack *s);

/* Whether a child in frame is not joined, against [stack.child]: a line and the
 * end where checks are on. */
bool tni_stack_has_live_child(const tn_stack *s, const tn_frame *frame);

/* Annotations where each block is given by tni_stack_alloc; the inline half of
 * tn_stack_alloc, in release builds, gives none. */
static inline void
tni_stack_give(const void *p, size_t size)
{
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
    tni_annotate_give(p, size);
}

static inline void
tni_stack_take(const void *p, size_t size)
{
  if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
    tni_annotate_take(p, size);
}

#endif
