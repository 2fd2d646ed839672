/* plan.c -- offsets for the tensors of a small network, planned at run time
 *
 * Four layers, each of which reads the tensor of the one before and writes its
 * own; the last adds the input once more.  `tenure plan header` makes the same
 * offsets into constants.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/plan.h>

#include <stdio.h>

int
main(void)
{
  static const char *const names[] = {"input", "conv", "pool", "relu", "sum"};
  static const tn_plan_buffer tensors[] = {
      TN_PLAN_BUFFER(0, 5, 4096), TN_PLAN_BUFFER(1, 3, 16384),
      TN_PLAN_BUFFER(2, 4, 4096), TN_PLAN_BUFFER(3, 5, 4096),
      TN_PLAN_BUFFER(4, 6, 4096)};
  enum { COUNT = sizeof tensors / sizeof *tensors };
  static unsigned char scratch[1 << 18];
  int64_t offsets[COUNT];
  const tn_plan_problem problem = {.buffers = tensors, .count = COUNT};
  const tn_plan_options options = {
      .scratch = scratch, .scratch_size = sizeof scratch, .nodes = 10000};
  tn_plan_result result = {.offsets = offsets};
  const tn_status status = tn_plan_solve(&problem, &options, &result);
  if (status != TN_OK) {
    fprintf(stderr, "plan: %s\n", tn_status_text(status));
    return 1;
  }
  for (int i = 0; i < COUNT; i++)
    printf("%-6s %6lld bytes at %6lld\n", names[i], (long long)tensors[i].size,
           (long long)offsets[i]);
  printf("%lld bytes, %s\n", (long long)result.height,
         tn_plan_status_name(result.status));
  return result.height == 24576 ? 0 : 1;
}
