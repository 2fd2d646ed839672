#include "heap/remote.h"

/* Sequentially consistent steps: each orders a store before a later load of
 * something else, which no weaker order does. */
#define REMOTE_SEQ memory_order_seq_cst

/* The link in a freed block: the number of the next one, from 1; hardened
 * builds hide it, so that who writes to a freed block cannot choose it. */
static uint32_t
remote_hide(const tni_heap_page *page, uint32_t link)
{
  return TN_HARDEN >= 2 ? link ^ page->key : link;
}

bool
tni_remote_free(tni_heap_page *page, size_t offset)
{
  const uint32_t index = tni_page_index(page, offset);
  if (index * page->size != offset || index >= page->blocks)
    return false;
  tni_heap_local *const owner = page->owner;
  uint32_t *const link = (uint32_t *)(void *)(tni_page_start(page) + offset);
  uint32_t list = tni_load_relaxed(&page->remote);
  tni_annotate_give(link, sizeof *link);
  /* [remote.touch]: the last touch unless the list was empty. */
  do
    *link = remote_hide(page, list);
  while (!atomic_compare_exchange_weak_explicit(&page->remote, &list, index + 1,
                                                memory_order_acq_rel,
                                                memory_order_relaxed));  // R1
  if (list != 0)  // R2: [remote.noted]
    return true;
  tni_heap_page *first = tni_load_relaxed(&owner->noted);
  do
    page->noted_next = first;
  while (!atomic_compare_exchange_weak_explicit(
      &owner->noted, &first, page, REMOTE_SEQ, memory_order_relaxed));    // R3
  if (atomic_load_explicit(&owner->state, REMOTE_SEQ) != TNI_LOCAL_IDLE)  // R4
    return true;
  tni_heap_lock();  // R5: [remote.idle]
  if (tni_load_relaxed(&owner->state) == TNI_LOCAL_IDLE)
    tni_remote_collect(owner);
  tni_heap_unlock();
  return true;
}

/* Set the bits of a page's list: C2 and C3. */
static void
remote_take_in(tni_heap_page *page)
{
  unsigned char *const start = tni_page_start(page);
  uint32_t link = atomic_exchange_explicit(&page->remote, 0,
                                           memory_order_acq_rel);  // C2
  while (link != 0) {
    const size_t offset = (size_t)(link - 1) * page->size;
    if (link > page->blocks)
      tn_contract_broken("heap.block", "a freed block was written to", __FILE__,
                         __LINE__);
    link = remote_hide(page, *(const uint32_t *)(const void *)(start + offset));
    tni_annotate_take(start + offset, sizeof link);
    if (!tni_page_put(page, offset))
      tn_contract_broken("heap.block",
                         "a block was freed twice, once by "
                         "another thread than its page's",
                         __FILE__, __LINE__);
  }
}

void
tni_remote_collect(tni_heap_local *local)
{
  if (!atomic_load_explicit(&local->noted, REMOTE_SEQ))
    return;
  tni_heap_page *page =
      atomic_exchange_explicit(&local->noted, NULL, REMOTE_SEQ);  // C1
  while (page) {
    /* Read before C2, after which the page may be noted again. */
    tni_heap_page *const next = page->noted_next;
    remote_take_in(page);
    tni_local_settle(local, page);
    page = next;
  }
}

void
tni_remote_leave(tni_heap_local *local)
{
  atomic_store_explicit(&local->state, TNI_LOCAL_IDLE, REMOTE_SEQ);  // G1
  tni_remote_collect(local);                                         // G2
}
