/* test_decay.c -- what a reset keeps.
 * Covers src/vm/decay.h: [decay.enough] [decay.falls] */
#include "test.h"
#include "vm/vm.h"

#define UNIT TNI_MIB(2)

/* One reset on a model of the pages; returns the bytes resident after it. */
static size_t
reset(tni_decay *decay, size_t *resident, size_t used)
{
  if (*resident < used)
    *resident = used;
  const size_t keep = tni_decay_reset(decay, used, UNIT);
  if (keep != SIZE_MAX) {
    TEST(keep >= used && keep % UNIT == 0);  // [decay.enough]
    TEST(keep + UNIT <= *resident);          // never a call for nothing
    *resident = keep;
  }
  return *resident;
}

int
main(void)
{
  tni_decay decay = {0};
  size_t resident = 0;

  /* A steady use never gives anything back. */
  for (int i = 0; i < 100; i++)
    TEST(tni_decay_reset(&decay, 10 * UNIT, UNIT) == SIZE_MAX);

  /* [decay.falls] one spike of 1 GiB, then small frames. */
  decay = (tni_decay){0};
  TEST(reset(&decay, &resident, TNI_MIB(1024)) == TNI_MIB(1024));
  int calls = 0;
  for (int i = 0; i < 60; i++) {
    const size_t before = resident;
    calls += reset(&decay, &resident, TNI_KIB(64)) < before;
  }
  TEST(resident <= 2 * UNIT);
  TEST(calls > 5 && calls < 60);

  /* Random uses: the model's checks hold, and memory follows the use. */
  uint64_t random = test_seed();
  for (int i = 0; i < 10000; i++) {
    const size_t used = test_random(&random) % TNI_MIB(300);
    TEST(reset(&decay, &resident, used) >= used);
  }
  return test_done();
}
