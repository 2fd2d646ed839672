/* test_oom_grant.c -- a grant that the system refuses, as a whole or in steps
 *
 * Covers [grant.once] [provider.same]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/arena.h>
#include <tenure/grant.h>

#include "oom.h"

#define MIB ((size_t)1 << 20)

/* With a size nothing is refused after create; a recording may be, and then is
 * as it was. */
static bool
fill(size_t size)
{
  tn_grant grant;
  memset(&grant, 0x5a, sizeof grant);
  const tn_status status =
      tn_grant_create(&grant, &(tn_grant_options){.size = size});
  if (status != TN_OK) {
    TEST(status == TN_ENOMEM);
    for (size_t i = 0; i < sizeof grant; i++)
      TEST(((const unsigned char *)&grant)[i] == 0x5a);
    return false;
  }
  tn_provider *const p = tn_grant_provider(&grant);
  bool ok = true;
  unsigned char *last = NULL;
  for (int i = 0; i < 8; i++) {
    const size_t top = grant.top, peak = tn_grant_get_peak(&grant);
    unsigned char *const block = tn_allocate(p, MIB / 8, 4096).pointer;
    if (block != NULL)
      memset(last = block, i, MIB / 8);
    else
      TEST(grant.top == top && tn_grant_get_peak(&grant) == peak);
    ok = ok && block != NULL;
  }
  TEST(ok || size == 0);
  if (last != NULL) {
    const size_t peak = tn_grant_get_peak(&grant);
    tn_release(p, last, MIB / 8, 4096);
    TEST(tn_allocate(p, MIB / 8, 4096).pointer == last);
    TEST(tn_grant_get_peak(&grant) == peak);
  }
  tn_grant_destroy(&grant);
  return ok;
}

static bool
granted(void)
{
  return fill(MIB);
}

static bool
recording(void)
{
  return fill(0);
}

/* Arenas in a grant: what they are refused comes from the grant's end, not from
 * the system. */
static bool
arenas(void)
{
  tn_grant grant;
  tn_arena a;
  if (tn_grant_create(&grant, &(tn_grant_options){.size = MIB}) != TN_OK)
    return false;
  TEST(tn_arena_create(&a, &(tn_arena_options){.provider = tn_grant_provider(
                                                   &grant)}) == TN_OK);
  TEST(tn_arena_try(&a, MIB / 2) != NULL);
  TEST(tn_arena_try(&a, 2 * MIB) == NULL);
  tn_arena_destroy(&a);
  TEST(grant.top == 0 && tn_grant_get_peak(&grant) >= MIB / 2);
  tn_grant_destroy(&grant);
  return true;
}

int
main(void)
{
  TEST(oom_run(granted) > 0);
  TEST(oom_run(recording) > 1);
  TEST(oom_run(arenas) > 0);
  return test_done();
}
