/* engine.h -- what the parts of the exact search share about an engine
 *
 * The stack of frames: a node holds its unplaced items in rank order and the
 * candidates among them; a split holds parts that no unplaced item connects,
 * which are searched one after the other: all must succeed, and one that
 * fails fails the node above without another look at the parts before it.
 *
 *     node -> node -> split -> node (part 0) -> node ...
 *                           -> node (part 1) -> ...
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLAN_ENGINE_H
#define TNI_PLAN_ENGINE_H

#include "plan/search.h"

typedef struct engine_frame {
  uint32_t ids, count;  // in tni_engine.ids: unplaced items in rank order
  uint32_t candidate, candidate_count, candidate_next;  // positions in ids
  int32_t low;  // placements are at (low, low_at) or later
  uint32_t low_at;
  uint32_t s0, s1;          // sections of the part
  uint32_t hull0, hull1;    // sections that the last placement changed
  uint32_t raised, placed;  // what to undo to for the state of this frame
  uint32_t part, part_count, part_next;  // split: in tni_engine.part
  uint64_t since;                        // the engine's nodes when it began
  bool is_split;
  bool is_alone;  // the item placed meets no unplaced item
} engine_frame;

typedef struct engine_part {
  uint32_t ids, count, s0, s1;
  uint32_t dealt;  // scratch of search_deal
} engine_part;

typedef struct engine_raise {
  uint32_t item;
  int32_t rest;  // before
} engine_raise;

/* Nodes that have failed (failed.c). */
typedef struct engine_failed {
  uint32_t *word;        // their descriptions, one after the other
  uint32_t *slot;        // by hash: where one begins, from 1; 0: none
  uint32_t room, slots;  // const: of word and slot; 0: nothing is remembered
  uint32_t least;        // const: nodes that a failure must have taken
  uint32_t used;         // of word
} engine_failed;

typedef enum engine_signal {
  ENGINE_GO,    // a new frame
  ENGINE_DONE,  // the frame above has placed all its items
  ENGINE_FAIL,  // the frame above has no plan
} engine_signal;

struct tni_engine {
  const tni_search_problem *problem;
  unsigned order;
  uint32_t *rank;   // by the order's keys that do not change in the search
  int32_t *rest;    // of unplaced items [search.rest]
  int32_t *offset;  // of placed items
  bool *is_placed;
  int32_t *total;   // of a section: sizes of its unplaced items
  int32_t *cuts;    // unplaced items alive in a section and the next
  int32_t *top;     // of a section, scratch of the bound: this,
  int16_t *narrow;  // or, when 16 bits hold all numbers, this
  bool is_narrow;
  uint32_t failed;      // the section in which the bound last failed
  uint32_t *component;  // of a section, scratch of splitting
  uint64_t *key;        // of an item, scratch of sorting
  uint32_t *sorted;     // scratch: items by release
  int32_t *release;     // scratch: rest, or where a floating item may go
  uint16_t *line;       // scratch: items by release
  uint16_t *floating;   // scratch: floating items by release
  uint32_t floating_count;
  uint16_t *by_rest;  // at the same places as ids: the same, by rest
  bool *is_raised;    // scratch, all false outside search_merge
  uint16_t *ids, *candidate, *placed;
  engine_frame *frame;
  engine_part *part;
  engine_raise *raised;
  uint32_t frames, parts, raised_count, placed_count, ids_top, candidate_top;
  engine_signal signal;  // what the frame on top is to be told next
  engine_failed failed_nodes;
  struct tni_window *window;  // the other search; NULL: this one
  uint64_t nodes, recalled;
};

/* Whether the child can still lead to a plan (bound.c).  [search.whole] */
bool tni_engine_may_fit(tni_engine *e, engine_frame *child);

/* Whether a node like this has failed; add one that has; forget all
 * (failed.c).  [search.failed] */
bool tni_engine_has_failed(tni_engine *e, const engine_frame *f);
void tni_engine_add_failed(tni_engine *e, const engine_frame *f);
void tni_engine_forget(tni_engine *e);

/* The search for windows that cross (window.c): create, begin anew with the
 * engine's ranks, search on, and the plan in bytes. */
struct tni_window *tni_window_create(const tni_search_problem *p,
                                     tni_plan_memory *memory);
void tni_window_restart(tni_engine *e);
tni_search_state tni_window_run(tni_engine *e, uint64_t nodes);
void tni_window_offsets(const tni_engine *e, int64_t *offset);

/* Choose between top and narrow; once, when all is unplaced (bound.c). */
void tni_engine_choose_width(tni_engine *e);

/* Put items into the engine's order (rank.c). */
void tni_engine_sort(tni_engine *e, uint16_t *ids, uint32_t count);

/* Fill in e->rank; chance 0: the order as it is, otherwise one of its kind that
 * chance chooses (rank.c). */
void tni_engine_rank(tni_engine *e, uint64_t chance);

/* How far above i's offset that of j must be when i is below it; 0 or less:
 * anywhere. */
static inline int32_t
tni_search_above(const tni_search_problem *p, uint32_t i, uint32_t j)
{
  if (p->s0[i] >= p->s1[j] || p->s0[j] >= p->s1[i])
    return 0;
  if (p->first[i + 1] - p->first[i] == 1 && p->first[j + 1] - p->first[j] == 1)
    return p->size[i];
  int32_t most = 0;
  const tni_search_piece *a = p->piece + p->first[i];
  const tni_search_piece *b = p->piece + p->first[j];
  const tni_search_piece *const a_end = p->piece + p->first[i + 1];
  const tni_search_piece *const b_end = p->piece + p->first[j + 1];
  while (a < a_end && b < b_end) {
    const int32_t above = a->base + a->size - b->base;
    if (a->s0 < b->s1 && b->s0 < a->s1 && above > most)
      most = above;
    if (a->s1 <= b->s1)
      a++;
    else
      b++;
  }
  return most;
}

/* The top of a section after the item, from release up, if it is there. */
static inline int32_t
tni_search_stack(const tni_search_problem *p, uint32_t item, uint32_t section,
                 int32_t release, int32_t top)
{
  if (section < p->s0[item] || section >= p->s1[item])
    return top;
  uint32_t k = p->first[item];
  while (section >= p->piece[k].s1)
    k++;
  if (section < p->piece[k].s0)
    return top;
  return (top > release ? top : release) + p->piece[k].size;
}

static inline int32_t
tni_search_align(int32_t n, int32_t align)
{
  const int32_t over = align == 1 ? 0 : n % align;
  return over ? n + (align - over) : n;
}

#endif
