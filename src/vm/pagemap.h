/* pagemap.h -- from any address to its owner, in a few instructions
 *
 * Two levels over slices of 64 KiB.  An entry of the root stands for 4 GiB: 0
 * (nobody's), an owner that has all of it, or (tagged by bit 0) a leaf with
 * one owner a slice.  A reservation of 4 TiB costs 1,024 root entries.
 *
 *      address  [ 47 .. 32 | 31 .. 16 | 15 .. 0 ]
 *                 root       leaf       within a slice
 *
 * Invariants
 *   [pagemap.canonical]  an address beyond TNI_VM_ADDRESS_BITS is nobody's.
 *   [pagemap.owner]      a slice has at most one owner; set and cleared whole.
 *   [pagemap.leaf]       a leaf, once published, stays for ever.
 *   [pagemap.cost]       find is at most 14 instructions (test_golden.py).
 * Threads   find: any thread and signal handler, no lock.  set and clear: any
 *           thread, one lock.
 * Failure   set: TN_ENOMEM or TN_ERANGE, nothing changed.
 * Cost      find: two loads, two compares.
 * Source    the two-level map of tcmalloc and mimalloc v3; ours keeps whole
 *           4 GiB owners in the root, so that huge reservations cost nothing.
 * Design    doc/design/vm.md      Tests  test/vm/test_pagemap.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PAGEMAP_H
#define TNI_PAGEMAP_H

#include "base/base.h"

#ifndef TNI_VM_ADDRESS_BITS
#if UINTPTR_MAX > 0xffffffffu
#define TNI_VM_ADDRESS_BITS 48
#else
#define TNI_VM_ADDRESS_BITS 32
#endif
#endif

#define TNI_SLICE_LOG2 16
#define TNI_SLICE_SIZE ((size_t)1 << TNI_SLICE_LOG2)
#define TNI_LEAF_LOG2  16  // slices a leaf

/* What an owner's block is, for tn_describe, conservative marking and free. */
typedef struct tni_block_info {
  const void *start;  // of the block that contains the address; when that is
                      // not known, of the bytes that hold all blocks
  size_t size;        // bytes from start; 0 when the owner cannot say
  bool is_known;      // this is the block, and is_live is the truth
  bool is_live;
} tni_block_info;

typedef struct tni_owner tni_owner;

/* The small table of operations that each discipline fills in.  All of them
 * may run in a signal handler. */
typedef struct tni_owner_ops {
  const char *discipline;  // "bump", "array", ...
  tni_block_info (*find_block)(const tni_owner *owner, const void *p);
} tni_owner_ops;

/* The head of every instance that owns address space; kept in memory of ours,
 * aligned to 8, alive until cleared from the map. */
struct tni_owner {
  const tni_owner_ops *ops;  // const
  const char *name;          // const: the instance's; NULL for none
  const void *base;          // const
  size_t size;               // const: bytes
};

/* Say that owner has [base, base + size), both multiples of the slice, size
 * not 0, nobody's so far.  TN_ENOMEM when there is no memory for a leaf
 * (nothing changed), TN_ERANGE beyond the address bits. */
tn_status tni_pagemap_set(const void *base, size_t size,
                          const tni_owner *owner);
/* Make it nobody's again: the same range that was set. */
void tni_pagemap_clear(const void *base, size_t size);

typedef _Atomic(const tni_owner *) tni_pagemap_leaf;  // atomic: acq/rel

#define TNI_PAGEMAP_ROOTS                                                      \
  ((size_t)1 << (TNI_VM_ADDRESS_BITS - TNI_SLICE_LOG2 - TNI_LEAF_LOG2))
/* Hidden, so that position-independent code reads it without a detour. */
extern __attribute__((visibility("hidden"))) _Atomic uintptr_t
    tni_pagemap_root[TNI_PAGEMAP_ROOTS];  // atomic: acq/rel

/* Who owns the slice of p; NULL when it is not ours.  Each step is counted:
 * see [pagemap.cost]. */
static inline const tni_owner *
tni_pagemap_find(const void *p)
{
  const size_t slice = tni_address(p) >> TNI_SLICE_LOG2;
  const size_t high = slice >> TNI_LEAF_LOG2;
  if (high >= TNI_PAGEMAP_ROOTS)
    return NULL;  // as [pagemap.canonical] says
  /* Pairs with the releases in pagemap.c. */
  const uintptr_t root = tni_load_acquire(&tni_pagemap_root[high]);
  if ((root & 1) == 0)
    return tni_pointer(root);
  tni_pagemap_leaf *const leaf = tni_pointer(root - 1);
  return tni_load_acquire(&leaf[slice & (((size_t)1 << TNI_LEAF_LOG2) - 1)]);
}

#endif
