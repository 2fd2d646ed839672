/* plan.h -- the planner's parts, and what they hand to one another
 *
 *     problem --model--> sections and pieces --fit--> a plan --improve--> lower
 *                                  |                             |
 *                                  +------- search (exact) ------+--> result
 *
 * A section is a maximal set of pieces alive at one instant, numbered in time
 * order; two pieces overlap in time exactly when they share a section.  A
 * piece is a stretch of a buffer's lifetime in which it needs the same bytes: one
 * a buffer, more when it has gaps or stands for buffers that share in place.
 *
 * Threads   none here; what runs on several threads is said in search.h.
 * Design    doc/design/plan.md      Tests  test/plan/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLAN_H
#define TNI_PLAN_H

#include <tenure/plan.h>

#include "base/base.h"

#define TNI_PLAN_NONE UINT32_MAX

/* ---- memory.c: working memory, freed all at once or back to a mark ---- */

typedef struct tni_plan_chunk tni_plan_chunk;

typedef struct tni_plan_memory {
  tn_provider *provider;  // const: NULL: scratch only
  tni_plan_chunk *chunk;  // owner: the newest
  tni_plan_chunk *spare;  // owner: given up, for the next; NULL: none
  unsigned char *cursor;  // owner: next free byte
  unsigned char *limit;   // owner: end of the newest chunk
  size_t held, most;      // owner: bytes taken, and the most so far
  size_t bound;           // const: held never exceeds it
} tni_plan_memory;

typedef struct tni_plan_mark {
  tni_plan_chunk *chunk;
  unsigned char *cursor;
} tni_plan_mark;

void tni_plan_memory_init(tni_plan_memory *memory,
                          const tn_plan_options *options);
void tni_plan_memory_fini(tni_plan_memory *memory);

/* count * size bytes, zeroed, aligned to 16; NULL when they cannot be had. */
void *tni_plan_take(tni_plan_memory *memory, size_t count, size_t size);

/* The same, but with any contents. */
void *tni_plan_take_dirty(tni_plan_memory *memory, size_t count, size_t size);

tni_plan_mark tni_plan_mark_set(const tni_plan_memory *memory);
void tni_plan_mark_reset(tni_plan_memory *memory, tni_plan_mark mark);

/* ---- sort.c ---- */

/* Sort order[0..count) by key[order[i]], ascending and stable; spare has room
 * for count. */
void tni_plan_sort(uint32_t *order, const uint64_t *key, size_t count,
                   uint32_t *spare);

/* ---- numbers.c ---- */

/* The greatest common divisor; of 0 and n: n. */
int64_t tni_plan_gcd(int64_t a, int64_t b);

/* Make *align a multiple of another; false when that is beyond every offset,
 * *align is then as it was. */
bool tni_plan_join_align(int64_t *align, int64_t other);

/* n, at least 0, rounded up to a multiple of align. */
static inline int64_t
tni_plan_round_up(int64_t n, int64_t align)
{
  const int64_t over = align == 1 ? 0 : n % align;
  return over ? n + (align - over) : n;
}

/* The next number of a generator (SplitMix64; Steele, Lea, Flood 2014). */
uint64_t tni_plan_random(uint64_t *state);

/* ---- model.c: the problem, checked and put into sections ---- */

typedef struct tni_plan_piece {
  uint32_t s0, s1;     // sections [s0, s1)
  int64_t base, size;  // bytes [base, base + size) of the item
} tni_plan_piece;

typedef struct tni_plan_model {
  uint32_t count;  // items: buffers that take room
  uint32_t sections;
  const uint32_t *buffer;   // of an item: its index in the problem
  const int64_t *size;      // the end of its highest piece
  const uint64_t *width;    // time from its first to its last instant
  const int64_t *align;     // at least 1
  const int64_t *fixed;     // or TN_PLAN_FREE
  const uint32_t *s0, *s1;  // hull of its pieces
  const uint32_t *first;    // its pieces: [first[i], first[i + 1])
  const tni_plan_piece *piece;
  const int64_t *load;         // of a section
  const int64_t *begin, *end;  // time in which all its pieces are alive
  uint32_t peak;               // the section with the largest load
  bool has_windows;            // some piece has a base other than 0
  bool is_rough;  // some piece has bytes that nobody needs, see model_merge
} tni_plan_model;

/* Check the problem's numbers; sets result->error on failure. */
tn_status tni_plan_check(const tn_plan_problem *problem,
                         tn_plan_result *result);

/* Build the model of the buffers with use[buffer] (all, when use is NULL);
 * those with the same leader are placed at one offset, as one item (leader
 * NULL: each on its own).  TN_ENOMEM or TN_ERANGE.
 */
tn_status tni_plan_model_build(tni_plan_model *model,
                               const tn_plan_problem *problem, const bool *use,
                               const uint32_t *leader, tni_plan_memory *memory);

/* From i's offset to the least that is above every one at which j meets it;
 * INT64_MIN when they are never alive together.  Without windows j, when it is
 * not below i, meets it at all offsets up to there. */
int64_t tni_plan_above(const tni_plan_model *model, uint32_t i, uint32_t j);

/* Whether they meet when j's offset is i's plus d; if so they do at all
 * offsets d between *a and *b, ends excluded, and not at these. */
bool tni_plan_meets(const tni_plan_model *model, uint32_t i, uint32_t j,
                    int64_t d, int64_t *a, int64_t *b);

/* ---- rank.c ---- */

/* key[item], smallest first, of one property: W lifetime, A area, Z size (all
 * descending), L first section, U last section (ascending), P the items alive
 * at the peak by last section and then the others by first, Q those alive at
 * the peak by lifetime and then the others, all alike; a digit: classes of so
 * many powers of two of the size, descending. */
void tni_plan_key(const tni_plan_model *model, char letter, uint64_t *key);

/* The same for T, the largest load of its sections; false: out of memory. */
bool tni_plan_key_total(const tni_plan_model *model, tni_plan_memory *memory,
                        uint64_t *key);

#endif
