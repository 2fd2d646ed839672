/* mem.h -- the door of the mem layer; all of it is <tenure/mem.h>
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_MEM_H
#define TNI_MEM_H

#include <tenure/mem.h>

#include "base/base.h"

/* [mem.overlap]: size bytes from a and from b have none in common. */
static inline bool
tni_mem_is_apart(const void *a, const void *b, size_t size)
{
  return size == 0 || (tni_address(a) - tni_address(b) >= size &&
                       tni_address(b) - tni_address(a) >= size);
}

#endif
