/* vm.h -- address space, page by page
 *
 * The level under every allocator: take address space, make parts of it
 * usable, give them back, protect, move and alias them, map files, and ask
 * what any pointer is.  Nothing here allocates blocks: see bump.h and its
 * neighbours.
 *
 * Design    doc/design/vm.md      Tests  test/vm/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_VM_H
#define TENURE_VM_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* Say in one line what a pointer is: discipline, owner, block, live or freed,
 * or which function's frame on which thread's stack.
 *
 *   p       any value, also one that points nowhere
 *   buffer  receives the text, cut to fit, always ended by a NUL
 *   size    bytes of buffer, at least 1
 *   returns the length of the text
 *   threads any, also in a signal handler
 *   cost    a look-up in the page map; for stack addresses an unwinding
 */
TN_API size_t tn_describe(const void *p, char *buffer, size_t size);

TN_END_DECLS
#endif
