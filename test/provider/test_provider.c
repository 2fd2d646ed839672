/* test_provider.c -- the providers that stand on nothing, and whether the
 * conformance suite would see a bad one
 *
 * Covers  [source.order]
 */
#include <tenure/source.h>

#include "conform.h"
#include "malloc_provider.h"

static void
check_malloc(void)
{
  malloc_provider memory;
  malloc_provider_init(&memory);
  memory.extra = 24;
  conform_provider(&(conform_case){
      .provider = &memory.provider, .max_align_log2 = 12, .steps = 20000});
  TEST(memory.wrong_sizes == 0 && memory.live_bytes == 0);
}

static void
check_fixed(void)
{
  static unsigned char buffer[1 << 16];
  tn_fixed fixed;
  for (size_t offset = 0; offset < 17; offset++) {
    tn_fixed_init(&fixed, buffer + offset, sizeof buffer - offset);
    conform_provider(&(conform_case){.provider = &fixed.provider,
                                     .capacity = sizeof buffer,
                                     .max_align_log2 = 12,
                                     .steps = 500});
  }
}

/* A buffer that is as large as one block has room for just that. */
static void
check_fixed_exact(void)
{
  _Alignas(64) unsigned char buffer[64];
  tn_fixed fixed;
  tn_fixed_init(&fixed, buffer, 0);
  TEST(tn_allocate(&fixed.provider, 1, 1).pointer == NULL);
  tn_fixed_init(&fixed, buffer, sizeof buffer);
  TEST(tn_allocate(&fixed.provider, 65, 64).pointer == NULL);
  void *const first = tn_allocate(&fixed.provider, 32, 64).pointer;
  TEST(first == buffer);
  TEST(tn_resize(&fixed.provider, first, 32, 64, 64) == 64);
  TEST(tn_allocate(&fixed.provider, 1, 1).pointer == NULL);
  TEST(tn_resize(&fixed.provider, first, 64, 16, 64) == 16);
  TEST(tn_allocate(&fixed.provider, 48, 16).pointer == buffer + 16);
  TEST(tn_resize(&fixed.provider, first, 16, 8, 64) == 0);  // not the last
  /* What aligning takes is part of what must fit. */
  tn_fixed_init(&fixed, buffer, 48);
  TEST(tn_allocate(&fixed.provider, 16, 16).pointer == buffer);
  TEST(tn_allocate(&fixed.provider, 1, 64).pointer == NULL);
  TEST(tn_allocate(&fixed.provider, 17, 32).pointer == NULL);
  TEST(tn_allocate(&fixed.provider, 16, 32).pointer == buffer + 32);
}

int
main(void)
{
  check_malloc();
  check_fixed();
  check_fixed_exact();
  return test_done();
}
