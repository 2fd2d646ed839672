#include "vm/pagemap.h"

#include "os/os.h"

_Atomic uintptr_t tni_pagemap_root[TNI_PAGEMAP_ROOTS];

static tni_os_lock pagemap_lock = {.rank = TNI_RANK_PAGEMAP};

#define PAGEMAP_LEAF_SLICES ((size_t)1 << TNI_LEAF_LOG2)
#define PAGEMAP_LEAF_BYTES  (PAGEMAP_LEAF_SLICES * sizeof(tni_pagemap_leaf))

/* The part of a range that one root entry stands for. */
typedef struct pagemap_part {
  _Atomic uintptr_t *root;
  size_t first;  // slice within the leaf
  size_t count;  // slices, at least 1
} pagemap_part;

/* The part of [first, end) (slices) that begins at first. */
static pagemap_part
pagemap_part_at(size_t first, size_t end)
{
  const size_t within = first & (PAGEMAP_LEAF_SLICES - 1);
  return (pagemap_part){&tni_pagemap_root[first >> TNI_LEAF_LOG2], within,
                        tni_min(PAGEMAP_LEAF_SLICES - within, end - first)};
}

/* Publish an empty leaf, for good ([pagemap.leaf]), in a root entry that is
 * nobody's. */
static bool
pagemap_add_leaf(_Atomic uintptr_t *root)
{
  void *leaf;
  const size_t size =
      tni_round_up(PAGEMAP_LEAF_BYTES, tni_os_get_config()->page_size);
  if (tni_os_reserve(size, 1, &leaf) != TN_OK)
    return false;
  if (tni_os_commit(leaf, size) != TN_OK) {
    (void)tni_os_release(leaf, size);
    return false;
  }
  /* Pairs with the acquire in tni_pagemap_find: the leaf is seen as zero. */
  tni_store_release(root, tni_address(leaf) | 1);
  return true;
}

/* Make sure that each part of the range can be stored without failing. */
static bool
pagemap_prepare(size_t first, size_t end)
{
  while (first < end) {
    const pagemap_part part = pagemap_part_at(first, end);
    const uintptr_t root = tni_load_relaxed(part.root);
    TN_CHECK(root == 0 || (root & 1) != 0, "pagemap.owner");
    if (root == 0 && part.count < PAGEMAP_LEAF_SLICES &&
        !pagemap_add_leaf(part.root))
      return false;
    first += part.count;
  }
  return true;
}

/* Give a range that was prepared, or set before, to owner (NULL: nobody). */
static void
pagemap_store(size_t first, size_t end, const tni_owner *owner)
{
  while (first < end) {
    const pagemap_part part = pagemap_part_at(first, end);
    const uintptr_t root = tni_load_relaxed(part.root);
    first += part.count;
    /* Both releases pair with the acquires in tni_pagemap_find: the owner's
     * fields are seen complete. */
    if ((root & 1) == 0) {
      TN_CHECK(part.count == PAGEMAP_LEAF_SLICES, "pagemap.owner");
      tni_store_release(part.root, tni_address(owner));
      continue;
    }
    tni_pagemap_leaf *const leaf = tni_pointer(root - 1);
    for (size_t i = part.first; i < part.first + part.count; i++) {
      TN_CHECK((tni_load_relaxed(&leaf[i]) == NULL) == (owner != NULL),
               "pagemap.owner");
      tni_store_release(&leaf[i], owner);
    }
  }
}

tn_status
tni_pagemap_set(const void *base, size_t size, const tni_owner *owner)
{
  const uintptr_t start = tni_address(base);
  uintptr_t last;
  TN_CHECK(size > 0 && tni_is_aligned(start | size, TNI_SLICE_SIZE),
           "pagemap.owner");
  if (!tn_size_add(start, size - 1, &last) ||
      last >> (TNI_VM_ADDRESS_BITS - 1) > 1)
    return TN_ERANGE;  // as [pagemap.canonical] says
  const size_t first = start >> TNI_SLICE_LOG2;
  const size_t end = (last >> TNI_SLICE_LOG2) + 1;
  tni_os_fork_lock(&pagemap_lock);
  tni_os_lock_acquire(&pagemap_lock);
  const bool is_ready = pagemap_prepare(first, end);
  if (is_ready)
    pagemap_store(first, end, owner);
  tni_os_lock_release(&pagemap_lock);
  return is_ready ? TN_OK : TN_ENOMEM;
}

void
tni_pagemap_clear(const void *base, size_t size)
{
  const size_t first = tni_address(base) >> TNI_SLICE_LOG2;
  tni_os_lock_acquire(&pagemap_lock);
  pagemap_store(first, first + (size >> TNI_SLICE_LOG2), NULL);
  tni_os_lock_release(&pagemap_lock);
}
