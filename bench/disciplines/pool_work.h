/* pool_work.h -- what a pool is asked to do, ours and every other
 *
 * A thousand blocks are allocated and each is written to; then all are freed
 * one by one in an order that is random and always the same (churn), or at once
 * (fill).
 */
#ifndef BENCH_POOL_WORK_H
#define BENCH_POOL_WORK_H

enum { BLOCKS = 1000, SIZE = 64 };

static void *blocks[BLOCKS];
static unsigned order[BLOCKS];  // a random order of the blocks

static inline void
shuffle_order(void)
{
  uint64_t state = 1;
  for (unsigned i = 0; i < BLOCKS; i++)
    order[i] = i;
  for (unsigned i = BLOCKS - 1; i > 0; i--) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const unsigned j = (unsigned)(state >> 33) % (i + 1), swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}

#define CHURN(name, allocate, release)                                         \
  static void churn_##name(void)                                               \
  {                                                                            \
    for (unsigned i = 0; i < BLOCKS; i++)                                      \
      *(char *)(blocks[i] = allocate) = 1;                                     \
    for (unsigned i = 0; i < BLOCKS; i++) {                                    \
      void *const block = blocks[order[i]];                                    \
      release;                                                                 \
    }                                                                          \
  }

#define FILL(name, allocate, release)                                          \
  static void fill_##name(void)                                                \
  {                                                                            \
    for (unsigned i = 0; i < BLOCKS; i++)                                      \
      *(char *)(blocks[i] = allocate) = 1;                                     \
    release;                                                                   \
  }

#endif
