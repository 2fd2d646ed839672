/* solve.c -- plan one instance and say how well and how fast
 *
 *     solve NAME SOURCE [fit CAPACITY] [time SECONDS] [nodes N] [shuffle SEED]
 *           [reverse]
 *
 * SOURCE is a CSV file with the columns id,lower,upper,size, or GENERATOR:N,
 * one of heap (a malloc trace: many sizes, few long lives), frames (a network:
 * layers with skip connections), cut (a rectangle cut by guillotine: no waste
 * in the optimum).  Prints NAME,VARIANT,METRIC,VALUE; every plan is verified.
 * The time is that of tn_plan_solve.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench {
  const char *name;
  tn_plan_buffer *buffers;
  size_t count, room;
  uint64_t state;
  uint64_t start;
  double first;  // seconds to the first plan
  double at[4];  // seconds to 1.05, 1.01, 1.005, 1.001 of the bound
} bench;

static const double bench_goals[] = {1.05, 1.01, 1.005, 1.001};

static uint64_t
bench_clock(void *context)
{
  struct timespec t;
  (void)context;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
bench_random(bench *b)
{
  uint64_t z = (b->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static tn_block
bench_allocate(tn_provider *provider, size_t size, size_t align)
{
  (void)provider;
  (void)align;
  return (tn_block){malloc(size), size, false};
}

static void
bench_free(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  (void)provider;
  (void)size;
  (void)align;
  free(pointer);
}

static void
bench_add(bench *b, int64_t lower, int64_t upper, int64_t size)
{
  if (b->count == b->room) {
    b->room = b->room ? 2 * b->room : 1024;
    b->buffers = realloc(b->buffers, b->room * sizeof *b->buffers);
    if (!b->buffers)
      exit(1);
  }
  b->buffers[b->count++] = (tn_plan_buffer)TN_PLAN_BUFFER(lower, upper, size);
}

static void
bench_read(bench *b, const char *path)
{
  FILE *const file = fopen(path, "r");
  char line[256];
  long long lower, upper, size;
  if (!file) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(1);
  }
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "%*[^,],%lld,%lld,%lld", &lower, &upper, &size) == 3)
      bench_add(b, lower, upper, size);
  fclose(file);
}

/* Sizes of a power law in steps of 16, as malloc sees them; nine in ten die
 * young, one in a hundred lives through a phase. */
static void
bench_make_heap(bench *b, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const uint64_t r = bench_random(b);
    const unsigned shift = (unsigned)(r % 7) * (r % 11 == 0 ? 2 : 1);
    const int64_t size = 16 * (1 + (int64_t)((r >> 8) % (1u << shift)));
    const uint64_t life = bench_random(b);
    const int64_t most = life % 100 == 0  ? (int64_t)count / 4
                         : life % 10 == 0 ? 2000
                                          : 40;
    const int64_t lower = 2 * (int64_t)i;
    bench_add(b, lower,
              lower + 1 + (int64_t)((life >> 8) % (uint64_t)(2 * most)), size);
  }
}

/* Layers of a network, forwards and back: what a layer makes lives until the
 * backward step of the layer; scratch lives within one. */
static void
bench_make_frames(bench *b, size_t count)
{
  const int64_t layers = (int64_t)count / 4;
  for (int64_t i = 0; i < layers; i++) {
    const int64_t size = 512 << bench_random(b) % 8;
    const int64_t back = 2 * layers - i;
    bench_add(b, i, back + 1, size * (int64_t)(1 + bench_random(b) % 4));
    bench_add(b, i, i + 1 + (int64_t)(bench_random(b) % 6), size * 3);
    bench_add(b, back, back + 1, size * 2);
    bench_add(b, back, back + 2 + (int64_t)(bench_random(b) % 4), size);
  }
}

static void
bench_cut(bench *b, size_t count, const int64_t box[4])
{
  const int64_t width = box[1] - box[0], height = box[3] - box[2];
  if (count < 2 || (width < 2 && height < 2)) {
    bench_add(b, box[0], box[1], height);
    return;
  }
  int64_t one[4], two[4];
  memcpy(one, box, sizeof one);
  memcpy(two, box, sizeof two);
  const bool by_time = height < 2 || (width > 1 && (bench_random(b) & 1));
  const int64_t side = by_time ? width : height;
  const int64_t at =
      side / 4 + 1 + (int64_t)(bench_random(b) % (uint64_t)(side / 2 + 1));
  const int64_t part = at < side ? at : side - 1;
  if (by_time)
    one[1] = two[0] = box[0] + part;
  else
    one[3] = two[2] = box[2] + part;
  const size_t first = (size_t)((double)count * (double)part / (double)side);
  bench_cut(b, first, one);
  bench_cut(b, count - first, two);
}

static void
bench_make(bench *b, const char *source)
{
  const char *const colon = strchr(source, ':');
  const size_t count = colon ? strtoull(colon + 1, NULL, 10) : 0;
  const int64_t box[4] = {0, (int64_t)count * 8, 0, (int64_t)count * 64};
  if (!colon)
    bench_read(b, source);
  else if (strncmp(source, "heap:", 5) == 0)
    bench_make_heap(b, count);
  else if (strncmp(source, "frames:", 7) == 0)
    bench_make_frames(b, count);
  else if (strncmp(source, "cut:", 4) == 0)
    bench_cut(b, count, box);
  if (b->count == 0) {
    fprintf(stderr, "%s: no buffers\n", source);
    exit(1);
  }
}

static bool
bench_look(void *context, const tn_plan_progress *now)
{
  bench *const b = context;
  const double seconds = (double)(bench_clock(NULL) - b->start) * 1e-9;
  if (now->height < 0)
    return true;
  if (b->first == 0)
    b->first = seconds;
  for (size_t i = 0; i < 4; i++)
    if (b->at[i] == 0 &&
        (double)now->height <= bench_goals[i] * (double)now->lower_bound)
      b->at[i] = seconds;
  return true;
}

static void
bench_shuffle(bench *b, uint64_t seed)
{
  b->state = seed;
  for (size_t i = b->count; i > 1; i--) {
    const size_t j = bench_random(b) % i;
    const tn_plan_buffer swap = b->buffers[i - 1];
    b->buffers[i - 1] = b->buffers[j];
    b->buffers[j] = swap;
  }
}

static void
bench_reverse(bench *b)
{
  for (size_t i = 0; i < b->count; i++) {
    const int64_t lower = b->buffers[i].lower;
    b->buffers[i].lower = -b->buffers[i].upper;
    b->buffers[i].upper = -lower;
  }
}

static void
bench_print(const bench *b, const char *variant, const char *metric,
            double value)
{
  printf("%s,%s,%s,%.6g\n", b->name, variant, metric, value);
}

static void
bench_run(bench *b, tn_plan_problem *p, tn_plan_options *o, const char *variant)
{
  tn_plan_result r = {.offsets = malloc(b->count * sizeof(int64_t))};
  tn_plan_report report;
  b->start = bench_clock(NULL);
  o->deadline += b->start;
  if (!r.offsets || tn_plan_solve(p, o, &r) != TN_OK) {
    fprintf(stderr, "%s: %s\n", b->name, r.error ? r.error : "out of memory");
    exit(1);
  }
  const double seconds = (double)(bench_clock(NULL) - b->start) * 1e-9;
  p->capacity = r.height;
  if (tn_plan_verify(p, r.offsets, NULL, o, &report) != TN_OK ||
      report.fault != TN_PLAN_FAULT_NONE || report.height != r.height) {
    fprintf(stderr, "%s: the plan is wrong\n", b->name);
    exit(1);
  }
  printf("%s,%s,status,%s\n", b->name, variant, tn_plan_status_name(r.status));
  bench_print(b, variant, "seconds", seconds);
  printf("%s,%s,height,%lld\n", b->name, variant, (long long)r.height);
  printf("%s,%s,bound,%lld\n", b->name, variant, (long long)r.lower_bound);
  bench_print(b, variant, "ratio", (double)r.height / (double)r.lower_bound);
  bench_print(b, variant, "first", b->first);
  for (size_t i = 0; i < 4; i++)
    if (b->at[i] > 0)
      printf("%s,%s,to %g,%.6g\n", b->name, variant, bench_goals[i], b->at[i]);
  printf("%s,%s,nodes,%llu\n", b->name, variant, (unsigned long long)r.nodes);
  printf("%s,%s,memory,%zu\n", b->name, variant, r.memory);
}

int
main(int argc, char **argv)
{
  tn_provider provider = {.allocate = bench_allocate, .free = bench_free};
  bench b = {.name = argc > 2 ? argv[1] : "", .state = 1};
  tn_plan_options o = {.provider = &provider,
                       .clock = bench_clock,
                       .deadline = 10000000000u,
                       .progress = bench_look,
                       .context = &b};
  tn_plan_problem p = {0};
  if (argc < 3) {
    fprintf(stderr, "usage: solve NAME SOURCE [fit N] [time S] [nodes N]"
                    " [shuffle N] [reverse]\n");
    return 1;
  }
  bench_make(&b, argv[2]);
  for (int i = 3; i < argc; i++) {
    const char *const value = i + 1 < argc ? argv[i + 1] : "0";
    if (strcmp(argv[i], "fit") == 0) {
      p.capacity = strtoll(value, NULL, 10);
      o.goal = TN_PLAN_FIT;
    }
    if (strcmp(argv[i], "time") == 0)
      o.deadline = (uint64_t)(strtod(value, NULL) * 1e9);
    if (strcmp(argv[i], "nodes") == 0)
      o.nodes = strtoull(value, NULL, 10);
    if (strcmp(argv[i], "shuffle") == 0)
      bench_shuffle(&b, strtoull(value, NULL, 10));
    if (strcmp(argv[i], "reverse") == 0)
      bench_reverse(&b);
  }
  p.buffers = b.buffers;
  p.count = b.count;
  bench_run(&b, &p, &o, o.goal == TN_PLAN_FIT ? "fit" : "minimize");
  return 0;
}
