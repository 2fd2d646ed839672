/* test_fake_rest.c -- the fake's files, clock, threads and faults
 * Tags: [os.rank]
 * SPDX-License-Identifier: MIT
 */
#include "os/os_fake.h"

#include "child.h"

static size_t page;

static void
test_files(void)
{
  unsigned char bytes[10000];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)i;
  tni_os_map map;
  TEST(tni_os_map_file("f", TNI_OS_MAP_READ, 0, 1, &map) == TN_ENOENT);
  tni_fake_set_file("f", bytes, sizeof bytes);
  TEST(tni_os_map_file("f", TNI_OS_MAP_READ, 4099, SIZE_MAX, &map) == TN_OK);
  TEST(map.size == sizeof bytes - 4099 && tni_fake_get_use().maps == 1);
  TEST(memcmp(map.data, bytes + 4099, map.size) == 0);
  TEST(!tni_fake_touch(map.data, true));
  TEST(tni_os_unmap_file(&map) == TN_OK && map.base == NULL);
  TEST(tni_os_map_file("f", TNI_OS_MAP_COPY_ON_WRITE, 5, 2, &map) == TN_OK);
  map.data[0] = 99;
  TEST(map.size == 2 && tni_os_unmap_file(&map) == TN_OK && bytes[5] == 5);
  TEST(tni_os_map_file("f", TNI_OS_MAP_WRITE, 5, 2, &map) == TN_OK);
  map.data[0] = 99;
  TEST(tni_os_unmap_file(&map) == TN_OK && bytes[5] == 99);
  TEST(tni_os_map_file("f", TNI_OS_MAP_READ, 10000, 5, &map) == TN_OK);
  TEST(map.size == 0 && map.base == NULL && tni_os_unmap_file(&map) == TN_OK);
  tni_fake_set_file("f", NULL, 0);
  TEST(tni_os_map_file("f", TNI_OS_MAP_READ, 0, 1, &map) == TN_ENOENT);
  TEST(tni_fake_get_use().maps == 0 && tni_fake_get_use().reserved == 0);
}

static void
test_clock_and_entropy(void)
{
  const uint64_t start = tni_os_clock_ns();
  TEST(tni_os_clock_ns() == start + 1);
  uint64_t a = 0, b = 0;
  tni_os_entropy(&a, sizeof a);
  tni_os_entropy(&b, sizeof b);
  TEST(a != b && a == 0xc52c531bf8066ee2u);  // the same in every run
}

static tni_os_tls key;
static int ended;

static void
on_exit_count(void *value)
{
  ended += *(int *)value;
}

static void
run_thread(void *argument)
{
  TEST(tni_os_thread_id() != 1 && tni_os_tls_load(key) == NULL);
  TEST(tni_os_tls_store(key, argument) == TN_OK);
}

static void
test_threads(void)
{
  int mine = 100, other = 3;
  tni_os_thread *thread;
  TEST(tni_os_tls_create(&key, on_exit_count) == TN_OK);
  TEST(tni_os_tls_store(key, &mine) == TN_OK);
  TEST(tni_os_thread_start(&thread, run_thread, &other, NULL) == TN_OK);
  tni_os_thread_join(thread);
  TEST(ended == 3 && tni_os_tls_load(key) == &mine && tni_os_thread_id() == 1);
  tni_fake_fail(TNI_FAKE_THREAD_START, 1, false);
  TEST(tni_os_thread_start(&thread, run_thread, &other, NULL) == TN_EAGAIN);
  TEST(ended == 3);
}

static void
lock_twice(void)
{
  tni_os_lock lock = {0};
  tni_os_lock_acquire(&lock);
  TEST(!tni_os_lock_try(&lock));
  tni_os_lock_acquire(&lock);
}

static bool
grow(void *argument, void *address, bool is_write)
{
  (void)address, (void)is_write;
  return tni_os_commit(argument, page) == TN_OK;
}

static void
test_faults(void)
{
  void *p = NULL;
  TEST(tni_os_reserve(2 * page, page, &p) == TN_OK);
  TEST(!tni_fake_touch(p, false));
  const tni_os_fault_watch watch = {p, 2 * page, grow, p};
  TEST(tni_os_fault_add(&watch) == TN_OK);
  TEST(tni_os_fault_add(&watch) == TN_EBUSY);
  TEST(tni_fake_touch(p, true) && tni_fake_touch(p, false));
  TEST(!tni_fake_touch((char *)p + page, true));  // the owner did not grow it
  TEST(tni_os_fault_get_counts().handled == 2);
  tni_os_fault_remove(p);
  TEST(tni_fake_get_use().watches == 0);
  TEST(tni_os_release(p, 2 * page) == TN_OK);
}

static void
test_descriptors(void)
{
  const int a = tni_fake_open(10), b = tni_fake_open(11), c = tni_fake_open(12);
  TEST(a == 3 && b == 4 && c == 5 && tni_os_descriptor_is_open(c));
  TEST(!tni_os_descriptor_is_open(6) && !tni_os_descriptor_is_open(-1));
  TEST(tni_os_descriptor_replace(a, a) == TN_EINVAL);
  TEST(tni_os_descriptor_replace(a, 9) == TN_EINVAL);
  TEST(tni_os_descriptor_replace(1 << 18, c) == TN_EAGAIN);
  tni_fake_fail(TNI_FAKE_DESCRIPTOR_REPLACE, 1, false);
  TEST(tni_os_descriptor_replace(a, c) == TN_EAGAIN);
  TEST(tni_fake_get_open(a) == 10 && tni_fake_get_open(c) == 12);
  TEST(tni_os_descriptor_replace(a, c) == TN_OK);
  TEST(tni_fake_get_open(a) == 12 && tni_fake_get_open(c) == 0);
  TEST(tni_os_close_range(b, 1000) == TN_OK && tni_fake_get_open(b) == 0);
  TEST(tni_os_close_range(a, a) == TN_OK && tni_fake_get_open(a) == 0);
  TEST(tni_fake_get_calls(TNI_FAKE_CLOSE_RANGE) == 2);
  int last = 0;
  for (int i = 0; i < 62; i++)
    last = tni_fake_open(1);
  TEST(last == -1 && tni_os_close_range(0, 63) == TN_OK);
}

int
main(void)
{
  page = tni_os_get_config()->page_size;
  test_files();
  test_clock_and_entropy();
  test_threads();
  test_faults();
  test_descriptors();
  TEST(child_dies(lock_twice, SIGABRT, "[os.rank]"));
  return test_done();
}
