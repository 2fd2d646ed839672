/* pool.c -- pools, rings and buddies against their peers
 *
 * Links    apr-1 talloc
 * Source   obstack is glibc's.  APR's pools and obstacks free all at once only,
 *          so they take part where that is what is done; talloc frees singly.
 */
#include <obstack.h>

#include <tenure/buddy.h>
#include <tenure/handles.h>
#include <tenure/pool.h>
#include <tenure/ring.h>

#if BENCH_HAS_APR_1
#include <apr_pools.h>
#endif
#if BENCH_HAS_TALLOC
#include <talloc.h>
#endif

#include "bench.h"
#include "pool_work.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

enum { QUEUE = 256, SPAN = 1 << 24, HELD = 512 };

static tn_pool pool;
static tn_cache cache;
static tn_handles handles;
static tn_ring ring;
static tn_buddy buddy;
static unsigned char *buddy_memory;
static struct obstack obstack;
static tn_handle names[BLOCKS];
static unsigned sizes[BLOCKS];   // 16 to 527 bytes
static unsigned powers[BLOCKS];  // 64 bytes to 32 KiB, the small ones often
#if BENCH_HAS_APR_1
static apr_pool_t *apr;
#endif
#if BENCH_HAS_TALLOC
static void *talloc_context;
#endif

static bool
construct(void *object, void *argument)
{
  (void)argument;
  memset(object, 0, SIZE);
  return true;
}

static void
begin(void)
{
  static const tn_cache_ops ops = {construct, NULL, NULL};
  buddy_memory = malloc(SPAN);
  if (tn_pool_create(&pool, SIZE, NULL) ||
      tn_cache_create(&cache, SIZE, &ops, NULL) ||
      tn_handles_create(&handles, SIZE, NULL) ||
      tn_ring_create(&ring, 1 << 18, NULL) || !buddy_memory ||
      tn_buddy_over(&buddy, buddy_memory, SPAN, 64))
    exit(1);
  obstack_init(&obstack);
#if BENCH_HAS_APR_1
  apr_initialize();
  apr_pool_create(&apr, NULL);
#endif
#if BENCH_HAS_TALLOC
  talloc_context = talloc_new(NULL);
#endif
  shuffle_order();
  uint64_t state = 1;
  for (unsigned i = 0; i < BLOCKS; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    sizes[i] = 16 + (unsigned)(state >> 40) % 512;
    powers[i] = 64u << (__builtin_ctz((unsigned)(state >> 33) | 512));
  }
}

/* ---- Many of one size, freed in another order ----------------------------- */

CHURN(tenure, tn_pool_alloc(&pool), tn_pool_free(&pool, block))
CHURN(malloc, malloc(SIZE), free(block))
#if BENCH_HAS_TALLOC
CHURN(talloc, talloc_size(talloc_context, SIZE), talloc_free(block))
#endif

/* ---- All free at once ------------------------------------------------------ */

FILL(tenure, tn_pool_alloc(&pool), tn_pool_free_all(&pool))
FILL(malloc, malloc(SIZE),
     for (unsigned i = 0; i < BLOCKS; i++) free(blocks[i]))
FILL(obstack, obstack_alloc(&obstack, SIZE), obstack_free(&obstack, blocks[0]))
#if BENCH_HAS_APR_1
FILL(apr, apr_palloc(apr, SIZE), apr_pool_clear(apr))
#endif
#if BENCH_HAS_TALLOC
FILL(talloc, talloc_size(talloc_context, SIZE),
     talloc_free_children(talloc_context))
#endif

/* ---- Objects that begin as zeros ------------------------------------------- */

CHURN(cache_tenure, tn_cache_alloc(&cache),
      (*(char *)block = 0, tn_cache_free(&cache, block)))
CHURN(cache_malloc, calloc(1, SIZE), free(block))

/* ---- Names instead of pointers --------------------------------------------- */

static void
names_tenure(void)
{
  for (unsigned i = 0; i < BLOCKS; i++)
    names[i] = tn_handles_alloc(&handles, NULL);
  for (unsigned i = 0; i < BLOCKS; i++)
    *(char *)tn_handles_at(&handles, names[i]) = 1;
  for (unsigned i = 0; i < BLOCKS; i++)
    tn_handles_free(&handles, names[order[i]]);
}

static void
names_malloc(void)
{
  for (unsigned i = 0; i < BLOCKS; i++)
    blocks[i] = malloc(SIZE);
  for (unsigned i = 0; i < BLOCKS; i++)
    *(char *)blocks[i] = 1;
  for (unsigned i = 0; i < BLOCKS; i++)
    free(blocks[order[i]]);
}

/* ---- First in, first out: a queue of 256 blocks of 16 to 527 bytes --------- */

#define FIFO(name, allocate, release)                                          \
  static void fifo_##name(void)                                                \
  {                                                                            \
    for (unsigned i = 0; i < BLOCKS + QUEUE; i++) {                            \
      if (i >= QUEUE) {                                                        \
        void *const block = blocks[i % QUEUE];                                 \
        const size_t old = sizes[i - QUEUE];                                   \
        (void)old;                                                             \
        release;                                                               \
      }                                                                        \
      if (i < BLOCKS) {                                                        \
        const size_t size = sizes[i];                                          \
        *(char *)(blocks[i % QUEUE] = allocate) = 1;                           \
      }                                                                        \
    }                                                                          \
  }

FIFO(tenure, tn_ring_push(&ring, size), tn_ring_pop(&ring, block, old))
FIFO(malloc, malloc(size), free(block))
#if BENCH_HAS_TALLOC
FIFO(talloc, talloc_size(talloc_context, size), talloc_free(block))
#endif

/* ---- Powers of two ---------------------------------------------------------- */

#define SPLIT(name, allocate, release)                                         \
  static void split_##name(void)                                               \
  {                                                                            \
    for (unsigned i = 0; i < BLOCKS; i++) {                                    \
      const size_t size = powers[i];                                           \
      *(char *)(blocks[i] = allocate) = 1;                                     \
    }                                                                          \
    for (unsigned i = 0; i < BLOCKS; i++) {                                    \
      void *const block = blocks[order[i]];                                    \
      release;                                                                 \
    }                                                                          \
  }

SPLIT(tenure, tn_buddy_alloc(&buddy, size), tn_buddy_free(&buddy, block))
SPLIT(malloc, malloc(size), free(block))

/* Steps that were taken, over those that the algorithm demands: one for each
 * order that is split or joined, and one for the block. */
static void
steps_tenure(void)
{
  static unsigned char table[(SPAN >> 6) * 9];
  uint64_t address[HELD], demanded = 0, state = 1;
  uint32_t held[HELD] = {0};
  tn_buddy_over_range(&buddy, table, 0, SPAN, 64);
  for (unsigned i = 0; i < 200000; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const unsigned at = (unsigned)(state >> 33) % HELD;
    const tn_buddy_stats before = tn_buddy_get_stats(&buddy);
    if (held[at]) {
      tn_buddy_give(&buddy, address[at]);
      const tn_buddy_stats now = tn_buddy_get_stats(&buddy);
      /* m joins take m blocks from the lists and give one. */
      demanded += before.free_blocks + 1 - now.free_blocks + 1;
      held[at] = 0;
    } else if (tn_buddy_take(&buddy, 1u << (state >> 50) % 16, &address[at])) {
      const tn_buddy_stats now = tn_buddy_get_stats(&buddy);
      /* s splits take one block from the lists and give s. */
      demanded += now.free_blocks + 1 - before.free_blocks + 1;
      held[at] = 1;
    }
  }
  printf("steps_over_demanded %.4f\n", (double)buddy.steps / (double)demanded);
}

static const bench_case cases[] = {
    {"pool.churn", "tenure", 2 * BLOCKS, churn_tenure, begin, NULL, NULL},
    {"pool.churn", "malloc", 2 * BLOCKS, churn_malloc, begin, NULL, NULL},
#if BENCH_HAS_TALLOC
    {"pool.churn", "talloc", 2 * BLOCKS, churn_talloc, begin, NULL, NULL},
#endif
    {"pool.fill", "tenure", BLOCKS, fill_tenure, begin, NULL, NULL},
    {"pool.fill", "malloc", BLOCKS, fill_malloc, begin, NULL, NULL},
    {"pool.fill", "obstack", BLOCKS, fill_obstack, begin, NULL, NULL},
#if BENCH_HAS_APR_1
    {"pool.fill", "apr", BLOCKS, fill_apr, begin, NULL, NULL},
#endif
#if BENCH_HAS_TALLOC
    {"pool.fill", "talloc", BLOCKS, fill_talloc, begin, NULL, NULL},
#endif
    {"pool.cache", "tenure", 2 * BLOCKS, churn_cache_tenure, begin, NULL, NULL},
    {"pool.cache", "malloc", 2 * BLOCKS, churn_cache_malloc, begin, NULL, NULL},
    {"pool.handles", "tenure", 3 * BLOCKS, names_tenure, begin, NULL, NULL},
    {"pool.handles", "malloc", 3 * BLOCKS, names_malloc, begin, NULL, NULL},
    {"ring.fifo", "tenure", 2 * BLOCKS, fifo_tenure, begin, NULL, NULL},
    {"ring.fifo", "malloc", 2 * BLOCKS, fifo_malloc, begin, NULL, NULL},
#if BENCH_HAS_TALLOC
    {"ring.fifo", "talloc", 2 * BLOCKS, fifo_talloc, begin, NULL, NULL},
#endif
    {"buddy.churn", "tenure", 2 * BLOCKS, split_tenure, begin, NULL, NULL},
    {"buddy.churn", "malloc", 2 * BLOCKS, split_malloc, begin, NULL, NULL},
    {"buddy.steps", "tenure", 1, NULL, begin, NULL, steps_tenure},
};
BENCH_MAIN(cases)
