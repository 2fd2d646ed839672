/* base.h -- the door of the lowest layer
 *
 * Compiler and CPU differences, bits, checks, atomics, formatting without
 * libc, lists, bitmaps, annotations for ASan and valgrind.  Nothing here asks
 * the operating system; the one upward link is tni_fatal, which os defines.
 *
 * Tests  test/base/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_BASE_H
#define TNI_BASE_H

#include <tenure/base.h>

#include "base/annotate.h"
#include "base/atomic.h"
#include "base/bits.h"
#include "base/chance.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/format.h"
#include "base/proto.h"

#endif
