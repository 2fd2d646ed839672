/* space.h -- slices of address space, and a record for each
 *
 * A space is one contiguous range cut into slices.  Runs of slices are taken
 * for pages of small blocks and for large blocks, and given back; free runs
 * coalesce with their neighbours.  A run is clean (its memory is zero and not
 * resident) or dirty; purging turns dirty runs into clean ones.
 *
 *     base                   first                  frontier      reserved
 *      | map | records | bits | slices in use or free | not used yet ... |
 *
 * The first space is as large as the machine lets us reserve, so that a block
 * is told from anything else by one subtraction and one load: tni_heap_map.
 * Where address space is short there are several small ones.
 *
 * Invariants
 *   [space.run]    the first and the last record of a free run know its length;
 *                  two free runs of one kind are never neighbours.
 *   [space.clean]  a clean run reads as zero.
 *   [space.map]    the map's byte of a slice is the class of the page there
 *                  when it belongs to the process's heap, and 0 otherwise.
 * Threads   any; one lock for all spaces (tni_slices_lock).
 * Failure   NULL, nothing changed.
 * Cost      take and give: O(1), some fifty instructions.
 * Design    doc/design/heap.md      Tests  test/heap/test_space.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_HEAP_SPACE_H
#define TNI_HEAP_SPACE_H

#include <tenure/heap.h>

#include "base/base.h"
#include "vm/vm.h"

typedef struct tni_heap_page tni_heap_page;
typedef struct tni_heap_space tni_heap_space;
typedef struct tni_heap_local tni_heap_local;

typedef enum tni_page_kind {
  TNI_PAGE_NONE,   // inside a run, or never used
  TNI_PAGE_FREE,   // the first or last slice of a free run
  TNI_PAGE_SMALL,  // the first slice of a page of small blocks
  TNI_PAGE_INNER,  // another slice of such a page
  TNI_PAGE_LARGE,  // the first or last slice of a large block
  TNI_PAGE_BUSY,   // the first or last slice of a run that is being purged, or
                   // is about to be given back
} tni_page_kind;

/* The record of a slice.  That of a run's first slice speaks for the run. */
struct tni_heap_page {
  /* ---- of every run; lock, and const while in use ---- */
  _Atomic uint8_t kind;  // atomic: relaxed: neighbours look at it
  uint8_t size_class;    // 0: large
  union {
    uint8_t is_dirty;  // free run: holds memory
    uint8_t fits;      // owner: of a host: no more free units lie in a row
  };
  union {
    uint8_t is_moved;         // large: remapped, so a mapping of its own
    _Atomic uint8_t is_host;  // atomic: relaxed: owner writes: host.h
  };
  uint32_t back;    // slices back to the run's first
  uint32_t slices;  // of the run
  uint32_t clean;   // owner: a bit for each sixteenth of this slice that is
                    // known to be zero and not resident
  tni_heap_space *space;  // const while in use
  tni_heap_page *next;    // bin of free runs; list of pages with free blocks
  tni_heap_page *prev;
  tni_heap_page *all_next;  // all pages of a handle; all large of a heap
  tni_heap_page *all_prev;
  /* ---- small; large uses size and heap ---- */
  tni_heap_local *owner;      // const while in use
  tn_heap *heap;              // const while in use
  uint64_t *bits;             // const while in use: owner: free blocks
  size_t size;                // large: bytes granted; small: bytes of a block
  uint64_t reciprocal;        // const while in use: 2^40 / size, rounded up
  uint32_t blocks;            // const while in use
  uint32_t free;              // owner: bits that are set
  uint16_t hint;              // owner: no word below has a bit
  uint16_t scanned;           // owner: what free was when holes were purged
  uint32_t age;               // owner: the tick in which it last gave a block
  tni_heap_page *noted_next;  // remote.h
  _Atomic uint32_t remote;    // atomic: remote.h: number of the first block
                              // that others freed, from 1
  uint16_t key;               // const while in use: hides links (remote.c)
  uint8_t is_listed;          // owner: in the list of its class
  uint8_t is_sampled;         // const while in use: shim's profile
};
_Static_assert(sizeof(void *) < 8 || sizeof(tni_heap_page) == 128,
               "a record is two cache lines");

/* What a record says that it is; see tni_page_kind. */
static inline tni_page_kind
tni_page_kind_of(const tni_heap_page *page)
{
  return (tni_page_kind)tni_load_relaxed(&page->kind);
}

static inline void
tni_page_set_kind(tni_heap_page *page, tni_page_kind kind)
{
  tni_store_relaxed(&page->kind, (uint8_t)kind);
}

#define TNI_BLOCK_MIN_LOG2  4u  // no block is smaller than 16 bytes
#define TNI_SPACE_BINS      24
#define TNI_HEAP_SLICE_LOG2 16u  // of the shared spaces

struct tni_heap_space {
  tni_owner owner;          // first: what the page map points to
  unsigned char *base;      // const
  size_t count;             // const: slices from base
  size_t first;             // const: the first that can be taken
  _Atomic size_t frontier;  // lock, atomic: relaxed: slices from here were
                            // never taken
  size_t committed;         // lock: data of the slices below may be touched
  size_t described;         // lock: records of the slices below may be touched
  size_t used;              // lock: slices in use
  size_t dirty;             // lock: slices in dirty runs
  unsigned slice_log2;      // const
  unsigned words_log2;      // const: of 64 bits in the bits of a slice
  bool is_ours;             // const: from the system, so it can be purged
  tni_heap_page *pages;     // const: by slice
  uint64_t *bits;           // const: by slice
  _Atomic uint64_t *live;   // const: one bit for 8 bytes; TNI_HEAP_CHECKED
  uint32_t filled[2];       // lock: bins that are not empty
  tni_heap_page *bin[2][TNI_SPACE_BINS];  // lock: clean, dirty; by log2
  tni_heap_space *next;                   // lock
  tn_heap *heap;          // const: whose it is; NULL: shared by all
  tn_provider *provider;  // const: where it is from
  tn_block block;         // const
};

/* What the fast path of free knows of the first space. */
typedef struct tni_heap_map_head {
  unsigned char *base;     // const once size is not 0: the map, a byte a slice
  _Atomic size_t size;     // atomic: release, relaxed: bytes of the space
  tni_heap_space *space;   // const once size is not 0
  _Atomic uint64_t *live;  // the same: the space's
} tni_heap_map_head;
extern __attribute__((visibility("hidden"))) tni_heap_map_head tni_heap_map;

/* Every block is marked live or not, exactly. */
#define TNI_HEAP_CHECKED (TN_HARDEN >= 1 || TN_DEBUG >= 1)

void tni_slices_lock(void);
void tni_slices_unlock(void);

/* The first of the shared spaces; NULL before any. lock. */
tni_heap_space *tni_slices_first(void);

/* A run of slices, at least 1, aligned to align slices (a power of two).  heap
 * NULL: from the shared spaces, growing them.  Takes the lock.  *is_clean: it
 * reads as zero.  prefer_clean: rather a clean one. */
tni_heap_page *tni_slices_take(tni_heap_space *spaces, size_t slices,
                               size_t align, bool prefer_clean, bool *is_clean);
/* Give back a part of a run: slices from page on; whether it may hold memory.
 * Takes the lock. */
void tni_slices_give(tni_heap_space *space, tni_heap_page *page, size_t slices,
                     bool is_dirty);
/* Give back a whole run of which only the first `used` slices hold memory. */
void tni_slices_give_two(tni_heap_space *space, tni_heap_page *page,
                         size_t used, size_t clean, bool is_dirty);
/* The same when the memory of those slices cannot be touched: they wait until
 * the system lets them be. */
void tni_slices_give_reserved(tni_heap_space *space, tni_heap_page *page,
                              size_t used, size_t clean);
/* Give back all but the first `keep` slices of a large run; those from `used`
 * on are clean. */
void tni_slices_trim(tni_heap_space *space, tni_heap_page *page, size_t keep,
                     size_t used);
/* Take the free slices right after a run; false when they are not free. */
bool tni_slices_extend(tni_heap_space *space, tni_heap_page *page, size_t more,
                       bool *is_clean);

/* Make a space over memory that somebody gave (aligned to 16), with slices of
 * 1 << slice_log2; its record is within.  NULL: too small. */
tni_heap_space *tni_slices_in(void *memory, size_t size, unsigned slice_log2,
                              const tni_owner_ops *ops, const char *name);

/* A space of size bytes of the system's; NULL when it cannot be had.  space is
 * its record, all zero. */
tni_heap_space *tni_slices_reserve(tni_heap_space *space, size_t size);
/* Let the slices below end be used; lock. */
bool tni_slices_commit(tni_heap_space *space, size_t end);

/* Purge at most bytes of dirty runs; how many were. */
size_t tni_slices_purge(size_t bytes);
/* Bytes to purge now: a part of the least that was dirty since the last time
 * that this was not 0, which was tick_ns ago at least. */
size_t tni_slices_surplus(uint64_t now_ns, uint64_t tick_ns);
/* Bytes that were purged so far. */
size_t tni_slices_purged(void);
/* Bytes in dirty runs of the shared spaces, now. */
size_t tni_slices_dirty(void);

/* Whether address space turned out to be limited. */
bool tni_slices_is_scarce(void);

/* The space that holds p, or NULL. */
tni_heap_space *tni_slices_find(const void *p);
/* The record of the run that p is in; NULL: none in use. */
tni_heap_page *tni_slices_page(const tni_heap_space *space, const void *p);

/* Where a run's memory is. */
static inline unsigned char *
tni_page_start(const tni_heap_page *page)
{
  const tni_heap_space *const space = page->space;
  return space->base + ((size_t)(page - space->pages) << space->slice_log2);
}

extern const tni_owner_ops tni_heap_owner_ops;

bool tni_slices_is_valid(const tni_heap_space *space);

#endif
