/* test_checks.c -- which checks a build makes; what a failed one says is in
 * test/death.   Covers src/base/check.h, TN_REQUIRE */
#include "base/base.h"
#include "test.h"

static unsigned evaluated;

static bool
test_true(void)
{
  evaluated++;
  return true;
}

/* How often a check evaluates its condition: once where it is on, never where
 * it is off. */
#define TEST_EVALUATES(check, on)                                              \
  do {                                                                         \
    evaluated = 0;                                                             \
    check(test_true(), "base.test");                                           \
    TEST(evaluated == ((on) ? 1u : 0u));                                       \
  } while (0)

#define TEST_REQUIRE(cond, tag) TN_REQUIRE(cond, tag, "a contract")

int
main(void)
{
  TEST_EVALUATES(TEST_REQUIRE, TN_DEBUG >= 1 || TN_HARDEN >= 1);
  TEST_EVALUATES(TN_CHECK, TN_DEBUG >= 2 || TN_HARDEN >= 2);
  TEST_EVALUATES(TN_CHECK_SLOW, TN_DEBUG >= 3);
  return test_done();
}
