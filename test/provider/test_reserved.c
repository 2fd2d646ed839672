/* test_reserved.c -- one block in reserved address space, and arrays over it
 *
 * Covers  [source.still] [provider.zero]
 */
#include <sys/resource.h>

#include <tenure/array.h>
#include <tenure/source.h>
#include <tenure/vm.h>

#include "conform.h"
#include "os/os.h"

static void
check_conformance(bool asks)
{
  tn_reserved memory;
  const tn_reserved_options how = {.size = 1 << 20, .asks = asks};
  if (!TEST(tn_reserved_create(&memory, &how) == TN_OK))
    return;
  conform_provider(&(conform_case){.provider = &memory.provider,
                                   .capacity = 1 << 20,
                                   .max_align_log2 = 12,
                                   .steps = 500});
  tn_reserved_destroy(&memory);
}

/* [source.still]: the array never moves, up to the last element that fits;
 * then running out is a value. */
static void
check_array(bool asks)
{
  enum { COUNT = 3 << 20 };
  tn_reserved memory;
  const tn_reserved_options how = {
      .size = COUNT * sizeof(int), .asks = asks, .name = "numbers"};
  if (!TEST(tn_reserved_create(&memory, &how) == TN_OK))
    return;
  TN_ARRAY(int) a;
  tn_array_init(&a, &memory.provider);
  int *const first = tn_array_push(&a, 0);
  bool still = true;
  for (int i = 1; i < COUNT; i++)
    still = still && tn_array_try_push(&a, i) == first + i;
  TEST(still && tn_array_at(&a, 0) == first);
  TEST(tn_array_try_push(&a, 1) == NULL && tn_len(&a) == COUNT);
  TEST(!tn_array_reserve(&a, COUNT + 1) &&
       *tn_array_at(&a, COUNT - 1) == COUNT - 1);

  char text[200];
  tn_describe(first + 1, text, sizeof text);
  TEST(strstr(text, "reserved \"numbers\": 4 bytes into a live block"));
  tn_array_fini(&a);
  tn_reserved_destroy(&memory);
}

/* What is given back is not resident, and comes back as zeros. */
static void
check_give_back(bool asks)
{
  const size_t size = 64 << 20;
  tn_reserved memory;
  const tn_reserved_options how = {.size = size, .asks = asks};
  if (!TEST(tn_reserved_create(&memory, &how) == TN_OK))
    return;
  const size_t before = tni_os_resident();
  const tn_block block = tn_allocate(&memory.provider, size / 2, 1);
  if (TEST(block.pointer != NULL)) {
    memset(block.pointer, 1, size / 2);
    TEST(tni_os_resident() > before + size / 4);
    tn_release(&memory.provider, block.pointer, size / 2, 1);
    TEST(TNI_HAS_TSAN || tni_os_resident() < before + size / 4);
    const tn_block again = tn_allocate(&memory.provider, size / 2, 1);
    TEST(again.pointer == block.pointer && again.zeroed);
    TEST(((unsigned char *)again.pointer)[size / 2 - 1] == 0);
  }
  tn_reserved_destroy(&memory);
}

/* With `asks` the block has as much as was asked, in steps; otherwise all. */
static void
check_steps(bool asks)
{
  const size_t size = 64 << 20;
  tn_reserved memory;
  const tn_reserved_options how = {.size = size, .asks = asks};
  if (!TEST(tn_reserved_create(&memory, &how) == TN_OK))
    return;
  const size_t huge = (size_t)1 << 30;
  const tn_block apart = tn_allocate(&memory.provider, 1, huge);
  if (apart.pointer == NULL) {
    const tn_block block = tn_allocate(&memory.provider, 1, 1);
    TEST(asks ? block.granted < size : block.granted == size);
  } else {
    TEST(((uintptr_t)apart.pointer & (huge - 1)) == 0);
  }
  tn_reserved_destroy(&memory);
}

/* The system refuses: that is a value, and the array is as it was. */
static void
check_limit(void)
{
  enum { MOST = 256 << 20 };
  tn_reserved memory;
  const tn_reserved_options how = {.size = MOST, .asks = true};
  struct rlimit before;
  if (!TEST(tn_reserved_create(&memory, &how) == TN_OK) ||
      !TEST(getrlimit(RLIMIT_DATA, &before) == 0))
    return;
  TN_ARRAY(int) a;
  tn_array_init(&a, &memory.provider);
  setrlimit(RLIMIT_DATA, &(struct rlimit){64 << 20, before.rlim_max});
  int count = 0;
  while (count < MOST / (int)sizeof(int) && tn_array_try_push(&a, count))
    count++;
  setrlimit(RLIMIT_DATA, &before);
  TEST(count < MOST / (int)sizeof(int) && tn_len(&a) == (size_t)count);
  for (int i = 0; i < count; i += 1000)
    TEST(*tn_array_at(&a, (size_t)i) == i);
  TEST(*tn_array_push(&a, 5) == 5);  // the limit is gone: it goes on
  tn_reserved_destroy(&memory);
}

/* Without a size there is as much as there may be memory, also for several. */
static void
check_default_size(void)
{
  tn_reserved memory[3];
  for (int i = 0; i < 3; i++) {
    TEST(tn_reserved_create(&memory[i], NULL) == TN_OK);
    const tn_block block = tn_allocate(&memory[i].provider, 1 << 20, 16);
    TEST(block.pointer != NULL && block.granted >= 1 << 20);
  }
  for (int i = 0; i < 3; i++)
    tn_reserved_destroy(&memory[i]);
  TEST(tn_reserved_create(&memory[0],
                          &(tn_reserved_options){.size = SIZE_MAX}) < TN_OK);
}

int
main(void)
{
  for (int asks = 0; asks < 2; asks++) {
    check_conformance(asks);
    check_array(asks);
    check_give_back(asks);
    check_steps(asks);
  }
  check_default_size();
  check_limit();
  return test_done();
}
