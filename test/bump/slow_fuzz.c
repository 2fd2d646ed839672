#define _GNU_SOURCE  // MAP_FIXED_NOREPLACE, mincore
#include "fuzz.h"

int
main(void)
{
  fuzz_run(1000000);
  return test_done();
}
