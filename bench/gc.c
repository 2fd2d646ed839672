/* gc.c -- garbage-collected workloads on any collector
 *
 *   gc WORKLOAD [SIZE] [--collector NAME] [--heap 400M] [--json]
 *      [--workers N] [--nursery 4M] [--sizing fixed|growable|adaptive]
 *      [--stack] [--survive 0.1] [--quiet] [--help]
 *
 * Workloads: binary-trees, gcbench, quads, ephemerons, table, graph, survival,
 * alloc.  Prints the workload's own lines and then figures as
 * name,variant,metric,value.  Without a workload it runs small ones of all.
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>

#include "gc/bench.h"
#include "gc/figures.h"
#include "gc/gcbench.h"
#include "gc/quads.h"
#include "gc/tables.h"
#include "gc/trees.h"

typedef struct workload {
  const char *name;
  void (*run)(bench *);
  size_t size;  // when none is given
} workload;

static const workload workloads[] = {
    {"binary-trees", trees_run, 16},
    {"gcbench", gcbench_run, 14},
    {"quads", quads_run, 8},
    {"ephemerons", ephemerons_run, 50000},
    {"table", table_run, 100000},
    {"graph", graph_run, 500000},
    {"survival", survival_run, 5000000},
    {"alloc", alloc_run, 5000000},
};

#define WORKLOADS (sizeof workloads / sizeof workloads[0])

static void
usage(const char *what, const char *which)
{
  fprintf(stderr, "bench/gc: %s %s; workloads are", what, which);
  for (size_t i = 0; i < WORKLOADS; i++)
    fprintf(stderr, " %s", workloads[i].name);
  fprintf(stderr, "\n");
  exit(2);
}

static void
help(void)
{
  printf("gc [WORKLOAD] [SIZE]  garbage-collected workloads\n\nworkloads, and "
         "the size when none is given:\n");
  for (size_t i = 0; i < WORKLOADS; i++)
    printf("  %-14s %zu\n", workloads[i].name, workloads[i].size);
  printf("without one small ones of all run\n\n"
         "  --collector NAME  one of");
  const char *name;
  for (size_t i = 0; (name = tn_gc_collector_name(i)) != NULL; i++)
    printf(" %s", name);
  printf(
      "; otherwise $TENURE_GC, or gen\n"
      "  --heap 400M       the most it may use (400M); K, M, G\n"
      "  --sizing HOW      of the limit: fixed (usual), growable, adaptive\n"
      "  --nursery 4M      gen: of this size; otherwise it adapts\n"
      "  --workers N       threads that mark (1)\n"
      "  --stack           plain variables are roots, no frames\n"
      "  --survive 0.1     survival: the share that lives a while\n"
      "  --json            one object; otherwise name,variant,metric,value\n"
      "  --quiet           only the figures\n"
      "\nfigures: cpu_s and wall_s; pauses and their histogram; mmu_N_ms, the "
      "least share of\nany N ms that the program had; what the heap says of "
      "itself; traced_per_allocated,\nbytes traced per byte allocated\n");
  exit(0);
}

/* A number with K, M or G behind it. */
static size_t
read_size(const char *text)
{
  char *end;
  errno = 0;
  const double n = strtod(text, &end);
  static const char units[] = "KMG";
  const char *const unit = *end ? strchr(units, *end) : NULL;
  const double bytes =
      n * (unit ? (double)((size_t)1024 << 10 * (unit - units)) : 1);
  if (end == text || errno || (*end && (!unit || end[1])) || !(bytes >= 0) ||
      bytes > 1e15)
    usage("not a size:", text);
  return (size_t)bytes;
}

static tn_gc_sizing
read_sizing(const char *text)
{
  static const char *const names[] = {"fixed", "growable", "adaptive"};
  for (size_t i = 0; i < 3; i++)
    if (strcmp(names[i], text) == 0)
      return (tn_gc_sizing)i;
  usage("no sizing is called", text);
  return TN_GC_FIXED;
}

typedef struct command {
  const char *workload;
  size_t size;
  bool has_size;
  bool json;
  bool quiet;
  double survive;
  tn_gc_options options;
} command;

/* An option that has a value. */
static bool
read_option(command *c, const char *name, const char *value)
{
  if (strcmp(name, "--collector") == 0)
    c->options.collector = value;
  else if (strcmp(name, "--heap") == 0)
    c->options.heap_size = read_size(value);
  else if (strcmp(name, "--workers") == 0)
    c->options.workers = (unsigned)read_size(value);
  else if (strcmp(name, "--nursery") == 0)
    c->options.nursery_size = read_size(value);
  else if (strcmp(name, "--sizing") == 0)
    c->options.sizing = read_sizing(value);
  else if (strcmp(name, "--survive") == 0)
    c->survive = strtod(value, NULL);
  else
    return false;
  return true;
}

static void
read_arguments(command *c, int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    const char *const a = argv[i];
    if (strcmp(a, "--help") == 0)
      help();
    else if (strcmp(a, "--json") == 0)
      c->json = true;
    else if (strcmp(a, "--quiet") == 0)
      c->quiet = true;
    else if (strcmp(a, "--stack") == 0)
      c->options.scans_stacks = true;
    else if (a[0] == '-') {
      if (i + 1 == argc || !read_option(c, a, argv[i + 1]))
        usage("no such option, or no value for it:", a);
      i++;
    } else if (!c->workload)
      c->workload = a;
    else if (!c->has_size) {
      c->size = read_size(a);
      c->has_size = true;
    } else
      usage("too much:", a);
  }
}

static void
make_types(bench *b)
{
  b->node = tn_gc_type(b->heap,
                       &(tn_type_spec){.name = "node",
                                       .size = sizeof(struct bench_node),
                                       .map = 3},
                       NULL);
  b->refs = tn_gc_type(
      b->heap,
      &(tn_type_spec){.name = "refs",
                      .size = sizeof(struct bench_refs),
                      .count_offset = offsetof(struct bench_refs, count),
                      .element_size = sizeof(tn_ref),
                      .element_map = 1},
      NULL);
  b->bytes = tn_gc_type(
      b->heap,
      &(tn_type_spec){.name = "bytes",
                      .size = sizeof(struct bench_bytes),
                      .count_offset = offsetof(struct bench_bytes, count),
                      .element_size = 1},
      NULL);
}

static int
run(const workload *w, const command *c)
{
  bench b = {.size = c->has_size ? c->size : w->size,
             .quiet = c->json || c->quiet,
             .plain = c->options.scans_stacks,
             .survive = c->survive};
  b.heap = tn_gc_create(&c->options, NULL);
  if (!b.heap)
    return 2;
  b.m = tn_gc_attach(b.heap, NULL);
  figures f = {.listener = {figures_hear},
               .workload = w->name,
               .variant = tn_gc_collector(b.heap),
               .json = c->json};
  f.pause = calloc(FIGURES_PAUSES, sizeof *f.pause);
  if (!b.m || !f.pause)
    return 3;
  make_types(&b);
  (void)tn_listen(&f.listener);
  const uint64_t cpu = figures_clock(CLOCK_PROCESS_CPUTIME_ID);
  const uint64_t wall = figures_clock(CLOCK_MONOTONIC);
  w->run(&b);
  const uint64_t cpu_spent = figures_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  const uint64_t wall_spent = figures_clock(CLOCK_MONOTONIC) - wall;
  (void)tn_listen(NULL);
  figures_print(&f, b.heap, cpu_spent, wall_spent);
  tn_gc_detach(b.m);
  tn_gc_destroy(b.heap);
  free(f.pause);
  return 0;
}

int
main(int argc, char **argv)
{
  command c = {.survive = 0.1};
  read_arguments(&c, argc, argv);
  if (c.options.heap_size == 0)
    c.options.heap_size = (size_t)400 << 20;
  int status = 0;
  for (size_t i = 0; i < WORKLOADS && status == 0; i++) {
    if (c.workload && strcmp(c.workload, workloads[i].name) != 0)
      continue;
    status = run(&workloads[i], &c);
    if (c.workload)
      return status;
  }
  if (c.workload)
    usage("no workload is called", c.workload);
  return status;
}
