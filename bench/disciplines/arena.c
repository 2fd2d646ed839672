/* arena.c -- allocate a phase's blocks and end it
 *
 * Rows: arena_push (64 blocks of 32 bytes, then the end), arena_mixed (sizes
 * from 8 to 512), arena_temp (a scope with one block in it), arena_text (short
 * formatted texts), arena_reset (64 KiB with zeroing), arena_spike (what stays
 * resident after 1 GiB once and 1,000 small frames).
 *
 * Links    apr-1 talloc
 */
#include <obstack.h>

#include <tenure/arena.h>
#include <tenure/scratch.h>

#if BENCH_HAS_APR_1
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#endif
#if BENCH_HAS_TALLOC
#include <talloc.h>
#endif

#include "bench.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

enum { BLOCKS = 64 };

/* Sizes of a phase, the same for all. */
static size_t sizes[BLOCKS];

static void
fill_sizes(size_t low, size_t span)
{
  uint64_t state = 1;
  for (int i = 0; i < BLOCKS; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    sizes[i] = low + (size_t)(state >> 33) % span;
  }
}

/* Every variant stores one byte in each block. */
#define USE(p) (*(char *)(p) = 1)

/* ---- tenure ------------------------------------------------------------------- */

static tn_arena arena;

static void
begin_tenure(void)
{
  if (tn_arena_create(&arena, NULL) != TN_OK)
    abort();
  fill_sizes(32, 1);
}

static void
begin_tenure_mixed(void)
{
  begin_tenure();
  fill_sizes(8, 505);
}

static void
run_tenure(void)
{
  tn_arena *a = &arena;
  BENCH_HIDE(a);
  TN_WITH_TEMP(a)
  {
    for (int i = 0; i < BLOCKS; i++)
      USE(tn_arena_push(a, sizes[i]));
  }
}

static void
run_tenure_temp(void)
{
  tn_arena *a = &arena;
  BENCH_HIDE(a);
  for (int i = 0; i < BLOCKS; i++)
    TN_WITH_TEMP(a) USE(tn_arena_push(a, sizes[i]));
}

static void
run_tenure_text(void)
{
  TN_WITH_TEMP(&arena)
  {
    for (int i = 0; i < BLOCKS; i++)
      BENCH_KEEP(tn_arena_printf(&arena, "%d", i));
  }
}

/* ---- glibc's obstack ------------------------------------------------------------- */

static struct obstack stack;

static void
begin_obstack(void)
{
  obstack_begin(&stack, 65536);
  fill_sizes(32, 1);
}

static void
begin_obstack_mixed(void)
{
  begin_obstack();
  fill_sizes(8, 505);
}

static void
run_obstack(void)
{
  struct obstack *h = &stack;
  BENCH_HIDE(h);
  void *const first = obstack_alloc(h, sizes[0]);
  USE(first);
  for (int i = 1; i < BLOCKS; i++)
    USE(obstack_alloc(h, sizes[i]));
  obstack_free(h, first);
}

static void
run_obstack_temp(void)
{
  struct obstack *h = &stack;
  BENCH_HIDE(h);
  for (int i = 0; i < BLOCKS; i++) {
    void *const p = obstack_alloc(h, sizes[i]);
    USE(p);
    obstack_free(h, p);
  }
}

static void
run_obstack_text(void)
{
  void *const first = obstack_alloc(&stack, 1);
  for (int i = 0; i < BLOCKS; i++) {
    obstack_printf(&stack, "%d", i);
    obstack_1grow(&stack, 0);
    BENCH_KEEP(obstack_finish(&stack));
  }
  obstack_free(&stack, first);
}

/* ---- APR ----------------------------------------------------------------------------- */

#if BENCH_HAS_APR_1
static apr_pool_t *apr_root, *apr_pool;

static void
begin_apr(void)
{
  apr_initialize();
  apr_pool_create(&apr_root, NULL);
  apr_pool_create(&apr_pool, apr_root);
  fill_sizes(32, 1);
}

static void
begin_apr_mixed(void)
{
  begin_apr();
  fill_sizes(8, 505);
}

static void
run_apr(void)
{
  for (int i = 0; i < BLOCKS; i++)
    USE(apr_palloc(apr_pool, sizes[i]));
  apr_pool_clear(apr_pool);
}

static void
run_apr_temp(void)
{
  for (int i = 0; i < BLOCKS; i++) {
    USE(apr_palloc(apr_pool, sizes[i]));
    apr_pool_clear(apr_pool);
  }
}

static void
run_apr_text(void)
{
  for (int i = 0; i < BLOCKS; i++)
    BENCH_KEEP(apr_psprintf(apr_pool, "%d", i));
  apr_pool_clear(apr_pool);
}
#endif

/* ---- talloc ------------------------------------------------------------------------------ */

#if BENCH_HAS_TALLOC
static void *talloc_root;

static void
begin_talloc(void)
{
  talloc_root = talloc_new(NULL);
  fill_sizes(32, 1);
}

static void
begin_talloc_mixed(void)
{
  begin_talloc();
  fill_sizes(8, 505);
}

/* Its fastest form: a pool of memory for the children. */
static void
run_talloc(void)
{
  void *const pool = talloc_pool(talloc_root, 65536);
  for (int i = 0; i < BLOCKS; i++)
    USE(talloc_size(pool, sizes[i]));
  talloc_free(pool);
}

static void
run_talloc_temp(void)
{
  for (int i = 0; i < BLOCKS; i++) {
    void *const p = talloc_size(talloc_root, sizes[i]);
    USE(p);
    talloc_free(p);
  }
}

static void
run_talloc_text(void)
{
  void *const pool = talloc_pool(talloc_root, 65536);
  for (int i = 0; i < BLOCKS; i++)
    BENCH_KEEP(talloc_asprintf(pool, "%d", i));
  talloc_free(pool);
}
#endif

/* ---- malloc ---------------------------------------------------------------------------------- */

static void
begin_malloc(void)
{
  fill_sizes(32, 1);
}

static void
begin_malloc_mixed(void)
{
  fill_sizes(8, 505);
}

static void
run_malloc(void)
{
  void *block[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    USE(block[i] = malloc(sizes[i]));
  BENCH_KEEP(block);
  for (int i = BLOCKS; i-- > 0;)
    free(block[i]);
}

static void
run_malloc_temp(void)
{
  for (int i = 0; i < BLOCKS; i++) {
    char *p = malloc(sizes[i]);
    BENCH_HIDE(p);
    USE(p);
    free(p);
  }
}

static void
run_malloc_text(void)
{
  char *block[BLOCKS];
  for (int i = 0; i < BLOCKS; i++)
    if (asprintf(&block[i], "%d", i) < 0)
      abort();
  for (int i = BLOCKS; i-- > 0;)
    free(block[i]);
}

/* ---- Resets -------------------------------------------------------------------------------------- */

static unsigned char *zeroed;

static void
begin_zero(void)
{
  if (tn_arena_create(&arena, &(tn_arena_options){.zero = true}) != TN_OK)
    abort();
  zeroed = malloc(65536);
}

static void
run_zero_arena(void)
{
  BENCH_KEEP(tn_arena_push(&arena, 65536));
  tn_arena_reset(&arena);
}

static void
run_zero_memset(void)
{
  memset(zeroed, 0, 65536);
  BENCH_KEEP(zeroed);
}

static size_t
resident(void)
{
  unsigned long all = 0, pages = 0;
  FILE *const file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%lu %lu", &all, &pages) != 2)
    abort();
  fclose(file);
  return pages * 4096;
}

/* Frames of 256 KiB after one of 1 GiB: what an arena that had never seen the
 * spike would have, and what this one has. */
static void
measure_spike(void)
{
  if (tn_arena_create(&arena, NULL) != TN_OK)
    abort();
  const size_t before = resident(), spike = (size_t)1 << 30;
  for (int i = 0; i <= 1000; i++) {
    const size_t size = i ? 256 << 10 : spike;
    memset(tn_arena_push(&arena, size), 1, size);
    tn_arena_reset(&arena);
  }
  printf("resident_KiB %zu\n", (resident() - before) >> 10);
  printf("held_KiB %zu\n", tn_arena_get_stats(&arena).held >> 10);
}

static void
measure_no_spike(void)
{
  if (tn_arena_create(&arena, NULL) != TN_OK)
    abort();
  const size_t before = resident();
  /* A spike decays to what lies within one unit of giving back: 2 MiB. */
  memset(tn_arena_push(&arena, 2 << 20), 1, 2 << 20);
  tn_arena_reset(&arena);
  printf("resident_KiB %zu\n", (resident() - before) >> 10);
  printf("held_KiB %zu\n", tn_arena_get_stats(&arena).held >> 10);
}

static const bench_case cases[] = {
    {"arena_push", "tenure", BLOCKS, run_tenure, begin_tenure, 0, 0},
    {"arena_push", "obstack", BLOCKS, run_obstack, begin_obstack, 0, 0},
#if BENCH_HAS_APR_1
    {"arena_push", "apr", BLOCKS, run_apr, begin_apr, 0, 0},
#endif
#if BENCH_HAS_TALLOC
    {"arena_push", "talloc", BLOCKS, run_talloc, begin_talloc, 0, 0},
#endif
    {"arena_push", "malloc", BLOCKS, run_malloc, begin_malloc, 0, 0},

    {"arena_mixed", "tenure", BLOCKS, run_tenure, begin_tenure_mixed, 0, 0},
    {"arena_mixed", "obstack", BLOCKS, run_obstack, begin_obstack_mixed, 0, 0},
#if BENCH_HAS_APR_1
    {"arena_mixed", "apr", BLOCKS, run_apr, begin_apr_mixed, 0, 0},
#endif
#if BENCH_HAS_TALLOC
    {"arena_mixed", "talloc", BLOCKS, run_talloc, begin_talloc_mixed, 0, 0},
#endif
    {"arena_mixed", "malloc", BLOCKS, run_malloc, begin_malloc_mixed, 0, 0},

    {"arena_temp", "tenure", BLOCKS, run_tenure_temp, begin_tenure, 0, 0},
    {"arena_temp", "obstack", BLOCKS, run_obstack_temp, begin_obstack, 0, 0},
#if BENCH_HAS_APR_1
    {"arena_temp", "apr", BLOCKS, run_apr_temp, begin_apr, 0, 0},
#endif
#if BENCH_HAS_TALLOC
    {"arena_temp", "talloc", BLOCKS, run_talloc_temp, begin_talloc, 0, 0},
#endif
    {"arena_temp", "malloc", BLOCKS, run_malloc_temp, begin_malloc, 0, 0},

    {"arena_text", "tenure", BLOCKS, run_tenure_text, begin_tenure, 0, 0},
    {"arena_text", "obstack", BLOCKS, run_obstack_text, begin_obstack, 0, 0},
#if BENCH_HAS_APR_1
    {"arena_text", "apr", BLOCKS, run_apr_text, begin_apr, 0, 0},
#endif
#if BENCH_HAS_TALLOC
    {"arena_text", "talloc", BLOCKS, run_talloc_text, begin_talloc, 0, 0},
#endif
    {"arena_text", "malloc", BLOCKS, run_malloc_text, begin_malloc, 0, 0},

    {"arena_reset_64KiB", "tenure", 1, run_zero_arena, begin_zero, 0, 0},
    {"arena_reset_64KiB", "memset", 1, run_zero_memset, begin_zero, 0, 0},
    {"arena_spike", "tenure", 1, 0, 0, 0, measure_spike},
    {"arena_spike", "decayed", 1, 0, 0, 0, measure_no_spike},
};

BENCH_MAIN(cases)
