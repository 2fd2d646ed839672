/* array.h -- the door of the array layer; all of it is <tenure/array.h>
 *
 * Design  doc/design/array.md
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_ARRAY_H
#define TNI_ARRAY_H

#include <tenure/array.h>

#include "base/base.h"

#endif
