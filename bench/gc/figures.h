/* figures.h -- pauses as a listener sees them, and printing
 *
 * Prints name,variant,metric,value, or one JSON object.
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_GC_FIGURES_H
#define BENCH_GC_FIGURES_H

#include <sys/resource.h>
#include <time.h>

#include <tenure/event.h>

#include "bench.h"

#define FIGURES_PAUSES ((size_t)1 << 20)

typedef struct figures {
  tn_listener listener;  // first
  const char *workload;
  const char *variant;
  bool json;
  bool any;  // a figure was printed
  uint64_t begun;
  uint64_t ended;
  struct {
    uint64_t at;
    uint64_t spent;
  } * pause;
  size_t pauses;
  uint64_t stopped;
} figures;

static uint64_t
figures_clock(clockid_t clock)
{
  struct timespec t;
  (void)clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
figures_hear(tn_listener *listener, const tn_event *event)
{
  figures *const f = (figures *)(void *)listener;
  if (event->kind == TN_EVENT_COLLECT) {
    f->stopped = figures_clock(CLOCK_MONOTONIC);
  } else if (event->kind == TN_EVENT_COLLECTED && f->pauses < FIGURES_PAUSES) {
    f->pause[f->pauses].at = f->stopped;
    f->pause[f->pauses++].spent = figures_clock(CLOCK_MONOTONIC) - f->stopped;
  }
}

static void
figures_say(figures *f, const char *metric, double value)
{
  if (f->json)
    printf("%s\n  \"%s\": %.6g", f->any ? "," : "", metric, value);
  else
    printf("%s,%s,%s,%.6g\n", f->workload, f->variant, metric, value);
  f->any = true;
}

static int
figures_compare(const void *a, const void *b)
{
  const uint64_t x = *(const uint64_t *)a;
  const uint64_t y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Nanoseconds of pauses within [from, to). */
static uint64_t
figures_paused(const figures *f, size_t first, uint64_t from, uint64_t to)
{
  uint64_t sum = 0;
  for (size_t i = first; i < f->pauses && f->pause[i].at < to; i++) {
    const uint64_t at = f->pause[i].at > from ? f->pause[i].at : from;
    const uint64_t end = f->pause[i].at + f->pause[i].spent;
    const uint64_t until = end < to ? end : to;
    sum += until > at ? until - at : 0;
  }
  return sum;
}

/* The least share of a window that the mutator had: a worst window begins with
 * a pause or ends with one. */
static double
figures_mmu(const figures *f, uint64_t window)
{
  uint64_t most = 0;
  for (size_t i = 0; i < f->pauses; i++) {
    const uint64_t begins =
        figures_paused(f, i, f->pause[i].at, f->pause[i].at + window);
    most = begins > most ? begins : most;
    const uint64_t end = f->pause[i].at + f->pause[i].spent;
    const uint64_t from = end > window ? end - window : 0;
    size_t first = i;
    while (first > 0 &&
           f->pause[first - 1].at + f->pause[first - 1].spent > from)
      first--;
    const uint64_t ends = figures_paused(f, first, from, end);
    most = ends > most ? ends : most;
  }
  return most >= window ? 0 : 1 - (double)most / (double)window;
}

static void
figures_histogram(figures *f)
{
  static const unsigned edges_us[] = {100,   300,   1000,   3000,
                                      10000, 30000, 100000, 300000};
  for (size_t e = 0; e <= sizeof edges_us / sizeof edges_us[0]; e++) {
    const bool last = e == sizeof edges_us / sizeof edges_us[0];
    size_t n = 0;
    for (size_t i = 0; i < f->pauses; i++) {
      const uint64_t us = f->pause[i].spent / 1000;
      n += (last || us < edges_us[e]) && (e == 0 || us >= edges_us[e - 1]);
    }
    char name[40];
    if (last)
      (void)snprintf(name, sizeof name, "pauses_from_%u_us", edges_us[e - 1]);
    else
      (void)snprintf(name, sizeof name, "pauses_below_%u_us", edges_us[e]);
    figures_say(f, name, (double)n);
  }
}

static void
figures_pauses(figures *f)
{
  static const unsigned windows_ms[] = {1, 5, 20, 100};
  uint64_t *const sorted = calloc(f->pauses + 1, sizeof *sorted);
  if (!sorted)
    return;
  for (size_t i = 0; i < f->pauses; i++)
    sorted[i] = f->pause[i].spent;
  qsort(sorted, f->pauses, sizeof *sorted, figures_compare);
  const size_t last = f->pauses ? f->pauses - 1 : 0;
  figures_say(f, "pauses", (double)f->pauses);
  figures_say(f, "pause_median_ms", (double)sorted[f->pauses / 2] / 1e6);
  figures_say(f, "pause_p95_ms", (double)sorted[f->pauses * 95 / 100] / 1e6);
  figures_say(f, "pause_max_ms", (double)sorted[last] / 1e6);
  free(sorted);
  figures_histogram(f);
  for (size_t i = 0; i < 4; i++) {
    char name[40];
    (void)snprintf(name, sizeof name, "mmu_%u_ms", windows_ms[i]);
    figures_say(f, name, figures_mmu(f, (uint64_t)windows_ms[i] * 1000000));
  }
}

static void
figures_print(figures *f, tn_gc *heap, uint64_t cpu, uint64_t wall)
{
  tn_gc_stats s;
  struct rusage use;
  tn_gc_get_stats(heap, &s);
  (void)getrusage(RUSAGE_SELF, &use);
  if (f->json)
    printf("{\n  \"workload\": \"%s\",\n  \"collector\": \"%s\"", f->workload,
           f->variant);
  f->any = f->json;
  figures_say(f, "cpu_s", (double)cpu / 1e9);
  figures_say(f, "wall_s", (double)wall / 1e9);
  figures_say(f, "rss_mb", (double)use.ru_maxrss / 1024);
  figures_pauses(f);
#define SAY(name, text) figures_say(f, #name, (double)s.name);
  TN_GC_STATS_TABLE(SAY)
#undef SAY
  figures_say(f, "traced_per_allocated",
              s.allocated_bytes
                  ? (double)s.traced_bytes / (double)s.allocated_bytes
                  : 0);
  for (unsigned i = 0; i < s.workers && s.workers > 1; i++) {
    char name[40];
    (void)snprintf(name, sizeof name, "worker_%u_objects", i);
    figures_say(f, name, (double)s.worker_objects[i]);
  }
  if (f->json)
    printf("\n}\n");
}

#endif
