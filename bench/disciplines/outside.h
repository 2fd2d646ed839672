/* outside.h -- a pool that is built elsewhere, at the work of pool.c
 *
 * Needs    --pool FILE
 *
 * FILE is a header in C, or in C++ if its name ends in .hpp, that defines for
 * blocks of SIZE bytes:
 *
 *     #define PEER_NAME "name"
 *     static void peer_begin(void);          makes the pool
 *     static void *peer_alloc(void);
 *     static void peer_free(void *block);
 *     static void peer_clear(void);          frees all at once; where there is
 *                                            no such thing, PEER_HAS_NO_CLEAR
 *                                            is defined instead
 */
#include "bench.h"
#include "pool_work.h"

#include BENCH_PEER

CHURN(peer, peer_alloc(), peer_free(block))
#ifndef PEER_HAS_NO_CLEAR
FILL(peer, peer_alloc(), peer_clear())
#endif

static void
begin(void)
{
  shuffle_order();
  peer_begin();
}

static const bench_case cases[] = {
    {"pool.churn", PEER_NAME, 2 * BLOCKS, churn_peer, begin, NULL, NULL},
#ifndef PEER_HAS_NO_CLEAR
    {"pool.fill", PEER_NAME, BLOCKS, fill_peer, begin, NULL, NULL},
#endif
};
BENCH_MAIN(cases)
