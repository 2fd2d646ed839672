/* lines.h -- mark-region: blocks of lines, allocated hole by hole
 *
 *   lines of a block:  | live | FREE FREE FREE | live | live | FREE | ...
 *                               '--- a hole ---'
 *
 * A hole is a run of free lines; objects are bumped into it and its lines
 * become a RUN, walked from its first byte until the next collection marks
 * what is live.  An object above a line that does not fit in the hole at hand
 * goes to a free block beside it, so that the hole is not lost.
 *
 * A full collection clears all lines, and each object that it reaches marks
 * its own.  When much of the blocks in use is free lines, objects of the
 * emptiest blocks are moved to free blocks as long as there are any; what finds
 * no place, or is held, stays and is marked where it is.
 *
 *   block kinds  LINES_USED --chosen--> LINES_FROM --collected--> LINES_USED
 *                                                            '--> free
 *
 * Invariants
 *   [lines.live]  every line that a reached object touches is live, and those
 *                 of a run until the next full collection.
 *   [lines.run]   the objects of a run end at a zero header or with its lines.
 *   [lines.hole]  a hole is taken once between two collections.
 * Threads   the heap's lock.
 * Source    Immix: Blackburn, McKinley 2008.  The histogram that chooses what to
 *           evacuate is MMTk's.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_LINES_H
#define TNI_GC_LINES_H

#include "gc/core/core.h"

/* Where one mutator, or a collection, puts objects. */
typedef struct tni_hole {
  unsigned char *start;   // of the hole
  unsigned char *cursor;  // the next object's header
  unsigned char *end;
  uint32_t block;  // TNI_NO_BLOCK: none yet
  uint32_t line;   // where the search for the next hole goes on
} tni_hole;

/* A hole for small objects, and one in free blocks for larger ones. */
typedef struct tni_holes {
  tni_hole small;
  tni_hole medium;
} tni_holes;

typedef struct tni_lines {
  uint32_t recyclable;   // list: blocks with holes that nobody has taken
  uint32_t free_lines;   // in blocks in use, at the last full collection
  uint32_t used_blocks;  // then
  bool copies_anywhere;  // copies go to recyclable blocks, too
  bool checks_room;      // new blocks only under the limit
  uint32_t spare;        // blocks that copies may still take
  unsigned logged;       // the logged byte that copies get
} tni_lines;

void tni_lines_init(tni_lines *lines);
void tni_holes_init(tni_holes *holes);

/* The next hole of at least bytes for hole: its lines are a run, its memory is
 * zeroed when clean.  False: there is none. */
bool tni_hole_next(tn_gc *heap, tni_lines *lines, tni_hole *hole, size_t bytes,
                   bool only_free, bool clean);
/* Lines beyond the cursor are free again; the run ends at the cursor. */
void tni_hole_close(tn_gc *heap, tni_hole *hole);

/* A mutator's small or medium object; sets its piece to the small hole. */
void *tni_lines_allocate(tni_mutator *m, tni_lines *lines, tni_holes *holes,
                         size_t bytes);
void tni_lines_retire(tni_mutator *m, tni_holes *holes);

/* Take bytes from a hole: memory for an object, or NULL. */
static inline void *
tni_hole_take(tni_hole *hole, size_t bytes)
{
  unsigned char *const at = hole->cursor;
  if (TN_UNLIKELY((size_t)(hole->end - at) < bytes))
    return NULL;
  hole->cursor = at + bytes;
  return at + TN_GC_HEADER;
}

/* Memory for a copy, or NULL: the object stays. */
TN_COLD void *tni_lines_copy_slow(tn_gc *heap, tni_lines *lines, tni_hole *hole,
                                  size_t bytes);
static inline void *
tni_lines_copy_to(tn_gc *heap, tni_lines *lines, tni_hole *hole, size_t bytes)
{
  void *const object = tni_hole_take(hole, bytes);
  return TN_LIKELY(object != NULL)
             ? object
             : tni_lines_copy_slow(heap, lines, hole, bytes);
}

/* Before full marking: starts of all objects (when words must be resolved),
 * no marks, no live lines; and choose what to evacuate. */
void tni_lines_prepare(tn_gc *heap, tni_lines *lines, bool resolves);
bool tni_lines_choose(tn_gc *heap, tni_lines *lines, tn_gc_kind kind);
/* After it: free blocks without live lines, list those with holes. */
void tni_lines_sweep(tn_gc *heap, tni_lines *lines);
/* Put a block whose lines are right on the list, or free it. */
void tni_lines_adopt(tn_gc *heap, tni_lines *lines, uint32_t block);

void *tni_lines_resolve(tn_gc *heap, uintptr_t word);
bool tni_lines_walk(tn_gc *heap, tn_walk_fn *fn, void *argument);

#endif
