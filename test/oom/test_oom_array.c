/* test_oom_array.c -- an array in reserved memory, each call of the system
 * failing in turn
 *
 * Covers  [array.same] [provider.same]
 * SPDX-License-Identifier: MIT
 */
#include <tenure/array.h>
#include <tenure/source.h>

#include "oom.h"

enum { COUNT = 3 << 20 };  // several steps of 1 MiB, 2 MiB ...

/* Push until something is refused; what is there must be right all the same.
 */
static bool
fill(tn_provider *provider, int count)
{
  TN_ARRAY(int) a;
  tn_array_init(&a, provider);
  int pushed = 0;
  while (pushed < count && tn_array_try_push(&a, pushed))
    pushed++;
  TEST(tn_len(&a) == (size_t)pushed);
  for (int i = 0; i < pushed; i += 1000)
    TEST(*tn_array_at(&a, (size_t)i) == i);
  tn_array_fini(&a);
  return pushed == count;
}

static bool
asks(void)
{
  tn_reserved memory;
  if (tn_reserved_create(&memory,
                         &(tn_reserved_options){.size = COUNT * sizeof(int),
                                                .asks = true,
                                                .name = "asks"}) != TN_OK)
    return false;
  const bool ok = fill(&memory.provider, COUNT);
  tn_reserved_destroy(&memory);
  return ok;
}

/* Without a size it makes do with less address space. */
static bool
touches(void)
{
  tn_reserved memory;
  if (tn_reserved_create(&memory, NULL) != TN_OK)
    return false;
  const bool ok = fill(&memory.provider, 1000);
  tn_reserved_destroy(&memory);
  return ok;
}

int
main(void)
{
  TEST(oom_run(asks) > 6);
  TEST(oom_run(touches) > 4);
  return test_done();
}
