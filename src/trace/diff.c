/* diff.c -- two runs of a program, site by site; see report.h
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "trace/report.h"

enum { DIFF_ROWS = 20, DIFF_NAME = 46 };

/* A site of either run; those that have the same function and line in both are
 * one. */
typedef struct diff_row {
  const tni_symbol_frame *frame;
  int64_t peak[2], blocks[2], left[2];
} diff_row;

typedef struct diff_rows {
  diff_row *items;
  size_t count, room;
} diff_rows;

static bool
diff_is_same(const tni_symbol_frame *a, const tni_symbol_frame *b)
{
  return a->line == b->line && strcmp(a->function, b->function) == 0;
}

/* Sites are few thousand at most that matter; the table finds them by a hash of
 * function and line. */
static diff_row *
diff_find(diff_rows *rows, tni_map *by_hash, const tni_symbol_frame *frame)
{
  const uint64_t hash = tni_texts_hash(frame->function) ^ frame->line;
  for (uint64_t probe = 0;; probe++) {
    bool is_new;
    uint32_t *const at = tni_map_enter(by_hash, hash, probe, &is_new);
    if (!is_new && *at < rows->count && rows->items != NULL) {
      diff_row *const row = &rows->items[*at];
      if (row->frame && diff_is_same(row->frame, frame))
        return row;
      continue;
    }
    rows->items = tni_store_grow(rows->items, &rows->room, rows->count + 1,
                                 sizeof *rows->items);
    *at = (uint32_t)rows->count;
    rows->items[rows->count] = (diff_row){.frame = frame};
    return &rows->items[rows->count++];
  }
}

static void
diff_add(diff_rows *rows, tni_map *by_hash, tni_analysis *a, int which)
{
  for (size_t i = 0; i < a->site_count; i++) {
    const tni_site *const s = &a->sites[i];
    if (s->blocks == 0)
      continue;
    diff_row *const row = diff_find(
        rows, by_hash, tni_names_shown(tni_names_place(&a->names, s->frame)));
    row->peak[which] += (int64_t)s->peak_bytes;
    row->blocks[which] += (int64_t)s->blocks;
    row->left[which] += (int64_t)s->left_bytes;
  }
}

static int64_t
diff_weight(const diff_row *row)
{
  return llabs(row->peak[1] - row->peak[0]) +
         llabs(row->left[1] - row->left[0]) +
         16 * llabs(row->blocks[1] - row->blocks[0]);
}

static int
diff_compare(const void *left, const void *right)
{
  const int64_t a = diff_weight(left), b = diff_weight(right);
  if (a != b)
    return a > b ? -1 : 1;
  const diff_row *const x = left, *const y = right;
  return strcmp(x->frame->function, y->frame->function);
}

/* ---- Forms ------------------------------------------------------------------- */

static const char *
diff_bytes(int64_t change, char text[32])
{
  char amount[24];
  tni_report_bytes((uint64_t)llabs(change), amount);
  snprintf(text, 32, "%s%s", change < 0 ? "-" : change > 0 ? "+" : "", amount);
  return text;
}

static void
diff_total(FILE *to, const char *name, uint64_t before, uint64_t after,
           bool is_bytes)
{
  char from[32], until[32];
  const double percent =
      before ? 100 * ((double)after - (double)before) / (double)before : 0;
  fprintf(to, "  %-12s %14s  ->  %14s  %+.1f %%\n", name,
          is_bytes ? tni_report_bytes(before, from)
                   : tni_report_count(before, from),
          is_bytes ? tni_report_bytes(after, until)
                   : tni_report_count(after, until),
          percent);
}

/* One line for each of the two that is an estimate. */
static void
diff_estimate(FILE *to, const char *name, const tni_analysis *a)
{
  char rate[32];
  if (a->totals.sampled)
    fprintf(to, "  %s is estimated from samples, one in %s\n", name,
            tni_report_bytes(a->totals.sampled, rate));
}

static void
diff_text(FILE *to, const tni_analysis *a, const tni_analysis *b,
          const diff_rows *rows)
{
  diff_estimate(to, "the first", a);
  diff_estimate(to, "the second", b);
  diff_total(to, "peak", a->totals.peak_bytes, b->totals.peak_bytes, true);
  diff_total(to, "allocated", a->totals.bytes, b->totals.bytes, true);
  diff_total(to, "allocations", a->totals.allocs, b->totals.allocs, false);
  diff_total(to, "left", a->totals.left_bytes, b->totals.left_bytes, true);
  for (size_t i = 0; i < rows->count && i < DIFF_ROWS; i++) {
    const diff_row *const r = &rows->items[i];
    if (diff_weight(r) == 0)
      break;
    char peak[32], left[32], where[64] = "";
    if (i == 0)
      fprintf(to, "  %12s %12s %12s  site\n", "peak", "allocations", "left");
    if (r->frame->file)
      snprintf(where, sizeof where, " (%.40s:%u)",
               tni_symbols_base(r->frame->file), r->frame->line);
    fprintf(to, "  %12s %+12lld %12s  %.*s%s\n",
            diff_bytes(r->peak[1] - r->peak[0], peak),
            (long long)(r->blocks[1] - r->blocks[0]),
            diff_bytes(r->left[1] - r->left[0], left), DIFF_NAME,
            r->frame->function, where);
  }
}

static void
diff_pair(tni_json *j, const char *key, int64_t before, int64_t after)
{
  tni_json_open(j, key, '[');
  tni_json_number(j, NULL, (uint64_t)before);
  tni_json_number(j, NULL, (uint64_t)after);
  tni_json_close(j, ']');
}

static void
diff_json(FILE *to, const tni_analysis *a, const tni_analysis *b,
          const diff_rows *rows)
{
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  diff_pair(&j, "peak_bytes", (int64_t)a->totals.peak_bytes,
            (int64_t)b->totals.peak_bytes);
  diff_pair(&j, "bytes", (int64_t)a->totals.bytes, (int64_t)b->totals.bytes);
  diff_pair(&j, "allocs", (int64_t)a->totals.allocs, (int64_t)b->totals.allocs);
  diff_pair(&j, "left_bytes", (int64_t)a->totals.left_bytes,
            (int64_t)b->totals.left_bytes);
  diff_pair(&j, "sampled", (int64_t)a->totals.sampled,
            (int64_t)b->totals.sampled);
  tni_json_open(&j, "sites", '[');
  for (size_t i = 0; i < rows->count; i++) {
    const diff_row *const r = &rows->items[i];
    tni_json_open(&j, NULL, '{');
    tni_json_text(&j, "function", r->frame->function);
    tni_json_text(&j, "file", r->frame->file);
    tni_json_number(&j, "line", r->frame->line);
    diff_pair(&j, "peak_bytes", r->peak[0], r->peak[1]);
    diff_pair(&j, "blocks", r->blocks[0], r->blocks[1]);
    diff_pair(&j, "left_bytes", r->left[0], r->left[1]);
    tni_json_close(&j, '}');
  }
  tni_json_close(&j, ']');
  tni_json_close(&j, '}');
  fputc('\n', to);
}

int
tni_report_diff(FILE *to, const char *before, const char *after,
                const tni_suppress *suppress, bool is_json)
{
  tni_analysis *const a = tni_report_open(before, suppress);
  tni_analysis *const b = a ? tni_report_open(after, suppress) : NULL;
  if (b != NULL) {
    diff_rows rows = {.count = 0};
    tni_map by_hash = {0};
    diff_add(&rows, &by_hash, a, 0);
    diff_add(&rows, &by_hash, b, 1);
    if (rows.count)
      qsort(rows.items, rows.count, sizeof *rows.items, diff_compare);
    if (is_json)
      diff_json(to, a, b, &rows);
    else
      diff_text(to, a, b, &rows);
    free(rows.items);
    tni_map_fini(&by_hash);
  }
  const int failed = b == NULL;
  tni_analysis_close(a);
  tni_analysis_close(b);
  return failed;
}
