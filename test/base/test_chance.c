/* test_chance.c -- gaps between samples.   Covers src/base/chance.h, against
 * libm and against what many draws must come to */
#include <math.h>

#include "base/base.h"
#include "test.h"

enum { DRAWS = 200000 };

static void
test_probability(void)
{
  const double rate = 524288;
  for (double size = 1; size < 1e9; size *= 1.7) {
    const double right = -expm1(-size / rate);
    TEST(fabs(tni_chance_of(size, rate) - right) <= right * 1e-6);
  }
  TEST(tni_chance_of(1, 1e9) > 0);
  TEST(tni_chance_of(1e9, 1) <= 1);
}

/* The mean is the rate, and as many gaps are longer than the rate, and than
 * twice that, as an exponential distribution has: a constant gap would not
 * do.  Deviations of 5 sigma. */
static void
test_gaps(void)
{
  const double rate = 1000;
  uint64_t random = 12345;
  double sum = 0;
  unsigned longer[3] = {0};
  for (int i = 0; i < DRAWS; i++) {
    const double gap = tni_chance_gap(&random, rate);
    TEST(gap >= 0);
    sum += gap;
    for (unsigned k = 0; k < 3; k++)
      longer[k] += gap > rate * (k + 1) / 2;
  }
  TEST(fabs(sum / DRAWS - rate) < rate * 5 / sqrt(DRAWS));
  for (unsigned k = 0; k < 3; k++) {
    const double p = exp(-(k + 1.0) / 2);
    TEST(fabs(longer[k] - DRAWS * p) < 5 * sqrt(DRAWS * p * (1 - p)));
  }
}

int
main(void)
{
  test_probability();
  test_gaps();
  return test_done();
}
