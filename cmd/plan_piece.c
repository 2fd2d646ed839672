/* plan_piece.c -- lifetimes without their gaps; see plan.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "plan.h"

static int
piece_compare_gaps(const void *a, const void *b)
{
  const tn_plan_gap *const x = a;
  const tn_plan_gap *const y = b;
  if (x->buffer != y->buffer)
    return x->buffer < y->buffer ? -1 : 1;
  return (x->lower > y->lower) - (x->lower < y->lower);
}

static size_t
piece_push(cmd_piece *pieces, size_t count, size_t buffer, int64_t lower,
           int64_t upper)
{
  if (lower >= upper)
    return count;
  pieces[count] = (cmd_piece){buffer, lower, upper};
  return count + 1;
}

cmd_piece *
cmd_table_get_pieces(const cmd_table *t, size_t *count)
{
  tn_plan_gap *const gaps = cmd_allocate(t->gap_count, sizeof *gaps);
  cmd_piece *const pieces =
      cmd_allocate(t->count + t->gap_count, sizeof *pieces);
  for (size_t i = 0; i < t->gap_count; i++)
    gaps[i] = t->gaps[i];
  qsort(gaps, t->gap_count, sizeof *gaps, piece_compare_gaps);
  *count = 0;
  for (size_t i = 0, g = 0; i < t->count; i++) {
    const int64_t upper = t->buffers[i].upper;
    int64_t at = t->buffers[i].lower;
    for (; g < t->gap_count && gaps[g].buffer == i; g++) {
      const int64_t end = gaps[g].lower < upper ? gaps[g].lower : upper;
      *count = piece_push(pieces, *count, i, at, end);
      at = gaps[g].upper > at ? gaps[g].upper : at;
    }
    *count = piece_push(pieces, *count, i, at, upper);
  }
  free(gaps);
  return pieces;
}
