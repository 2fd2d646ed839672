/* chance.h -- sampling by bytes: how far it is to the next sample
 *
 * The gaps between samples are exponential, so that n bytes hold a sample with
 * probability 1 - exp(-n / rate), whatever the pattern of sizes, and whatever
 * went before.  Not for secrets.
 *
 * Threads   the owner of the number.
 * Source    the sampling of gperftools and tcmalloc; the logarithm is a
 *           polynomial of degree 4 on [1, 2), right to four digits.
 * Tests     test/base/test_chance.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_CHANCE_H
#define TNI_CHANCE_H

#include <tenure/base.h>

/* -ln(u) for a random u in (0, 1]; and the next number. */
static inline double
tni_chance_ln(uint64_t *random)
{
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  const uint64_t bits = (*random >> 11) | 1;  // of 53
  const unsigned top = 63u - (unsigned)__builtin_clzll(bits);
  const double m = (double)bits / (double)((uint64_t)1 << top);
  const double ln =
      -1.7417939 +
      (2.8212026 + (-1.4699568 + (0.44717955 - 0.056570851 * m) * m) * m) * m;
  return (53.0 - (double)top) * 0.69314718 - ln;  // u = bits / 2^53
}

/* Bytes to the next sample, rate of them on average. */
static inline double
tni_chance_gap(uint64_t *random, double rate)
{
  const double gap = tni_chance_ln(random) * rate;
  return gap > 0 ? gap : 0;
}

/* The probability that size bytes hold a sample: 1 - exp(-size / rate). */
static inline double
tni_chance_of(double size, double rate)
{
  double x = size / rate;
  unsigned halvings = 0;
  if (x > 40)
    return 1;
  while (x > 1.0 / 16) {
    x /= 2;
    halvings++;
  }
  /* 1 - exp(-x), and that of twice x from it. */
  double p = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
  for (; halvings > 0; halvings--)
    p *= 2 - p;
  return p;
}

#endif
