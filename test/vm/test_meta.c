/* test_meta.c -- records: zero, apart, aligned, used again.
 * Covers src/vm/meta.h: [meta.zero] [meta.stays] */
#include "os/os.h"
#include "test.h"
#include "vm/vm.h"

#define RECORDS 500

typedef struct record {
  unsigned char *start;
  size_t size;
} record;

static bool
is_all(const unsigned char *p, size_t size, unsigned char value)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != value)
      return false;
  return true;
}

int
main(void)
{
  static record records[RECORDS];
  uint64_t random = test_seed();
  const size_t page = tni_os_get_config()->page_size;
  for (int round = 0; round < 20000; round++) {
    const size_t i = test_random(&random) % RECORDS;
    record *const r = &records[i];
    if (r->start) {
      if (!TEST(is_all(r->start, r->size, (unsigned char)i)))
        break;
      tni_meta_free(r->start, r->size);
      r->start = NULL;
      continue;
    }
    r->size =
        1 + test_random(&random) % (test_random(&random) % 50 ? 300 : 3 * page);
    r->start = tni_meta_allocate(r->size);
    if (!TEST(r->start && is_all(r->start, r->size, 0)))
      break;
    TEST(((uintptr_t)r->start & (r->size >= page ? page - 1 : 15)) == 0);
    memset(r->start, (int)(unsigned char)i, r->size);
  }

  /* [meta.stays] freed memory is read, not unmapped; and used again. */
  unsigned char *const big = tni_meta_allocate(64 * page);
  tni_meta_free(big, 64 * page);
  volatile unsigned char last = big[64 * page - 1];
  TEST(last == 0);
  TEST(tni_meta_allocate(64 * page) == big);
  TEST(tni_meta_allocate(SIZE_MAX / 4) == NULL);
  return test_done();
}
