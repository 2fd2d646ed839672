/* plan_piece.c -- lifetimes without their gaps; see plan.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "plan.h"

/* A gap, and where it stands in the file. */
typedef struct piece_gap {
  tn_plan_gap gap;
  size_t at;
} piece_gap;

static int
piece_compare_gaps(const void *a, const void *b)
{
  const piece_gap *const x = a;
  const piece_gap *const y = b;
  if (x->gap.buffer != y->gap.buffer)
    return x->gap.buffer < y->gap.buffer ? -1 : 1;
  if (x->gap.lower != y->gap.lower)
    return x->gap.lower < y->gap.lower ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

static size_t
piece_push(cmd_piece *pieces, size_t count, cmd_piece piece)
{
  if (piece.lower >= piece.upper || piece.low >= piece.high)
    return count;
  pieces[count] = piece;
  return count + 1;
}

cmd_piece *
cmd_table_get_pieces(const cmd_table *t, size_t *count)
{
  piece_gap *const gaps = cmd_allocate(t->gap_count, sizeof *gaps);
  cmd_piece *const pieces =
      cmd_allocate(t->count + 2 * t->gap_count, sizeof *pieces);
  for (size_t i = 0; i < t->gap_count; i++)
    gaps[i] = (piece_gap){t->gaps[i], i};
  qsort(gaps, t->gap_count, sizeof *gaps, piece_compare_gaps);
  *count = 0;
  for (size_t i = 0, g = 0; i < t->count; i++) {
    const tn_plan_buffer *const b = &t->buffers[i];
    int64_t at = b->lower;
    for (; g < t->gap_count && gaps[g].gap.buffer == i; g++) {
      const tn_plan_gap *const gap = &gaps[g].gap;
      const int64_t begin = gap->lower > at ? gap->lower : at;
      const int64_t end = gap->upper < b->upper ? gap->upper : b->upper;
      if (begin >= end)
        continue;
      *count =
          piece_push(pieces, *count, (cmd_piece){i, at, begin, 0, b->size});
      *count = piece_push(pieces, *count,
                          (cmd_piece){i, begin, end, gap->low, gap->high});
      at = end;
    }
    *count =
        piece_push(pieces, *count, (cmd_piece){i, at, b->upper, 0, b->size});
  }
  free(gaps);
  return pieces;
}
