/* test_conform.c -- every collector, every kind of root, every stress mode
 *
 *   [gc.root] [gc.write] [gc.world] [gc.limit] [linear.end] [large.page]
 *   [large.zero] [blocks.kind] [gc.header] [gc.logged]
 *   [gc.verify] [weak.link] [weak.linear] [work.once] [blocks.zero]
 *   [final.once] [final.order] [gc.size] [cells.mark] [cells.swept]
 *   [lines.live] [lines.run] [lines.hole] [gen.young] [gen.remember]
 * SPDX-License-Identifier: MIT
 */
#include "conform/matrix.h"

int
main(int argc, char **argv)
{
  (void)test_seed();
  const unsigned stresses[] = {
      0,
      TN_GC_STRESS_MOVE,
      TN_GC_STRESS_SLOW | TN_GC_STRESS_TINY,
      TN_GC_STRESS_OOM | TN_GC_STRESS_MOVE,
  };
  setting base = {.heap = (size_t)4 << 20,
                  .steps = 6000,
                  .collect_every = 500,
                  .verifies = true};
  const char *const only = argc > 1 ? argv[1] : NULL;
  matrix_run(base, only, stresses, sizeof stresses / sizeof stresses[0]);
  /* Collect at every allocation. */
  const unsigned every[] = {TN_GC_STRESS_SLOW | TN_GC_STRESS_GC,
                            TN_GC_STRESS_SLOW | TN_GC_STRESS_GC |
                                TN_GC_STRESS_MOVE};
  base.steps = 500;
  base.collect_every = 100;
  base.verifies = false;
  matrix_run(base, only, every, 2);
  /* The rare things happened. */
  TEST(only || matrix_sum.full_collections > 1000);
  TEST(only || matrix_sum.minor_collections > 1000);
  TEST(only || matrix_sum.copied_objects > 10000);
  TEST(only || matrix_sum.promoted_objects > 10000);
  TEST(only || matrix_sum.pinned_objects > 1000);
  TEST(only || matrix_sum.evacuated_objects > 1000);
  TEST(only || matrix_sum.swept_blocks > 1000);
  TEST(only || matrix_sum.logged_writes > 1000);
  TEST(matrix_sum.weak_cleared > 10);
  if (getenv("TEST_SAY")) {
#define SAY(name, text)                                                        \
  printf("%s %llu\n", #name, (unsigned long long)matrix_sum.name);
    TN_GC_STATS_TABLE(SAY)
#undef SAY
  }
  return test_done();
}
