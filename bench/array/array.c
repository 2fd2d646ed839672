/* array.c -- what a push, a walk and a growable array's memory cost
 *
 * Prints name,variant,metric,value: nanoseconds a push for N elements, fresh
 * (create, fill, destroy) and reused (cleared, filled again), nanoseconds an
 * element read, resident KiB of one large and of a thousand small arrays; then
 * the ratios that the project promises.  Variants run in turn, round after
 * round; the figure is the best round.
 *
 *     array                        everything
 *     array VARIANT N ROUNDS       that many fills and nothing else, for
 *                                  valgrind --tool=callgrind
 *
 * raw       p[i] = i in memory of the right size (a tn_reserved's block), a
 *           store at a time; raw_free as the compiler likes it: clang takes
 *           vectors, which no loop that may have to grow can do
 * reserved  TN_ARRAY over a tn_reserved
 * segments  TN_SEGMENTS in a bump allocator that the program has anyway, warm,
 *           forgotten as a whole; segments_cold in one of its own
 * malloc    TN_ARRAY over malloc
 * kvec      the macro of klib's kvec.h, written again: realloc, doubling
 * stb_ds    arrput of Debian's libstb-dev, when it is installed
 */
#define _GNU_SOURCE  // clock_gettime, fork

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tenure/array.h>
#include <tenure/bump.h>
#include <tenure/source.h>

#if __has_include(<stb/stb_ds.h>)
#define STB_DS_IMPLEMENTATION
#include <stb/stb_ds.h>
#define HAS_STB 1
#else
#define HAS_STB 0
#endif

/* The compiler must believe that all memory is looked at here. */
#define KEEP(p) __asm__ volatile("" : : "g"(p) : "memory")

typedef TN_ARRAY(int) ints;
typedef TN_SEGMENTS(int) segments;

/* One of each; a variant uses its own. */
typedef struct arrays {
  tn_reserved memory;
  tn_bump cold;  // segments_cold
  tn_bump_provider cold_provider;
  ints array;
  segments pieces;
  int *items;  // raw, kvec, stb_ds
  int count, capacity;
} arrays;

typedef struct variant {
  const char *name;
  void (*create)(arrays *a, int n);
  void (*fill)(arrays *a, int n);  // from empty; clears first
  long (*sum)(const arrays *a, int n);
  void (*destroy)(arrays *a);
} variant;

static void
must(bool ok, const char *what)
{
  if (ok)
    return;
  fprintf(stderr, "array: no memory for %s\n", what);
  exit(1);
}

/* ---- malloc as a provider ------------------------------------------------ */

static tn_block
libc_allocate(tn_provider *provider, size_t size, size_t align)
{
  (void)provider;
  (void)align;
  void *const p = malloc(size);
  return (tn_block){p, p ? malloc_usable_size(p) : 0, false};
}

static void
libc_free(tn_provider *provider, void *pointer, size_t size, size_t align)
{
  (void)provider;
  (void)size;
  (void)align;
  free(pointer);
}

static tn_provider libc = {.allocate = libc_allocate,
                           .free = libc_free,
                           .capabilities = TN_PROVIDER_FREE,
                           .name = "malloc"};

/* ---- The variants --------------------------------------------------------- */

static void
reserve(arrays *a)
{
  must(tn_reserved_create(&a->memory,
                          &(tn_reserved_options){.size = (size_t)1 << 30}) ==
           TN_OK,
       "a reservation of 1 GiB");
}

static void
unreserve(arrays *a)
{
  tn_reserved_destroy(&a->memory);
}

static void
raw_create(arrays *a, int n)
{
  reserve(a);
  a->items =
      tn_allocate(&a->memory.provider, (size_t)n * sizeof(int), 1).pointer;
}

static void
raw_fill(arrays *a, int n)
{
  int *const items = a->items;
  for (int i = 0; i < n; i++) {
    items[i] = i;
    __asm__ volatile("");  // no instruction, and no vectors
  }
}

static void
raw_free_fill(arrays *a, int n)
{
  int *const items = a->items;
  for (int i = 0; i < n; i++)
    items[i] = i;
}

static long
items_sum(const arrays *a, int n)
{
  long sum = 0;
  for (int i = 0; i < n; i++)
    sum += a->items[i];
  return sum;
}

static void
reserved_create(arrays *a, int n)
{
  (void)n;
  reserve(a);
  tn_array_init(&a->array, &a->memory.provider);
}

static void
malloc_create(arrays *a, int n)
{
  (void)n;
  tn_array_init(&a->array, &libc);
}

static void
array_fill(arrays *a, int n)
{
  ints array = a->array;
  tn_array_clear(&array);
  for (int i = 0; i < n; i++)
    tn_array_push(&array, i);
  a->array = array;
}

/* Through a pointer that the compiler knows nothing about. */
static void
pointer_fill(arrays *a, int n)
{
  ints *array = &a->array;
  KEEP(array);
  tn_array_clear(array);
  for (int i = 0; i < n; i++)
    tn_array_push(array, i);
}

static long
array_sum(const arrays *a, int n)
{
  (void)n;
  long sum = 0;
  TN_ARRAY_EACH (item, &a->array)
    sum += *item;
  return sum;
}

static void
array_destroy(arrays *a)
{
  tn_array_fini(&a->array);
}

/* The allocator that all warm segments live in. */
static struct {
  tn_bump bump;
  tn_bump_mark start;
  tn_bump_provider provider;
} scope;

static void
scope_create(void)
{
  must(tn_bump_create(&scope.bump, NULL) == TN_OK, "the scope");
  scope.start = tn_bump_get_mark(&scope.bump);
  scope.provider = tn_bump_provide(&scope.bump);
}

static void
scope_forget(arrays *a)
{
  (void)a;
  tn_bump_rewind(&scope.bump, scope.start);
}

static void
segments_create(arrays *a, int n)
{
  (void)n;
  tn_array_init(&a->pieces, &scope.provider.provider);
}

static void
cold_create(arrays *a, int n)
{
  (void)n;
  must(tn_bump_create(&a->cold, NULL) == TN_OK, "a cold scope");
  a->cold_provider = tn_bump_provide(&a->cold);
  tn_array_init(&a->pieces, &a->cold_provider.provider);
}

static void
cold_destroy(arrays *a)
{
  tn_bump_destroy(&a->cold);
}

static void
segments_fill(arrays *a, int n)
{
  segments pieces = a->pieces;
  tn_array_clear(&pieces);
  for (int i = 0; i < n; i++)
    tn_array_push(&pieces, i);
  a->pieces = pieces;
}

static long
segments_sum(const arrays *a, int n)
{
  (void)n;
  long sum = 0;
  TN_ARRAY_EACH (item, &a->pieces)
    sum += *item;
  return sum;
}

static long
segments_sum_by_index(const arrays *a, int n)
{
  long sum = 0;
  for (int i = 0; i < n; i++)
    sum += *tn_array_at(&a->pieces, (size_t)i);
  return sum;
}

static void
kvec_create(arrays *a, int n)
{
  (void)n;
  a->items = NULL;
  a->count = a->capacity = 0;
}

/* kv_push of klib, on a local as its users do. */
static void
kvec_fill(arrays *a, int n)
{
  struct {
    int n, m;
    int *a;
  } v = {0, a->capacity, a->items};
  for (int i = 0; i < n; i++) {
    if (v.n == v.m) {
      v.m = v.m ? v.m << 1 : 2;
      v.a = realloc(v.a, sizeof(int) * (size_t)v.m);
      must(v.a != NULL, "kvec");
    }
    v.a[v.n++] = i;
  }
  a->items = v.a;
  a->count = v.n;
  a->capacity = v.m;
}

static void
kvec_destroy(arrays *a)
{
  free(a->items);
}

#if HAS_STB
static void
stb_fill(arrays *a, int n)
{
  int *items = a->items;
  arrsetlen(items, 0);
  for (int i = 0; i < n; i++)
    arrput(items, i);
  a->items = items;
}

static void
stb_destroy(arrays *a)
{
  arrfree(a->items);
}
#endif

enum { RAW, RAW_FREE, RESERVED, POINTER, SEGMENTS, COLD, MALLOC, KVEC, STB };
static const variant variants[] = {
    [RAW] = {"raw", raw_create, raw_fill, items_sum, unreserve},
    [RAW_FREE] = {"raw_free", raw_create, raw_free_fill, items_sum, unreserve},
    [RESERVED] = {"reserved", reserved_create, array_fill, array_sum,
                  unreserve},
    [POINTER] = {"reserved_through_pointer", reserved_create, pointer_fill,
                 array_sum, unreserve},
    [SEGMENTS] = {"segments", segments_create, segments_fill, segments_sum,
                  scope_forget},
    [COLD] = {"segments_cold", cold_create, segments_fill, segments_sum,
              cold_destroy},
    [MALLOC] = {"malloc", malloc_create, array_fill, array_sum, array_destroy},
    [KVEC] = {"kvec", kvec_create, kvec_fill, items_sum, kvec_destroy},
#if HAS_STB
    [STB] = {"stb_ds", kvec_create, stb_fill, items_sum, stb_destroy},
#endif
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* ---- Time ------------------------------------------------------------------ */

enum { ROUNDS = 7, TURNS = 10 };

typedef struct times {
  double fresh, reuse, read;  // ns an element, best round
} times;

static double
now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
keep_best(double *best, double ns)
{
  if (*best == 0 || ns < *best)
    *best = ns;
}

/* One round of one variant: repeat so often that the clock can see it.  A
 * reused array's figure is the best of several turns a round. */
static void
time_variant(const variant *v, int n, times *best)
{
  static arrays a;
  const int repeat = 1 + 100000 / n;
  const double elements = (double)n * repeat;
  double start = now_ns();
  for (int i = 0; i < repeat; i++) {
    v->create(&a, n);
    v->fill(&a, n);
    KEEP(&a);
    v->destroy(&a);
  }
  keep_best(&best->fresh, (now_ns() - start) / elements);

  v->create(&a, n);
  v->fill(&a, n);
  for (int turn = 0; turn < TURNS; turn++) {
    start = now_ns();
    for (int i = 0; i < repeat; i++) {
      v->fill(&a, n);
      KEEP(&a);
    }
    keep_best(&best->reuse, (now_ns() - start) / elements);

    long sum = 0;
    start = now_ns();
    for (int i = 0; i < repeat; i++) {
      sum += v->sum(&a, n);
      KEEP(&a);
    }
    keep_best(&best->read, (now_ns() - start) / elements);
    must(sum == (long)n * (n - 1) / 2 * repeat, "the right sum");
  }
  v->destroy(&a);
}

static double
time_index(int n)
{
  static arrays a;
  const int repeat = 1 + 100000 / n;
  double best = 0;
  segments_create(&a, n);
  segments_fill(&a, n);
  for (int round = 0; round < ROUNDS; round++) {
    const double start = now_ns();
    long sum = 0;
    for (int i = 0; i < repeat; i++) {
      sum += segments_sum_by_index(&a, n);
      KEEP(&a);
    }
    keep_best(&best, (now_ns() - start) / n / repeat);
    must(sum == (long)n * (n - 1) / 2 * repeat, "the right sum");
  }
  scope_forget(&a);
  return best;
}

static void
time_all(int n, int rounds, times best[VARIANTS])
{
  memset(best, 0, VARIANTS * sizeof *best);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < VARIANTS; i++)
      time_variant(&variants[(i + round) % VARIANTS], n,
                   &best[(i + round) % VARIANTS]);
  }
  for (int i = 0; i < VARIANTS; i++) {
    printf("array,%s,fresh_ns_n%d,%.3f\n", variants[i].name, n, best[i].fresh);
    printf("array,%s,reuse_ns_n%d,%.3f\n", variants[i].name, n, best[i].reuse);
    printf("array,%s,read_ns_n%d,%.3f\n", variants[i].name, n, best[i].read);
  }
  printf("array,segments,index_ns_n%d,%.3f\n", n, time_index(n));
  fflush(stdout);
}

/* ---- Memory: each in a child, so that it starts alike ---------------------- */

/* VmRSS and VmPTE in KiB: page tables are memory, too. */
static long
status_kib(const char *key)
{
  char line[256];
  long value = 0;
  FILE *const file = fopen("/proc/self/status", "r");
  must(file != NULL, "/proc/self/status");
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) == 0)
      value = strtol(line + strlen(key) + 1, NULL, 10);
  }
  fclose(file);
  return value;
}

static long
memory_kib(void)
{
  return status_kib("VmRSS") + status_kib("VmPTE");
}

static void
print_memory(const variant *v, int arrays_count, int n)
{
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    arrays *const all = calloc((size_t)arrays_count, sizeof *all);
    must(all != NULL, "the list");
    memset(all, 1, (size_t)arrays_count * sizeof *all);
    const long before = memory_kib();
    scope_create();  // this process's own, not yet touched
    for (int i = 0; i < arrays_count; i++) {
      v->create(&all[i], n);
      v->fill(&all[i], n);
    }
    printf("array,%s,memory_kib_%dx%d,%ld\n", v->name, arrays_count, n,
           memory_kib() - before);
    exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  must(child > 0 && status == 0, "a child");
}

/* ---- Promises --------------------------------------------------------------- */

static void
print_bar(const char *what, double ratio, double bar, bool at_most)
{
  printf("array,bar,%s,%.2f\n", what, ratio);
  fprintf(stderr, "%-46s %6.2f  %s %.2f: %s\n", what, ratio,
          at_most ? "at most" : "at least", bar,
          (at_most ? ratio <= bar : ratio >= bar) ? "met" : "missed");
}

static void
print_bars(const times best[VARIANTS])
{
  print_bar("reserved_over_raw_reuse_1e7",
            best[RESERVED].reuse / best[RAW].reuse, 1.10, true);
  print_bar("reserved_over_raw_fresh_1e7",
            best[RESERVED].fresh / best[RAW].fresh, 1.10, true);
#if HAS_STB
  print_bar("stb_ds_over_reserved_fresh_1e7",
            best[STB].fresh / best[RESERVED].fresh, 4, false);
  print_bar("stb_ds_fresh_over_reserved_reuse_1e7",
            best[STB].fresh / best[RESERVED].reuse, 4, false);
#endif
}

static int
run_one(const char *name, int n, int rounds)
{
  static arrays a;
  for (int i = 0; i < VARIANTS; i++) {
    if (strcmp(variants[i].name, name) != 0)
      continue;
    variants[i].create(&a, n);
    for (int round = 0; round < rounds; round++)
      variants[i].fill(&a, n);
    variants[i].destroy(&a);
    return 0;
  }
  fprintf(stderr, "array: no variant %s\n", name);
  return 2;
}

int
main(int argc, char **argv)
{
  scope_create();
  if (argc == 4)
    return run_one(argv[1], atoi(argv[2]), atoi(argv[3]));
  static const int sizes[] = {16, 1000, 100000, 10000000};
  times best[VARIANTS];
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    time_all(sizes[i], ROUNDS, best);
  for (int i = 0; i < VARIANTS; i++) {
    print_memory(&variants[i], 1, 10000000);
    if (i != COLD)  // a thousand bump allocators: that is bench/growth
      print_memory(&variants[i], 1000, 20);
  }
  print_bars(best);
  return 0;
}
