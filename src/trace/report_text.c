/* report_text.c -- the report on one screen; see report.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/report.h"
#include "trace/report_pools.h"

enum { TEXT_WIDTH = 78, TEXT_ROWS = 5, TEXT_NAME = 34 };

typedef struct text_style {
  const char *head, *dim, *warn, *end;
} text_style;

static text_style
text_style_of(FILE *to)
{
  const int file = fileno(to);
  const char *const term = getenv("TERM");
  if (file < 0 || !isatty(file) || getenv("NO_COLOR") != NULL ||
      (term && strcmp(term, "dumb") == 0))
    return (text_style){"", "", "", ""};
  return (text_style){"\033[1m", "\033[2m", "\033[33m", "\033[0m"};
}

/* ---- Parts ----------------------------------------------------------------- */

static void
text_heading(FILE *to, const tni_analysis *a, const text_style *s)
{
  char command[TEXT_WIDTH - 24], time[24];
  const uint32_t images = tni_trace_processes(a->trace);
  const uint32_t threads = tni_report_threads(a);
  tni_report_command(a, command, sizeof command);
  fprintf(to, "%s%s%s  %s%s", s->head, command, s->end, s->dim,
          tni_report_time(a->end_ns - a->begin_ns, time));
  if (images > 1)
    fprintf(to, ", %u programs", images);
  if (threads > images)
    fprintf(to, ", %u threads", threads);
  fprintf(to, "%s\n", s->end);
  const char *const problem = tni_trace_problem(a->trace);
  if (problem)
    fprintf(to, "%sthe trace is damaged: %s%s\n", s->warn, problem, s->end);
  if (a->totals.lost) {
    char lost[32];
    fprintf(to, "%s%s events could not be recorded%s\n", s->warn,
            tni_report_count(a->totals.lost, lost), s->end);
  }
  if (a->totals.sampled) {
    char rate[24];
    fprintf(to, "  blocks and bytes are estimated from samples, one in %s\n",
            tni_report_bytes(a->totals.sampled, rate));
  }
}

/* resident = heap + stacks + mappings + files + rest, where there was most. */
static void
text_resident(FILE *to, const tni_analysis *a)
{
  const tni_resident_parts *const p = &a->totals.peak_resident;
  char bytes[24], count[32], when[24];
  if (p->resident == 0)
    return;
  fprintf(to, "  resident   %10s at most, at %s; %s page faults\n",
          tni_report_bytes(p->resident, bytes),
          tni_report_time(a->totals.peak_resident_ns - a->begin_ns, when),
          tni_report_count(a->totals.faults, count));
  fprintf(to, "             = heap %s", tni_report_bytes(p->heap, bytes));
  fprintf(to, " + stacks %s", tni_report_bytes(p->stacks, bytes));
  fprintf(to, " + mappings %s\n", tni_report_bytes(p->mappings, bytes));
  fprintf(to, "             + files %s", tni_report_bytes(p->files, bytes));
  fprintf(to, " + rest %s\n", tni_report_bytes(p->rest, bytes));
}

static void
text_totals(FILE *to, const tni_analysis *a)
{
  const tni_totals *const t = &a->totals;
  char bytes[24], count[32], when[24], rate[32];
  if (t->has_sums)
    fprintf(to,
            "  sums by stack (--tallies): no peak of the whole, no lives\n");
  else
    fprintf(to, "  peak       %10s in %s blocks, at %s\n",
            tni_report_bytes(t->peak_bytes, bytes),
            tni_report_count(t->peak_blocks, count),
            tni_report_time(t->peak_ns - a->begin_ns, when));
  fprintf(to, "  allocated  %10s in %s blocks, %s a second",
          tni_report_bytes(t->bytes, bytes), tni_report_count(t->allocs, count),
          tni_report_count(tni_report_rate(a), rate));
  if (t->resizes)
    fprintf(to, "; %s resizes", tni_report_count(t->resizes, count));
  fputc('\n', to);
  text_resident(to, a);
  const uint64_t lost_blocks = t->lost_blocks + t->indirect_blocks;
  fprintf(to, "  at exit    %10s in %s blocks",
          tni_report_bytes(t->left_bytes, bytes),
          tni_report_count(t->left_blocks, count));
  if (t->has_marks && lost_blocks == 0)
    fprintf(to, ", none of them unreachable");
  else if (t->has_marks)
    fprintf(to, "; unreachable %s in %s",
            tni_report_bytes(t->lost_bytes + t->indirect_bytes, bytes),
            tni_report_count(lost_blocks, count));
  if (t->suppressed_blocks)
    fprintf(to, "; %s in %s blocks suppressed",
            tni_report_bytes(t->suppressed_bytes, bytes),
            tni_report_count(t->suppressed_blocks, count));
  fputc('\n', to);
}

/* The live bytes over time as one line of bars. */
static void
text_curve(FILE *to, const tni_analysis *a, const text_style *s)
{
  static const char *const bars[] = {" ", "▁", "▂", "▃", "▄",
                                     "▅", "▆", "▇", "█"};
  enum { COLUMNS = 60, EACH = TNI_BUCKETS / COLUMNS };
  fprintf(to, "  live       %s", s->dim);
  for (int column = 0; column < COLUMNS; column++) {
    uint64_t most = 0;
    for (int i = 0; i < EACH; i++) {
      const uint64_t value = a->buckets[column * EACH + i].most;
      most = value > most ? value : most;
    }
    const uint64_t peak = a->totals.peak_bytes ? a->totals.peak_bytes : 1;
    uint64_t level = (uint64_t)((double)most * 8 / (double)peak + 0.5);
    if (level == 0 && most > 0)
      level = 1;
    fputs(bars[level > 8 ? 8 : level], to);
  }
  fprintf(to, "%s\n", s->end);
}

/* The name of a frame, no longer than TEXT_NAME. */
static const char *
text_name(tni_analysis *a, uint32_t frame, char name[256])
{
  char whole[512];
  tni_names_write(tni_names_place(&a->names, frame), whole, sizeof whole);
  return tni_names_brief(whole, TEXT_NAME, name, 256);
}

/* Which escape covers half of a site's blocks, in a word. */
static const char *
text_life(tni_analysis *a, const tni_site *site, char *text, size_t size)
{
  const uint64_t half = site->blocks / 2;
  uint64_t near = 0;
  if (site->left_blocks > half)
    return "never freed";
  if (site->temporary > half && a->totals.sampled == 0)
    return "freed at once";
  for (uint32_t i = 0; i <= TNI_ESCAPE_FAR; i++)
    near += site->escapes[i];
  const tni_holding *best = NULL;
  for (uint32_t i = 0; i < site->holder_count; i++)
    if (best == NULL || site->holders[i].blocks > best->blocks)
      best = &site->holders[i];
  if (near > half && best && best->function) {
    const char *const name = a->names.functions[best->function].name;
    if (name) {
      char brief[256];
      snprintf(text, size, "within %s",
               tni_names_brief(name, size - 8, brief, sizeof brief));
      return text;
    }
  }
  if (site->escapes[TNI_ESCAPE_OTHER] > half)
    return "by another thread";
  if (a->totals.has_sums)
    return "";
  char time[24];
  snprintf(text, size, "after %s",
           tni_report_time(site->frees ? site->lifetime_ns / site->blocks : 0,
                           time));
  return text;
}

static void
text_sites(FILE *to, tni_analysis *a, const text_style *s, const char *title,
           tni_report_value *value, uint64_t whole, bool is_bytes)
{
  size_t count;
  uint32_t *const sites = tni_report_sort(a, value, &count);
  if (count && whole)
    fprintf(to, "%s%s%s\n", s->head, title, s->end);
  for (size_t i = 0; i < count && i < TEXT_ROWS && whole; i++) {
    const tni_site *const site = &a->sites[sites[i]];
    char name[256], amount[32], life[23];
    const double percent = tni_report_percent(value(site), whole);
    if (percent < 1 && i > 0)
      break;
    fprintf(to, "  %5.1f %%  %10s  %-*s %s%s%s\n", percent,
            is_bytes ? tni_report_bytes(value(site), amount)
                     : tni_report_count(value(site), amount),
            TEXT_NAME, text_name(a, site->frame, name), s->dim,
            text_life(a, site, life, sizeof life), s->end);
  }
  free(sites);
}

static void
text_lives(FILE *to, const tni_analysis *a)
{
  const tni_totals *const t = &a->totals;
  if (t->allocs == 0)
    return;
  const uint64_t *const o = t->orders;
  fprintf(to,
          "  lives      %.0f %% went last in first out, %.0f %% many together, "
          "%.0f %% first in first\n             out, %.0f %% in another order, "
          "%.0f %% on another thread, %.0f %% never\n",
          tni_report_percent(o[TNI_ORDER_LIFO], t->allocs),
          tni_report_percent(o[TNI_ORDER_TOGETHER], t->allocs),
          tni_report_percent(o[TNI_ORDER_FIFO], t->allocs),
          tni_report_percent(o[TNI_ORDER_ANY], t->allocs),
          tni_report_percent(o[TNI_ORDER_OTHER], t->allocs),
          tni_report_percent(o[TNI_ORDER_LEFT], t->allocs));
}

static void
text_mismatches(FILE *to, tni_analysis *a, const text_style *s)
{
  for (size_t i = 0; i < a->mismatch_count && i < TEXT_ROWS; i++) {
    const tni_mismatch *const m = &a->mismatches[i];
    const tni_path *const path = &a->paths[m->path];
    char from[256], to_text[256] = "?", count[32];
    text_name(a, a->sites[path->site].frame, from);
    const uint32_t node = m->node ? tni_names_site(&a->names, m->node) : 0;
    if (node)
      text_name(a, tni_trace_node_at(a->trace, node)->frame, to_text);
    fprintf(to, "%s  mismatch%s   %s of %s given to %s by %s, %s times\n",
            s->warn, s->end, tni_trace_api_name((tn_trace_api)path->api), from,
            tni_trace_api_name((tn_trace_api)m->api), to_text,
            tni_report_count(m->count, count));
  }
}

static void
text_growing(FILE *to, tni_analysis *a, const text_style *s)
{
  size_t count, shown = 0;
  uint32_t *const sites = tni_report_sort(a, tni_report_left, &count);
  for (size_t i = 0; i < count && i < 20 && shown < 3; i++) {
    if (!a->sites[sites[i]].is_growing)
      continue;
    char name[256], bytes[24];
    fprintf(to, "%s  growing%s    %10s  %-*s never falls\n", s->warn, s->end,
            tni_report_bytes(a->sites[sites[i]].left_bytes, bytes), TEXT_NAME,
            text_name(a, a->sites[sites[i]].frame, name));
    shown++;
  }
  free(sites);
}

static uint64_t
text_sum(const tni_analysis *a, tni_report_value *value)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < a->site_count; i++)
    sum += value(&a->sites[i]);
  return sum;
}

void
tni_report_write_text(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  const text_style style = text_style_of(to);
  text_heading(to, a, &style);
  if (a->totals.allocs == 0) {
    fprintf(to, "  no allocation was recorded\n");
    tni_report_pools_text(to, a, style.head, style.end);
    return;
  }
  text_totals(to, a);
  if (!a->totals.has_sums)
    text_curve(to, a, &style);
  /* The order in which blocks go is not seen in samples. */
  if (a->totals.sampled == 0 && !a->totals.has_sums)
    text_lives(to, a);
  text_mismatches(to, a, &style);
  text_growing(to, a, &style);
  if (a->totals.has_sums)
    text_sites(to, a, &style, "most at once, each site by itself",
               tni_report_most, text_sum(a, tni_report_most), true);
  else
    text_sites(to, a, &style, "at the peak", tni_report_peak,
               a->totals.peak_bytes, true);
  text_sites(to, a, &style, "most often", tni_report_blocks, a->totals.allocs,
             false);
  if (a->totals.has_marks)
    text_sites(to, a, &style, "lost", tni_report_lost, a->totals.left_bytes,
               true);
  else
    text_sites(to, a, &style, "never freed", tni_report_left,
               a->totals.left_bytes, true);
  tni_report_pools_text(to, a, style.head, style.end);
  tni_advices_write_summary(to, a, advices, style.head, style.end);
}
