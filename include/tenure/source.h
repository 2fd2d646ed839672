/* source.h -- providers that stand on nothing else
 *
 * tn_fixed hands out blocks of a buffer, from its start to its end, and takes
 * none back; only the last block may change its size.
 *
 *     | block | block | last block | ..... free ..... | end
 *                     last       cursor
 *
 * tn_reserved is address space for one block, which grows in it and so never
 * moves: what a growable array of any size wants.
 *
 *     low | block, usable ==> | ............ reserved ............ | high
 *
 * Neither is for many small blocks: see bump.h, arena.h, pool.h.
 *
 * Invariants
 *   [source.order]  last <= cursor <= end.
 *   [source.still]  the block of a tn_reserved never moves.
 * Threads   the owner only.
 * Failure   as a provider: NULL, 0.  A tn_reserved whose pages come on touch
 *           (the default) has no failure to report: a touch that the machine
 *           cannot serve ends the process.  With `asks` it has.
 * Cost      tn_fixed: O(1), no system call.  tn_reserved: create and destroy
 *           are a few system calls, allocate and resize none (with `asks`: one
 *           a step, and steps double).
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

typedef struct tn_reserved {
  tn_provider provider;       // const
  struct tni_region *region;  // const
  bool is_taken;              // owner: the block is handed out
} tn_reserved;

typedef struct tn_reserved_options {
  size_t size;       // bytes at most; 0: as much as there may be memory, or as
                     // much of that as there is address space
  bool asks;         // memory is asked for step by step: running out is a value
  const char *name;  // for messages; NULL for none
} tn_reserved_options;

/* Reserve address space.
 *
 *   options NULL for all zero.  From 2 MiB into the block on, huge pages are
 *           asked for.
 *   errors  TN_ENOMEM no such address space, TN_ERANGE nor ever
 *   threads any
 *   cost    a few system calls
 */
TN_API tn_status tn_reserved_create(tn_reserved *reserved,
                                    const tn_reserved_options *options);

/* Give the address space back, and the block in it.
 *
 *   threads the owner of reserved only
 *   cost    a few system calls
 */
TN_API void tn_reserved_destroy(tn_reserved *reserved);

TN_END_DECLS
#endif
