/* test_pool.c -- pools of stacks: what is taken, parked, given back, refused
 *
 * With STACK_POOL_TEST_OLD (test_pool_old.c) on a kernel without guards that
 * need no mapping.
 * Covers  [stack.foreign]; [stack.overflow] is test/death/stack_overflow*.c
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/fault.h>
#include <tenure/stack.h>
#include <tenure/vm.h>

#include <pthread.h>
#include <string.h>

#include "../os/child.h"
#include "../provider/conform.h"
#include "resident.h"

static size_t
page_size(void)
{
  return tn_vm_page_size();
}

static tn_stack_pool *
make(size_t count, size_t size, bool is_eager)
{
  tn_stack_pool *pool = NULL;
  const tn_stack_pool_options options = {
      .count = count, .size = size, .is_eager = is_eager, .name = "test"};
  TEST(tn_stack_pool_create(&pool, &options) == TN_OK);
  return pool;
}

static void
test_take(void)
{
  tn_stack_pool *const pool = make(3, 5 * page_size() - 1, false);
  tn_stack_room room[3], more = {.size = 77};
  for (size_t i = 0; i < 3; i++) {
    TEST(tn_stack_pool_take(pool, &room[i]) == TN_OK);
    TEST(room[i].size == 5 * page_size());
    memset(room[i].low, (int)i + 1, room[i].size);
  }
  TEST(tn_stack_pool_take(pool, &more) == TN_ERANGE && more.size == 77);
  TEST(tn_stack_pool_get_taken(pool) == 3);
  for (size_t i = 0; i < 3; i++)
    TEST(*(unsigned char *)room[i].low == i + 1);
  /* The one given back last comes first, and keeps one page. */
  tn_stack_pool_give(pool, room[2].low);
  tn_stack_pool_give(pool, room[0].low);
  TEST(resident_pages(room[0].low, room[0].size) == 1);
  TEST(tn_stack_pool_take(pool, &more) == TN_OK && more.low == room[0].low);
  TEST(tn_stack_pool_take(pool, &more) == TN_OK && more.low == room[2].low);
  TEST(tn_stack_pool_take(pool, &more) == TN_ERANGE);
  TEST(tn_stack_pool_get_taken(pool) == 3);
#if TN_DEBUG == 0 && TN_HARDEN == 0
  int other;
  tn_stack_pool_give(pool, &other);
  tn_stack_pool_give(pool, (char *)room[1].low + 1);
  tn_stack_pool_give(pool, room[1].low);
  tn_stack_pool_give(pool, room[1].low);
  tn_stack_pool_park(pool, room[1].low, (char *)room[1].low + 8);
  tn_stack_pool_park(pool, room[0].low, &other);
  TEST(tn_stack_pool_get_taken(pool) == 2);
#endif
  tn_stack_pool_destroy(pool);
}

/* Pages come when touched, those below a parked pointer go. */
static void
test_park(void)
{
  const size_t size = 8 * page_size();
  tn_stack_pool *const pool = make(2, size, false);
  tn_stack_room room;
  if (!TEST(tn_stack_pool_take(pool, &room) == TN_OK))
    return;
  unsigned char *const low = room.low;
  TEST(resident_pages(low, size) == 0);
  memset(low, 7, size);
  TEST(resident_pages(low, size) == 8);
  tn_stack_pool_park(pool, low, low + 6 * page_size() + 256);
  TEST(resident_pages(low, size) == 2);
  TEST(low[6 * page_size()] == 7 && low[6 * page_size() - 1] == 0);
  memset(low, 7, size);
  tn_stack_pool_park(pool, low, low + 6 * page_size() + 255);
  TEST(resident_pages(low, size) == 3);  // the red zone reaches further down
  tn_stack_pool_park(pool, low, low + 255);
  tn_stack_pool_park(pool, low, low);
  TEST(resident_pages(low, size) == 3);
  tn_stack_pool_park(pool, low, low + size);
  TEST(resident_pages(low, size) == 1);
  tn_stack_pool_destroy(pool);
}

/* One byte is one page, not a huge one, however large the stacks are. */
static void
test_small_pages(void)
{
  const size_t size = (size_t)8 << 20;
  tn_stack_pool *const pool = make(2, size, false);
  tn_stack_room room[2];
  for (size_t i = 0; i < 2; i++)
    TEST(tn_stack_pool_take(pool, &room[i]) == TN_OK);
  for (size_t i = 0; i < 2; i++)
    *((volatile unsigned char *)room[i].low + size / 2) = 1;
  for (size_t i = 0; i < 2; i++)
    TEST(resident_pages(room[i].low, size) == 1);
  tn_stack_pool_destroy(pool);
}

static void
test_eager(void)
{
  const size_t size = 8 * page_size();
  tn_stack_pool *const pool = make(2, size, true);
  tn_stack_room room;
  TEST(tn_stack_pool_take(pool, &room) == TN_OK);
  TEST(resident_pages(room.low, size) == 8);
  tn_stack_pool_give(pool, room.low);
  TEST(resident_pages(room.low, size) == 8);
  tn_stack_pool_destroy(pool);
}

static void
test_refusals(void)
{
  tn_stack_pool *pool = NULL;
  const tn_stack_pool_options bad[] = {
      {.count = 0, .size = 1},
      {.count = 1, .size = 0},
      {.count = SIZE_MAX, .size = 4096},
      {.count = (size_t)1 << 31, .size = (size_t)1 << 40},
      {.count = 1, .size = SIZE_MAX},
      {.count = 1, .size = SIZE_MAX - 65536},
      {.count = 1, .size = 4096, .guard = SIZE_MAX},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    TEST(tn_stack_pool_create(&pool, &bad[i]) ==
         (i < 2 ? TN_EINVAL : TN_ERANGE));
  const tn_stack_pool_options large = {.count = 1 << 20,
                                       .size = (size_t)1 << 30};
  TEST(tn_stack_pool_create(&pool, &large) == TN_ENOMEM && !pool);
}

static void
test_describe(void)
{
  tn_stack_pool *const pool = make(2, 4 * page_size(), false);
  tn_stack_room room;
  TEST(tn_stack_pool_take(pool, &room) == TN_OK);
  char text[128], want[128];
  (void)tn_describe((char *)room.low + 5, text, sizeof text);
  snprintf(want, sizeof want,
           "stack pool \"test\": 5 bytes into a live block of %zu bytes",
           room.size);
  TEST_TEXT(text, want);
  (void)tn_describe((char *)room.low - 5, text, sizeof text);
  TEST(strstr(text, "into a reservation of"));
  tn_stack_pool_give(pool, room.low);
  (void)tn_describe((char *)room.low + 5, text, sizeof text);
  TEST(strstr(text, "into a free block"));
  tn_stack_pool_destroy(pool);
}

/* ---- Threads on them --------------------------------------------------------- */

__attribute__((noinline)) static void *
sum_on_stack(void *argument)
{
  unsigned char *const p = TN_ALLOCA(100000);
  memset(p, 1, 100000);
  *(size_t *)argument = 0;
  for (size_t i = 0; i < 100000; i++)
    *(size_t *)argument += p[i];
  return p;
}

static void
test_thread(void)
{
  /* ThreadSanitizer keeps a lot of its own on a thread's stack. */
  const size_t size = (size_t)(TNI_HAS_TSAN ? 8192 : 256) << 10;
  tn_stack_pool *const pool = make(4, size, false);
  tn_stack_room room[4];
  pthread_t thread[4];
  size_t sum[4] = {0};
  for (size_t i = 0; i < 4; i++) {
    pthread_attr_t how;
    TEST(tn_stack_pool_take(pool, &room[i]) == TN_OK);
    TEST(pthread_attr_init(&how) == 0 &&
         pthread_attr_setstack(&how, room[i].low, room[i].size) == 0 &&
         pthread_create(&thread[i], &how, sum_on_stack, &sum[i]) == 0);
  }
  for (size_t i = 0; i < 4; i++) {
    void *p = NULL;
    TEST(pthread_join(thread[i], &p) == 0 && sum[i] == 100000);
    TEST((uintptr_t)p - (uintptr_t)room[i].low < room[i].size);
    tn_stack_pool_give(pool, room[i].low);
  }
  tn_stack_pool_destroy(pool);
}

/* ---- Guards ----------------------------------------------------------------- */

static tn_stack_room touched;
static ptrdiff_t touched_at;

static void
touch(void)
{
  *((volatile unsigned char *)touched.low + touched_at) = 1;
}

/* Guards stand below each stack, also after its pages were given back, and
 * nothing else faults. */
static void
test_guards(void)
{
  const size_t size = 4 * page_size();
  tn_stack_pool *const pool = make(3, size, false);
  tn_stack_room room[3];
  for (size_t i = 0; i < 3; i++)
    TEST(tn_stack_pool_take(pool, &room[i]) == TN_OK);
  tn_stack_pool_give(pool, room[1].low);
  tn_stack_pool_park(pool, room[2].low, (char *)room[2].low + size);
  for (size_t i = 0; i < 3; i++) {
    touched = room[i];
    touched_at = 0;
    touch();
    touched_at = (ptrdiff_t)size - 1;
    touch();
    touched_at = -1;
    TEST(child_dies(touch, SIGABRT, "[stack.overflow] stack "));
    touched_at = -65536;
    TEST(child_dies(touch, SIGABRT, "[stack.overflow] stack "));
    if (i > 0) {
      touched_at = -65537;  // its neighbour's last byte
      touch();
    }
  }
  /* A fault that is not at a guard is somebody else's. */
  touched_at = 0;
  TEST(tni_os_protect(room[2].low, size, TNI_OS_NONE) == TN_OK);
  if (!TNI_HAS_ASAN && !TNI_HAS_TSAN)
    TEST(child_dies(touch, SIGSEGV, NULL));
  tn_stack_pool_destroy(pool);
}

/* One mapping however many there are; two each on an old kernel. */
static void
test_mappings(bool is_old)
{
  tn_stack_pool *const pool = make(1000, 4 * page_size(), false);
  tn_stack_room room;
  TEST(tn_stack_pool_take(pool, &room) == TN_OK);
  const size_t before = resident_mappings();
  for (size_t i = 1; i < 1000; i++)
    TEST(tn_stack_pool_take(pool, &room) == TN_OK);
  const size_t more = resident_mappings() - before;
  TEST(is_old ? more >= 1990 && more < 2010 : more < 3);
  tn_stack_pool_destroy(pool);
}

/* [provider.*]: a block is a stack, and its guard is there. */
static void
test_provider(void)
{
  tn_stack_pool *const pool = make(40, 4096, false);
  tn_stack_pool_provider offered = tn_stack_pool_provide(pool);
  conform_provider(&(conform_case){
      .provider = &offered.provider, .max_align_log2 = 12, .steps = 10000});
  TEST(tn_stack_pool_get_taken(pool) == 0);
  TEST(tn_allocate(&offered.provider, 1, 2 * page_size()).pointer == NULL);
  const tn_block block = tn_allocate(&offered.provider, 1000, 16);
  TEST(block.granted == page_size() && tn_stack_pool_get_taken(pool) == 1);
  tn_release(&offered.provider, block.pointer, 1000, 16);
  TEST(tn_stack_pool_get_taken(pool) == 0);
  tn_stack_pool_destroy(pool);
}

int
main(void)
{
#ifdef STACK_POOL_TEST_OLD
  const bool is_old = true;
#else
  /* This kernel may be old itself: then both programs test the same. */
  unsigned char *const p = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool is_old = tni_os_guard(p, page_size()) != TN_OK;
#endif
  test_take();
  test_park();
  test_small_pages();
  test_eager();
  test_provider();
  test_refusals();
  test_describe();
  test_thread();
  test_guards();
  test_mappings(is_old);
  return test_done();
}
