/* test_access.c -- byte orders at every offset, volatile, past the cache.
 * Covers include/tenure/access.h */
#include <tenure/access.h>

#include "test.h"

#define CHECK_BITS(bits)                                                       \
  static void check_##bits(unsigned char *at, uint64_t random)                 \
  {                                                                            \
    const uint##bits##_t v = (uint##bits##_t)random;                           \
    const size_t n = bits / 8;                                                 \
    uint64_t le = 0, be = 0;                                                   \
    uint##bits##_t own;                                                        \
    memset(at - 1, 0xee, n + 2);                                               \
    tn_store_u##bits##_le(at, v);                                              \
    for (size_t i = 0; i < n; i++)                                             \
      le |= (uint64_t)at[i] << (8 * i);                                        \
    TEST(le == v && tn_load_u##bits##_le(at) == v);                            \
    tn_store_u##bits##_be(at, v);                                              \
    for (size_t i = 0; i < n; i++)                                             \
      be = be << 8 | at[i];                                                    \
    TEST(be == v && tn_load_u##bits##_be(at) == v);                            \
    tn_store_u##bits##_ua(at, v);                                              \
    memcpy(&own, at, n);                                                       \
    TEST(own == v && tn_load_u##bits##_ua(at) == v);                           \
    TEST(at[-1] == 0xee && at[n] == 0xee);                                     \
    tn_store_u##bits##_volatile(&own, v);                                      \
    TEST(tn_load_u##bits##_volatile(&own) == v);                               \
  }

CHECK_BITS(16)
CHECK_BITS(32)
CHECK_BITS(64)

int
main(void)
{
  unsigned char bytes[40];
  uint64_t random = test_seed();
  for (int i = 0; i < 1000; i++) {
    check_16(bytes + 1 + i % 16, test_random(&random));
    check_32(bytes + 1 + i % 16, test_random(&random));
    check_64(bytes + 1 + i % 16, test_random(&random));
  }
  uint8_t byte = 0;
  tn_store_u8_volatile(&byte, 7);
  TEST(tn_load_u8_volatile(&byte) == 7);
  uint32_t word = 0;
  uint64_t two_words[2] = {0, 0};
  tn_store_u32_nt(&word, 0xdeadbeef);
  tn_store_u64_nt(&two_words[1], 0x0123456789abcdef);
  tn_fence_nt();
  TEST(word == 0xdeadbeef);
  TEST(two_words[0] == 0 && two_words[1] == 0x0123456789abcdef);
  return test_done();
}
