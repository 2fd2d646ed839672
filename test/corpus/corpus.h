/* corpus.h -- what the planted programs share
 *
 * A planted program has sites whose best home is known.  Beside each stands the
 * truth, which slow_corpus.py reads:
 *   // truth: stack              in the frame of the function that asks
 *   // truth: scratch in NAME    in an arena whose scope is a call of NAME
 *   // truth: region             in an arena that is reset when all have died
 *   // truth: pool               blocks of one size
 *   // truth: ring               first in, first out
 *   // truth: grow               with room from the start
 *   // truth: own                a heap of its own, dropped whole
 *   // truth: heap               leave it: the general heap is best
 * Where two are as good, both stand there: "ring or pool".
 * SPDX-License-Identifier: MIT
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITE __attribute__((noinline, noclone)) static

static uint64_t corpus_state = 88172645463325252u;
static volatile unsigned corpus_sum;

/* A number below the bound. */
static inline unsigned
below(unsigned bound)
{
  corpus_state ^= corpus_state << 13;
  corpus_state ^= corpus_state >> 7;
  corpus_state ^= corpus_state << 17;
  return (unsigned)(corpus_state >> 33) % bound;
}

/* Write and read the block; keeps calls from becoming jumps. */
static inline void *
use(void *block, size_t size)
{
  memset(block, (int)size, size);
  corpus_sum += *(unsigned char *)block;
  __asm__ volatile("" ::: "memory");
  return block;
}

#endif
