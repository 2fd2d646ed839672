/* test_bits.c -- rounding and checked arithmetic.   Covers src/base/bits.h and
 * the arithmetic of <tenure/base.h>, each against a plain definition */
#include "base/base.h"
#include "test.h"

/* The least multiple of align that is at least n, by counting. */
static size_t
slow_round_up(size_t n, size_t align)
{
  size_t multiple = 0;
  while (multiple < n)
    multiple += align;
  return multiple;
}

static void
test_rounding(void)
{
  for (size_t align = 1; align <= 64; align *= 2) {
    for (size_t n = 0; n < 200; n++) {
      const size_t up = slow_round_up(n, align);
      size_t checked = 0;
      TEST(tni_round_up(n, align) == up);
      TEST(tni_round_up_checked(n, align, &checked) && checked == up);
      TEST(tni_round_down(n, align) == (up == n ? n : up - align));
      TEST(tni_is_aligned(n, align) == (up == n));
    }
  }
}

static void
test_edges(void)
{
  size_t rounded = 0;
  TEST(!tni_round_up_checked(SIZE_MAX, 2, &rounded));
  TEST(!tni_round_up_checked(SIZE_MAX - 14, 16, &rounded));
  TEST(tni_round_up_checked(SIZE_MAX - 15, 16, &rounded));
  TEST(rounded == SIZE_MAX - 15);
  TEST(tni_round_up_checked(SIZE_MAX, 1, &rounded) && rounded == SIZE_MAX);
  TEST(tni_min(2, 3) == 2 && tni_min(3, 2) == 2);
  TEST(tni_max(2, 3) == 3 && tni_max(3, 2) == 3);
  TEST(TNI_KIB(3) == 3072 && TNI_MIB(1) == 1048576);
}

static void
test_powers(void)
{
  TEST(!tn_is_power_of_two(0));
  for (unsigned bit = 0; bit < sizeof(size_t) * CHAR_BIT; bit++) {
    const size_t power = (size_t)1 << bit;
    TEST(tn_is_power_of_two(power) && tni_log2_floor(power) == bit);
    TEST(tni_log2_floor(power | (power - 1)) == bit);
    TEST(bit < 2 || !tn_is_power_of_two(power - 1));
    TEST(bit < 1 || !tn_is_power_of_two(power + 1) || power == 1);
  }
}

static void
test_arithmetic(void)
{
  size_t result = 0;
  TEST(tn_size_add(SIZE_MAX - 1, 1, &result) && result == SIZE_MAX);
  TEST(!tn_size_add(SIZE_MAX, 1, &result));
  TEST(tn_size_mul(SIZE_MAX / 3, 3, &result) && result == SIZE_MAX / 3 * 3);
  TEST(!tn_size_mul(SIZE_MAX / 3 + 1, 3, &result));
  TEST(tn_size_mul(0, SIZE_MAX, &result) && result == 0);
}

int
main(void)
{
  test_rounding();
  test_edges();
  test_powers();
  test_arithmetic();
  return test_done();
}
