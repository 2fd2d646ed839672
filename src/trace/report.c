/* report.c -- what the forms of the report share; see report.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/analysis_life.h"
#include "trace/json.h"

/* ---- Numbers --------------------------------------------------------------- */

const char *
tni_report_bytes(uint64_t bytes, char text[24])
{
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    snprintf(text, 24, "%u B", (unsigned)bytes);
    return text;
  }
  double value = (double)bytes / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
    value /= 1024;
    unit++;
  }
  snprintf(text, 24, value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

const char *
tni_report_count(uint64_t count, char text[32])
{
  char digits[24];
  const int length =
      snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
  char *to = text;
  for (int i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0)
      *to++ = ',';
    *to++ = digits[i];
  }
  *to = '\0';
  return text;
}

const char *
tni_report_time(uint64_t ns, char text[24])
{
  static const char *const units[] = {"ns", "us", "ms", "s"};
  double value = (double)ns;
  size_t unit = 0;
  while (value >= 999.5 && unit < 3) {
    value /= 1000;
    unit++;
  }
  snprintf(text, 24, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value,
           units[unit]);
  return text;
}

/* Whatever a program was given, a terminal is to see text. */
static void
report_clean(char *text)
{
  for (char *c = text; *c;) {
    const int length = tni_json_sequence((const unsigned char *)c);
    if (length == 0)
      *c = '?';
    else if ((unsigned char)*c < ' ' || *c == 0x7f)
      *c = ' ';
    c += length ? length : 1;
  }
}

const char *
tni_report_command(const tni_analysis *a, char *text, size_t size)
{
  snprintf(text, size, "?");
  if (tni_trace_processes(a->trace) == 0)
    return text;
  const tni_trace_process *const p = tni_trace_process_at(a->trace, 0);
  size_t used = (size_t)snprintf(text, size, "%s",
                                 tni_symbols_base(p->path ? p->path : "?"));
  for (size_t i = 1; i < p->count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, " %s", p->arguments[i]);
  if (used >= size && size > 4)
    memcpy(text + size - 4, "...", 4);
  report_clean(text);
  return text;
}

double
tni_report_percent(uint64_t part, uint64_t whole)
{
  return whole ? 100.0 * (double)part / (double)whole : 0;
}

uint32_t
tni_report_threads(const tni_analysis *a)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < tni_trace_threads(a->trace); i++)
    count += a->threads[i].is_used;
  return count;
}

uint64_t
tni_report_rate(const tni_analysis *a)
{
  const uint64_t us = (a->end_ns - a->begin_ns) / 1000;
  return us ? a->totals.allocs * 1000000 / us : 0;
}

/* ---- Sites ----------------------------------------------------------------- */

uint64_t
tni_report_peak(const tni_site *site)
{
  return site->peak_bytes;
}

uint64_t
tni_report_most(const tni_site *site)
{
  return site->most_bytes;
}

uint64_t
tni_report_blocks(const tni_site *site)
{
  return site->blocks;
}

uint64_t
tni_report_left(const tni_site *site)
{
  return site->left_bytes;
}

uint64_t
tni_report_lost(const tni_site *site)
{
  return site->lost_bytes;
}

static int
report_compare(const void *left, const void *right)
{
  const tni_report_order *const a = left, *const b = right;
  if (a->weight != b->weight)
    return a->weight > b->weight ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

void
tni_report_order_by_weight(tni_report_order *order, size_t count)
{
  qsort(order, count, sizeof *order, report_compare);
}

uint32_t *
tni_report_sort(const tni_analysis *a, tni_report_value *value, size_t *count)
{
  tni_report_order *const order = tni_store_get(a->site_count, sizeof *order);
  *count = 0;
  for (uint32_t i = 0; i < a->site_count; i++)
    if (value(&a->sites[i]) > 0)
      order[(*count)++] = (tni_report_order){(double)value(&a->sites[i]), i};
  tni_report_order_by_weight(order, *count);
  uint32_t *const sites = tni_store_get(*count, sizeof *sites);
  for (size_t i = 0; i < *count; i++)
    sites[i] = order[i].index;
  free(order);
  return sites;
}

/* ---- Files ----------------------------------------------------------------- */

void
tni_report_progress(const char *what)
{
  if (!isatty(2))
    return;
  if (what)
    fprintf(stderr, "\r\033[Ktenure: %s ...", what);
  else
    fputs("\r\033[K", stderr);
}

tni_analysis *
tni_report_open(const char *trace, const tni_suppress *suppress)
{
  char problem[256] = "";
  tni_analysis *a;
  tni_report_progress("reading the trace");
  const tn_status status =
      tni_analysis_open(&a, trace, suppress, problem, sizeof problem);
  tni_report_progress(NULL);
  if (status == TN_OK)
    return a;
  fprintf(stderr, "tenure: %s: %s\n", trace,
          problem[0] ? problem : "cannot be read");
  return NULL;
}

tni_analysis *
tni_report_open_whole(const char *trace)
{
  tni_analysis *const a = tni_report_open(trace, NULL);
  const char *const refusal = a ? tni_replay_refusal(a) : NULL;
  if (refusal == NULL)
    return a;
  fprintf(stderr, "tenure: %s: it cannot be replayed: %s\n", trace, refusal);
  tni_analysis_close(a);
  return NULL;
}

void
tni_report_advise(tni_advices *advices, tni_analysis *a, tni_analysis *second,
                  const tni_machine *machine)
{
  tni_report_progress("replaying the run, to find advice");
  tni_advices_init(advices, a, second, machine);
  tni_report_progress(NULL);
}

typedef void report_writer(FILE *to, tni_analysis *a,
                           const tni_advices *advices);

static int
report_write(FILE *to, const char *trace, const tni_suppress *suppress,
             report_writer *write)
{
  tni_analysis *const a = tni_report_open(trace, suppress);
  if (a == NULL)
    return 1;
  tni_advices advices;
  tni_report_advise(&advices, a, NULL, NULL);
  write(to, a, &advices);
  tni_advices_fini(&advices);
  tni_analysis_close(a);
  return 0;
}

int
tni_report_text(FILE *to, const char *trace, const tni_suppress *suppress)
{
  return report_write(to, trace, suppress, tni_report_write_text);
}

int
tni_report_json(FILE *to, const char *trace, const tni_suppress *suppress)
{
  return report_write(to, trace, suppress, tni_report_write_json);
}

static void
report_write_advice_json(FILE *to, tni_analysis *a, const tni_advices *advices)
{
  tni_json j = tni_json_to(to);
  tni_json_open(&j, NULL, '{');
  tni_advices_write_json(&j, a, advices);
  tni_json_close(&j, '}');
  fputc('\n', to);
}

int
tni_report_advice(FILE *to, const char *trace, const char *second,
                  const tni_machine *machine, bool is_json)
{
  tni_analysis *const a = tni_report_open(trace, NULL);
  tni_analysis *const b = a && second ? tni_report_open_whole(second) : NULL;
  const bool is_good = a != NULL && (second == NULL || b != NULL);
  if (is_good) {
    tni_advices advices;
    tni_report_advise(&advices, a, b, machine);
    if (is_json)
      report_write_advice_json(to, a, &advices);
    else
      tni_advices_write_text(to, a, &advices, SIZE_MAX);
    tni_advices_fini(&advices);
  }
  tni_analysis_close(a);
  tni_analysis_close(b);
  return is_good ? 0 : 1;
}
