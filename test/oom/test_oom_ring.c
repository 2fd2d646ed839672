/* test_oom_ring.c -- rings with each call of the system failing in turn; the
 * fake cannot map twice, so this is the ring over plain pages as well
 *
 * Covers  [ring.order]
 */
#include <tenure/ring.h>

#include "oom.h"

static bool
goes_round(void)
{
  tn_ring ring;
  const tn_status status = tn_ring_create(&ring, 100000, NULL);
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    return false;
  }
  TEST(!tn_ring_is_mapped(&ring));
  for (int i = 0; i < 200; i++) {
    unsigned char *const block = tn_ring_push(&ring, 3000);
    if (!TEST(block != NULL))
      break;
    memset(block, 1, 3000);
    TEST(tn_ring_oldest(&ring) == block);
    tn_ring_pop(&ring, block, 3000);
  }
  tn_ring_destroy(&ring);
  return true;
}

int
main(void)
{
  TEST(oom_run(goes_round) > 2);
  return test_done();
}
