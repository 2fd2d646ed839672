/* blocks.h -- 32 KiB blocks and the tables beside them
 *
 *   base |block 0|block 1| ... |block count-1|        one reservation
 *   kind   one byte a block      what is in it
 *   mark   one bit a granule     an object begins here and was reached
 *   start  one bit a granule     what mark was before this collection
 *   line   one byte a line       128 bytes: free, live, or bumped since
 *   info   16 bytes a block      what its policy keeps
 *
 * Blocks are handed out lowest first when new, then the most recently freed.
 * What is in a block is the business of a policy in gc/space.
 *
 * Invariants
 *   [blocks.kind]   a block is TNI_BLOCK_FREE exactly when it is on the list of
 *                   free blocks or has never been used.
 *   [blocks.zero]   a block that was never used is zero; the bits and lines of
 *                   one that is taken are 0.
 * Threads   the heap's lock, or one collecting thread.
 * Failure   TNI_NO_BLOCK, nothing changed.
 * Source    block and line sizes of Immix (Blackburn, McKinley 2008).
 * Design    doc/design/gc.md      Tests  test/gc/test_blocks.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_BLOCKS_H
#define TNI_GC_BLOCKS_H

#include "base/base.h"
#include "gc/core/object.h"
#include "vm/vm.h"

#define TNI_BLOCK_LOG2  15u
#define TNI_BLOCK_SIZE  ((size_t)1 << TNI_BLOCK_LOG2)
#define TNI_LINE_LOG2   7u
#define TNI_LINE_SIZE   ((size_t)1 << TNI_LINE_LOG2)
#define TNI_BLOCK_LINES ((uint32_t)(TNI_BLOCK_SIZE / TNI_LINE_SIZE))
#define TNI_BLOCK_WORDS ((uint32_t)(TNI_BLOCK_SIZE / TN_GC_GRANULE / 64))
#define TNI_NO_BLOCK    UINT32_MAX
_Static_assert(TN_GC_LARGE <= TNI_BLOCK_SIZE / 2, "objects fit in a block");

typedef enum tni_block_kind {
  TNI_BLOCK_FREE,
  TNI_BLOCK_LINEAR,       // objects side by side from the start to a zero word
  TNI_BLOCK_FROM,         // linear, and being left by its objects
  TNI_BLOCK_FROM_PINNED,  // the same, and some objects stay: their marks are set
  TNI_BLOCK_CELLS,        // cells of one size
  TNI_BLOCK_LINES_USED,   // mark-region: marks and lines say what is live
  TNI_BLOCK_LINES_FROM,   // the same, and being evacuated
} tni_block_kind;

typedef enum tni_line {
  TNI_LINE_FREE,
  TNI_LINE_LIVE,       // part of a marked object, or reserved
  TNI_LINE_RUN,        // bumped into since the last collection
  TNI_LINE_RUN_START,  // the same, and the run begins at its first byte
} tni_line;

typedef struct tni_block_record {
  uint32_t next;      // list of its policy or of free blocks
  uint32_t cell;      // cells: bytes of one
  uint16_t holes;     // lines: at the last collection
  uint16_t live;      // lines: at the last collection
  uint8_t is_swept;   // cells
  uint8_t is_listed;  // on a list of its policy
  uint16_t unused;
} tni_block_record;
_Static_assert(sizeof(tni_block_record) == 16, "16 bytes a block");

typedef struct tni_blocks {
  tni_region *region;      // const: the blocks
  tni_region *table;       // const: the tables
  unsigned char *base;     // const
  uint32_t count;          // const: reserved
  size_t reach;            // const: bytes of those
  uint32_t high;           // lock: blocks ever used
  uint32_t free;           // lock: list
  uint32_t free_count;     // lock: on the list
  unsigned char *kind;     // const
  unsigned char *line;     // const
  uint64_t *mark;          // lock: swapped with start by a full collection
  uint64_t *start;         // lock
  tni_block_record *info;  // const
} tni_blocks;

/* Who a heap's reservations are to tn_describe. */
extern const tni_owner_ops tni_gc_owner;

tn_status tni_blocks_init(tni_blocks *blocks, size_t bytes, const char *name);
void tni_blocks_fini(tni_blocks *blocks);

/* A free block, now of kind; TNI_NO_BLOCK when the system refuses or all are
 * used.  is_zero says that all of it is zero. */
uint32_t tni_blocks_take(tni_blocks *blocks, tni_block_kind kind,
                         bool *is_zero);
/* Commit enough that count blocks can be in use; false: the system refuses. */
bool tni_blocks_reserve(tni_blocks *blocks, size_t count);
void tni_blocks_give(tni_blocks *blocks, uint32_t block);
/* Give the memory of free blocks beyond the first keep back to the system. */
void tni_blocks_trim(tni_blocks *blocks, uint32_t keep);

static inline unsigned char *
tni_block_start(const tni_blocks *blocks, uint32_t block)
{
  return blocks->base + ((size_t)block << TNI_BLOCK_LOG2);
}

static inline bool
tni_blocks_has(const tni_blocks *blocks, uintptr_t address)
{
  return address - tni_address(blocks->base) < (size_t)blocks->high
                                                   << TNI_BLOCK_LOG2;
}

/* Which block p lies in; p lies in one. */
static inline uint32_t
tni_block_of(const tni_blocks *blocks, const void *p)
{
  return (uint32_t)((tni_address(p) - tni_address(blocks->base)) >>
                    TNI_BLOCK_LOG2);
}

/* The kind of the block that p lies in; TNI_BLOCK_FREE for no block. */
static inline tni_block_kind
tni_kind_of(const tni_blocks *blocks, const void *p)
{
  const size_t offset = tni_address(p) - tni_address(blocks->base);
  return offset < blocks->reach  // [blocks.kind]
             ? (tni_block_kind)blocks->kind[offset >> TNI_BLOCK_LOG2]
             : TNI_BLOCK_FREE;
}

/* ---- Mark bits: at the granule of an object's header ---- */

static inline size_t
tni_mark_index(const tni_blocks *blocks, const void *object)
{
  return (tni_address(object) - TN_GC_HEADER - tni_address(blocks->base)) >>
         TNI_GRANULE_LOG2;
}

static inline bool
tni_is_marked(const tni_blocks *blocks, const void *object)
{
  const size_t i = tni_mark_index(blocks, object);
  return blocks->mark[i / 64] >> (i % 64) & 1;
}

/* Mark; true: it was not marked.  One thread. */
static inline bool
tni_mark(const tni_blocks *blocks, const void *object)
{
  const size_t i = tni_mark_index(blocks, object);
  const uint64_t bit = (uint64_t)1 << (i % 64);
  const uint64_t before = blocks->mark[i / 64];
  blocks->mark[i / 64] = before | bit;
  return (before & bit) == 0;
}

/* The same when several threads mark. */
static inline bool
tni_mark_atomic(const tni_blocks *blocks, const void *object)
{
  const size_t i = tni_mark_index(blocks, object);
  const uint64_t bit = (uint64_t)1 << (i % 64);
  uint64_t *const word = &blocks->mark[i / 64];
  return (__atomic_load_n(word, __ATOMIC_RELAXED) & bit) == 0 &&
         (__atomic_fetch_or(word, bit, __ATOMIC_ACQ_REL) & bit) == 0;
}

/* The marks so far become the starts of what may be an object; no marks. */
void tni_blocks_clear_marks(tni_blocks *blocks);

/* Is there an object that word points into, by the bits of a table (start or
 * mark)?  NULL when there is none.  word lies in a block. */
void *tni_find_by_bits(const tni_blocks *blocks, const uint64_t *bits,
                       uintptr_t word);

/* Set the bit of an object in a table. */
static inline void
tni_set_bit(const tni_blocks *blocks, uint64_t *bits, const void *object)
{
  const size_t i = tni_mark_index(blocks, object);
  bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline unsigned char *
tni_block_lines(const tni_blocks *blocks, uint32_t block)
{
  return blocks->line + (size_t)block * TNI_BLOCK_LINES;
}

static inline uint64_t *
tni_block_marks(const tni_blocks *blocks, uint32_t block)
{
  return blocks->mark + (size_t)block * TNI_BLOCK_WORDS;
}

/* Say that the lines of an object of bytes are live. */
static inline void
tni_mark_lines(const tni_blocks *blocks, const void *object, size_t bytes)
{
  const size_t at =
      tni_address(object) - TN_GC_HEADER - tni_address(blocks->base);
  const size_t last = (at + bytes - 1) >> TNI_LINE_LOG2;
  for (size_t i = at >> TNI_LINE_LOG2; i <= last; i++)
    __atomic_store_n(&blocks->line[i], TNI_LINE_LIVE, __ATOMIC_RELAXED);
}

/* ---- Walks; each stops early and is false when fn says so ---- */

/* Objects side by side from start to a zero header or end. */
bool tni_walk_run(unsigned char *start, const unsigned char *end,
                  tn_walk_fn *fn, void *argument);
/* Marked objects of a block. */
bool tni_walk_marked(const tni_blocks *blocks, uint32_t block, tn_walk_fn *fn,
                     void *argument);
/* The object of a run that word points into; NULL when there is none. */
void *tni_find_in_run(unsigned char *start, const unsigned char *end,
                      uintptr_t word);

#endif
