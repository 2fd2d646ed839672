/* source.h -- providers that stand on nothing else
 *
 * tn_fixed hands out blocks of a buffer, from its start to its end, and takes
 * none back; only the last block may change its size.  It is the smallest
 * provider: for a container in static memory see also bump.h and arena.h.
 *
 *     begin | block | block | last block | ..... free ..... | end
 *                                       cursor
 *
 * Invariants
 *   [source.order]  last <= cursor <= end.
 * Threads   the owner only.
 * Failure   as a provider: NULL, 0.
 * Cost      O(1), no system call.
 * Design    doc/design/provider.md      Tests  test/provider/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_SOURCE_H
#define TENURE_SOURCE_H

#include <tenure/provider.h>

TN_BEGIN_DECLS

typedef struct tn_fixed {
  tn_provider provider;   // const
  unsigned char *cursor;  // owner: first free byte
  unsigned char *last;    // owner: the last block; == cursor when none
  unsigned char *end;     // const
} tn_fixed;

/* Hand out blocks of buffer from now on.  Calling it again takes everything
 * back.
 *
 *   buffer  stays the caller's, and must outlive the blocks
 *   size    bytes; 0 is a provider that never has room
 *   threads the owner of fixed only
 *   cost    O(1)
 */
TN_API void tn_fixed_init(tn_fixed *fixed, void *buffer, size_t size);

TN_END_DECLS
#endif
