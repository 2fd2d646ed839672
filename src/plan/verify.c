/* verify.c -- is this plan right?
 *
 * Shares no code with the solver, not even its idea of the input: one sweep
 * over time keeps the set of live pieces (lifetimes without their gaps) in the
 * order of their addresses.  When pieces that were live are disjoint, a new one
 * can only overlap its two neighbours.  The set is a bit for each piece, ranked
 * by offset, under a summary bit for each 64, and so on: next and previous cost
 * one word a level.
 *
 * Buffers that may share in place are left out of the sweep and compared with
 * all others, as they may have neighbours at their own offset.
 *
 * Tests  test/plan/test_verify.c
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include <tenure/plan.h>

#include "base/base.h"

/* A number to sort by, and what it belongs to. */
typedef struct verify_item {
  int64_t key;
  size_t value;
} verify_item;

/* A buffer needs its bytes [low, high) in [lower, upper). */
typedef struct verify_piece {
  int64_t lower, upper, low, high;
  size_t buffer;
} verify_piece;

enum { VERIFY_MAX_LEVELS = 11 };  // 64^11 > 2^64 pieces

typedef struct verify_state {
  const tn_plan_problem *problem;
  const int64_t *offsets;
  const uint32_t *pools;
  tn_plan_report *report;
  verify_piece *pieces;  // each buffer's together, in the order of time
  size_t *first_piece;   // of each buffer, and one past the last
  verify_item *items;    // gaps, or offsets, or both ends of each piece
  verify_item *spare;    // as many, for sorting
  size_t *by_rank;       // piece
  size_t *rank;          // of a piece among those of its pool, by offset
  uint64_t *bits[VERIFY_MAX_LEVELS];
  unsigned levels;
  bool *is_shared;  // the buffer is named by a share
  size_t *partner;  // of a buffer: one more than the last it may share with
} verify_state;

static bool
verify_fault(verify_state *v, tn_plan_fault fault, size_t first, size_t second)
{
  v->report->fault = fault;
  v->report->first = first;
  v->report->second = second;
  return false;
}

/* ---- Memory: one block --------------------------------------------------- */

/* The next count items of size bytes of the block at base; NULL, and only
 * counted, without one.  *used becomes SIZE_MAX when it does not fit. */
static void *
verify_take(unsigned char *base, size_t *used, size_t count, size_t size)
{
  const size_t at = *used;
  size_t bytes;
  if (!tn_size_mul(count, size, &bytes) || !tn_size_add(at, bytes, used) ||
      !tni_round_up_checked(*used, sizeof(uint64_t), used))
    *used = SIZE_MAX;
  return base ? base + at : NULL;
}

/* Lay the arrays out from base; returns the bytes that they take. */
static size_t
verify_lay_out(verify_state *v, unsigned char *base)
{
  const size_t count = v->problem->count;
  size_t pieces, used = 0;
  /* Before a gap, in it, and what is left after the last. */
  if (!tn_size_mul(v->problem->gap_count, 2, &pieces) ||
      !tn_size_add(count, pieces, &pieces) || pieces > SIZE_MAX / 2)
    return SIZE_MAX;
  v->pieces = verify_take(base, &used, pieces, sizeof *v->pieces);
  v->first_piece = verify_take(base, &used, count + 1, sizeof *v->first_piece);
  v->items = verify_take(base, &used, 2 * pieces, sizeof *v->items);
  v->spare = verify_take(base, &used, 2 * pieces, sizeof *v->spare);
  v->by_rank = verify_take(base, &used, pieces, sizeof *v->by_rank);
  v->rank = verify_take(base, &used, pieces, sizeof *v->rank);
  v->is_shared = verify_take(base, &used, count, sizeof *v->is_shared);
  v->partner = verify_take(base, &used, count, sizeof *v->partner);
  v->levels = 0;
  do {
    pieces = pieces / 64 + 1;
    v->bits[v->levels++] = verify_take(base, &used, pieces, sizeof *v->bits[0]);
  } while (pieces > 1);
  return used;
}

/* ---- Reading the problem -------------------------------------------------- */

static bool
verify_is_instant(int64_t t)
{
  return t >= -TN_PLAN_MAX && t <= TN_PLAN_MAX;
}

static tn_status
verify_read_buffer(const tn_plan_buffer *b)
{
  if (!verify_is_instant(b->lower) || !verify_is_instant(b->upper) ||
      b->size > TN_PLAN_MAX || b->fixed > TN_PLAN_MAX)
    return TN_ERANGE;
  return b->lower <= b->upper && b->size >= 0 && b->align >= 0 &&
                 b->fixed >= TN_PLAN_FREE
             ? TN_OK
             : TN_EINVAL;
}

static tn_status
verify_read_problem(const verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  if (p->pool_count > TN_PLAN_MAX_POOLS || (p->pool_count && !v->pools) ||
      p->capacity < 0)
    return TN_EINVAL;
  for (size_t i = 0; i < p->count; i++) {
    const tn_status status = verify_read_buffer(&p->buffers[i]);
    if (status != TN_OK)
      return status;
  }
  for (size_t i = 0; i < p->gap_count; i++) {
    const tn_plan_gap *const g = &p->gaps[i];
    if (g->buffer >= p->count || g->lower > g->upper || g->low < 0 ||
        g->low > g->high || g->high > p->buffers[g->buffer].size)
      return TN_EINVAL;
  }
  for (size_t i = 0; i < p->share_count; i++)
    if (p->shares[i].a >= p->count || p->shares[i].b >= p->count ||
        p->shares[i].a == p->shares[i].b)
      return TN_EINVAL;
  return TN_OK;
}

/* ---- Sorting: by key, stable ---------------------------------------------- */

static void
verify_merge(const verify_item *from, size_t middle, size_t end,
             verify_item *to)
{
  size_t a = 0, b = middle;
  for (size_t i = 0; i < end; i++)
    to[i] = a < middle && (b == end || from[a].key <= from[b].key) ? from[a++]
                                                                   : from[b++];
}

/* Sort v->items; v->spare may become v->items and the other way round. */
static void
verify_sort(verify_state *v, size_t count)
{
  for (size_t run = 1; run < count; run *= 2) {
    for (size_t i = 0; i < count; i += 2 * run)
      verify_merge(v->items + i, tni_min(run, count - i),
                   tni_min(2 * run, count - i), v->spare + i);
    verify_item *const sorted = v->spare;
    v->spare = v->items;
    v->items = sorted;
  }
}

/* ---- Pieces --------------------------------------------------------------- */

static size_t
verify_push_piece(verify_state *v, size_t at, const verify_piece *piece)
{
  if (piece->lower >= piece->upper || piece->low >= piece->high)
    return at;
  v->pieces[at] = *piece;
  return at + 1;
}

/* Gaps by buffer, each buffer's in the order of time. */
static void
verify_sort_gaps(verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  for (size_t i = 0; i < p->gap_count; i++)
    v->items[i] = (verify_item){p->gaps[i].lower, i};
  verify_sort(v, p->gap_count);
  for (size_t i = 0; i < p->gap_count; i++)
    v->items[i].key = (int64_t)p->gaps[v->items[i].value].buffer;
  verify_sort(v, p->gap_count);
}

static void
verify_make_pieces(verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  verify_sort_gaps(v);
  size_t at = 0, g = 0;
  for (size_t i = 0; i < p->count; i++) {
    const tn_plan_buffer *const b = &p->buffers[i];
    verify_piece rest = {b->lower, b->upper, 0, b->size, i};
    v->first_piece[i] = at;
    for (; g < p->gap_count && v->items[g].key == (int64_t)i; g++) {
      const tn_plan_gap *const gap = &p->gaps[v->items[g].value];
      verify_piece before = rest, kept = {0, 0, gap->low, gap->high, i};
      kept.lower = gap->lower > rest.lower ? gap->lower : rest.lower;
      kept.upper = gap->upper < rest.upper ? gap->upper : rest.upper;
      if (kept.lower >= kept.upper)
        continue;
      before.upper = kept.lower;
      rest.lower = kept.upper;
      at = verify_push_piece(v, at, &before);
      at = verify_push_piece(v, at, &kept);
    }
    at = verify_push_piece(v, at, &rest);
  }
  v->first_piece[p->count] = at;
}

/* ---- The set of live pieces ------------------------------------------------ */

static void
verify_insert(verify_state *v, size_t rank)
{
  for (unsigned level = 0; level < v->levels; level++, rank /= 64)
    v->bits[level][rank / 64] |= (uint64_t)1 << rank % 64;
}

static void
verify_remove(verify_state *v, size_t rank)
{
  for (unsigned level = 0; level < v->levels; level++, rank /= 64) {
    v->bits[level][rank / 64] &= ~((uint64_t)1 << rank % 64);
    if (v->bits[level][rank / 64])
      return;
  }
}

/* The lowest rank in the set above rank; SIZE_MAX when there is none. */
static size_t
verify_next(const verify_state *v, size_t rank)
{
  for (unsigned level = 0; level < v->levels; level++, rank /= 64) {
    const uint64_t mask = (UINT64_MAX << rank % 64) << 1;
    const uint64_t above = v->bits[level][rank / 64] & mask;
    if (above == 0)
      continue;
    rank = rank / 64 * 64 + (size_t)__builtin_ctzll(above);
    while (level--)
      rank = rank * 64 + (size_t)__builtin_ctzll(v->bits[level][rank]);
    return rank;
  }
  return SIZE_MAX;
}

/* The highest rank in the set below rank; SIZE_MAX when there is none. */
static size_t
verify_previous(const verify_state *v, size_t rank)
{
  for (unsigned level = 0; level < v->levels; level++, rank /= 64) {
    const uint64_t mask = ((uint64_t)1 << rank % 64) - 1;
    const uint64_t below = v->bits[level][rank / 64] & mask;
    if (below == 0)
      continue;
    rank = rank / 64 * 64 + 63 - (size_t)__builtin_clzll(below);
    while (level--)
      rank = rank * 64 + 63 - (size_t)__builtin_clzll(v->bits[level][rank]);
    return rank;
  }
  return SIZE_MAX;
}

/* ---- Overlaps -------------------------------------------------------------- */

static size_t
verify_pool_of(const verify_state *v, size_t buffer)
{
  return v->problem->pool_count ? v->pools[buffer] : 0;
}

/* Do the bytes of two pieces meet? */
static bool
verify_bytes_meet(const verify_state *v, const verify_piece *a,
                  const verify_piece *b)
{
  const int64_t at = v->offsets[a->buffer], other = v->offsets[b->buffer];
  return at + a->low < other + b->high && other + b->low < at + a->high;
}

/* Put the piece into the set, unless its bytes meet those of a neighbour:
 * [plan.disjoint]. */
static bool
verify_begin_piece(verify_state *v, size_t piece)
{
  const size_t rank = v->rank[piece];
  const verify_piece *const begun = &v->pieces[piece];
  const size_t neighbours[] = {verify_previous(v, rank), verify_next(v, rank)};
  for (size_t i = 0; i < 2; i++) {
    if (neighbours[i] == SIZE_MAX)
      continue;
    const verify_piece *const other = &v->pieces[v->by_rank[neighbours[i]]];
    if (verify_bytes_meet(v, begun, other))
      return verify_fault(v, TN_PLAN_FAULT_OVERLAP, other->buffer,
                          begun->buffer);
  }
  verify_insert(v, rank);
  return true;
}

/* Rank the pieces of a pool that the sweep looks at; returns how many. */
static size_t
verify_rank_pool(verify_state *v, size_t pool)
{
  const size_t pieces = v->first_piece[v->problem->count];
  size_t count = 0;
  for (size_t i = 0; i < pieces; i++) {
    const size_t buffer = v->pieces[i].buffer;
    if (!v->is_shared[buffer] && verify_pool_of(v, buffer) == pool)
      v->items[count++] =
          (verify_item){v->offsets[buffer] + v->pieces[i].low, i};
  }
  verify_sort(v, count);
  for (size_t i = 0; i < count; i++) {
    v->by_rank[i] = v->items[i].value;
    v->rank[v->by_rank[i]] = i;
  }
  return count;
}

/* Go through the ends of a pool's pieces in the order of time. */
static bool
verify_sweep_pool(verify_state *v, size_t pool)
{
  const size_t count = verify_rank_pool(v, pool);
  /* What ends comes first, and the sort is stable: at the same instant bytes
   * are given back before they are taken. */
  for (size_t i = 0; i < count; i++) {
    const size_t piece = v->by_rank[i];
    v->items[i] = (verify_item){v->pieces[piece].upper, piece << 1};
    v->items[count + i] = (verify_item){v->pieces[piece].lower, piece << 1 | 1};
  }
  verify_sort(v, 2 * count);
  for (size_t i = 0; i < 2 * count; i++) {
    const size_t piece = v->items[i].value >> 1;
    if ((v->items[i].value & 1) == 0)
      verify_remove(v, v->rank[piece]);
    else if (!verify_begin_piece(v, piece))
      return false;
  }
  return true;
}

/* Do a and b need a byte at the same instant? */
static bool
verify_buffers_meet(const verify_state *v, size_t a, size_t b)
{
  size_t i = v->first_piece[a], j = v->first_piece[b];
  while (i < v->first_piece[a + 1] && j < v->first_piece[b + 1]) {
    const verify_piece *const x = &v->pieces[i], *const y = &v->pieces[j];
    if (x->lower < y->upper && y->lower < x->upper &&
        verify_bytes_meet(v, x, y))
      return true;
    if (x->upper <= y->upper)
      i++;
    else
      j++;
  }
  return false;
}

/* Compare a buffer that may share with all others. */
static bool
verify_shared_buffer(verify_state *v, size_t a)
{
  const tn_plan_problem *const p = v->problem;
  for (size_t i = 0; i < p->share_count; i++) {
    if (p->shares[i].a == a)
      v->partner[p->shares[i].b] = a + 1;
    if (p->shares[i].b == a)
      v->partner[p->shares[i].a] = a + 1;
  }
  for (size_t b = 0; b < p->count; b++) {
    const bool may_share =
        v->partner[b] == a + 1 && v->offsets[a] == v->offsets[b];
    if (b != a && !may_share && verify_pool_of(v, a) == verify_pool_of(v, b) &&
        verify_buffers_meet(v, a, b))
      return verify_fault(v, TN_PLAN_FAULT_OVERLAP, a, b);
  }
  return true;
}

static bool
verify_height(verify_state *v, size_t pool, int64_t capacity)
{
  const tn_plan_problem *const p = v->problem;
  int64_t height = 0;
  for (size_t i = 0; i < p->count; i++) {
    if (verify_pool_of(v, i) != pool)
      continue;
    for (size_t k = v->first_piece[i]; k < v->first_piece[i + 1]; k++) {
      const int64_t end = v->offsets[i] + v->pieces[k].high;
      if (end > capacity)
        return verify_fault(v, TN_PLAN_FAULT_CAPACITY, i, i);
      height = end > height ? end : height;
    }
  }
  if (__builtin_add_overflow(v->report->height, height, &v->report->height))
    v->report->height = INT64_MAX;
  return true;
}

static bool
verify_heights(verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  if (p->pool_count == 0)
    return verify_height(v, 0, p->capacity ? p->capacity : TN_PLAN_MAX);
  for (size_t pool = 0; pool < p->pool_count; pool++)
    if (!verify_height(v, pool, p->pools[pool].capacity))
      return false;
  return true;
}

static bool
verify_overlaps(verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  for (size_t i = 0; i < p->share_count; i++) {
    v->is_shared[p->shares[i].a] = true;
    v->is_shared[p->shares[i].b] = true;
  }
  verify_make_pieces(v);
  if (!verify_heights(v))
    return false;
  const size_t pools = tni_max(p->pool_count, 1);
  for (size_t pool = 0; pool < pools; pool++)
    if (!verify_sweep_pool(v, pool))
      return false;
  for (size_t i = 0; i < p->count; i++)
    if (v->is_shared[i] && !verify_shared_buffer(v, i))
      return false;
  return true;
}

/* ---- Each buffer by itself -------------------------------------------------- */

/* [plan.align] [plan.fixed] */
static bool
verify_offset(verify_state *v, size_t i)
{
  const tn_plan_buffer *const b = &v->problem->buffers[i];
  const int64_t offset = v->offsets[i];
  if (offset < 0 || (b->align > 1 && offset % b->align != 0) ||
      (b->fixed != TN_PLAN_FREE && offset != b->fixed))
    return verify_fault(v, TN_PLAN_FAULT_OFFSET, i, i);
  if (offset > TN_PLAN_MAX - b->size)
    return verify_fault(v, TN_PLAN_FAULT_CAPACITY, i, i);
  return true;
}

/* The buffers of one pool, or all: their height is added to the report's. */
static bool
verify_buffers(verify_state *v)
{
  const tn_plan_problem *const p = v->problem;
  for (size_t i = 0; i < p->count; i++) {
    if (p->pool_count &&
        (v->pools[i] >= p->pool_count ||
         (p->buffers[i].fixed != TN_PLAN_FREE && v->pools[i] != 0)))
      return verify_fault(v, TN_PLAN_FAULT_POOL, i, i);
    if (!verify_offset(v, i))
      return false;
  }
  return true;
}

/* Working memory as the options say; NULL when there is not enough. */
static void *
verify_get_block(const tn_plan_options *options, size_t size)
{
  if (size == SIZE_MAX ||
      (options->memory_limit && size > options->memory_limit))
    return NULL;
  if (options->provider)
    return tn_allocate(options->provider, size, sizeof(uint64_t)).pointer;
  const size_t skip = -tni_address(options->scratch) % sizeof(uint64_t);
  return options->scratch && options->scratch_size >= skip &&
                 options->scratch_size - skip >= size
             ? (unsigned char *)options->scratch + skip
             : NULL;
}

/* ---- The whole --------------------------------------------------------------- */

tn_status
tn_plan_verify(const tn_plan_problem *problem, const int64_t *offsets,
               const uint32_t *pools, const tn_plan_options *options,
               tn_plan_report *report)
{
  *report = (tn_plan_report){.fault = TN_PLAN_FAULT_NONE};
  verify_state v = {
      .problem = problem, .offsets = offsets, .pools = pools, .report = report};
  const tn_status status = verify_read_problem(&v);
  if (status != TN_OK)
    return status;
  if (!verify_buffers(&v))
    return TN_OK;
  const size_t size = verify_lay_out(&v, NULL);
  void *const block = verify_get_block(options, size);
  if (block == NULL)
    return TN_ENOMEM;
  memset(block, 0, size);
  verify_lay_out(&v, block);
  verify_overlaps(&v);
  if (options->provider)
    tn_release(options->provider, block, size, sizeof(uint64_t));
  return TN_OK;
}
