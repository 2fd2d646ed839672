/* slow_csv_fuzz.c -- two million damaged tables; see csv_fuzz.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../../cmd/cmd.c"
#include "../../cmd/plan_csv.c"
#include "csv_fuzz.h"

int
main(void)
{
  uint64_t random = test_seed();
  fuzz_csv(&random, 2000000);
  return test_done();
}
