/* test_files.c -- mapped files and guarded reads
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"

static char path[] = "/tmp/tenure-file-XXXXXX";
static int file;
static size_t page;

static void
fill(size_t size)
{
  TEST(ftruncate(file, 0) == 0);
  for (size_t i = 0; i < size; i++) {
    const unsigned char byte = (unsigned char)(i % 251);
    TEST(pwrite(file, &byte, 1, (off_t)i) == 1);
  }
}

static void
test_offsets(void)
{
  const size_t size = 2 * page + 100;
  const size_t offset[] = {0, 1, page - 1, page, page + 1, size - 1};
  fill(size);
  for (size_t i = 0; i < sizeof offset / sizeof *offset; i++)
    for (size_t length = 1; length <= 2 * page; length += page - 1) {
      tni_os_map map;
      const size_t there = tni_min(length, size - offset[i]);
      if (!TEST(tni_os_map_file(path, TNI_OS_MAP_READ, offset[i], length,
                                &map) == TN_OK))
        continue;
      TEST(map.size == there && map.data[0] == offset[i] % 251);
      TEST(map.data[there - 1] == (offset[i] + there - 1) % 251);
      TEST(tni_is_aligned(tni_address(map.base), page));
      TEST(map.data + map.size <= (unsigned char *)map.base + map.reserved);
      TEST(tni_os_unmap_file(&map) == TN_OK && map.base == NULL);
      TEST(tni_os_unmap_file(&map) == TN_OK);
    }
}

static void
test_empty(void)
{
  const uint64_t beyond[] = {10, 11, page, UINT64_MAX};
  tni_os_map map;
  fill(10);
  for (size_t i = 0; i < 4; i++) {
    TEST(tni_os_map_file(path, TNI_OS_MAP_READ, beyond[i], SIZE_MAX, &map) ==
         TN_OK);
    TEST(map.size == 0 && map.base == NULL);
  }
  TEST(tni_os_map_file(path, TNI_OS_MAP_READ, 3, 0, &map) == TN_OK);
  TEST(map.size == 0);
  TEST(ftruncate(file, 0) == 0);
  TEST(tni_os_map_file(path, TNI_OS_MAP_WRITE, 0, SIZE_MAX, &map) == TN_OK);
  TEST(map.size == 0 && tni_os_unmap_file(&map) == TN_OK);
}

static unsigned char
byte_of_file(size_t offset)
{
  unsigned char byte = 0;
  TEST(pread(file, &byte, 1, (off_t)offset) == 1);
  return byte;
}

static void
test_writing(void)
{
  tni_os_map map;
  fill(page + 10);
  TEST(tni_os_map_file(path, TNI_OS_MAP_COPY_ON_WRITE, page, 5, &map) == TN_OK);
  const unsigned char old = map.data[1];
  map.data[1] = 0xee;
  TEST(map.data[1] == 0xee && byte_of_file(page + 1) == old);
  TEST(tni_os_unmap_file(&map) == TN_OK && byte_of_file(page + 1) == old);
  TEST(tni_os_map_file(path, TNI_OS_MAP_WRITE, page, 5, &map) == TN_OK);
  map.data[1] = 0xee;
  TEST(tni_os_unmap_file(&map) == TN_OK && byte_of_file(page + 1) == 0xee);
}

static void
test_sparse(void)
{
  const uint64_t far = (uint64_t)5 << 30;
  tni_os_map map;
  TEST(ftruncate(file, 0) == 0 && ftruncate(file, (off_t)far + 3) == 0);
  TEST(pwrite(file, "xyz", 3, (off_t)far) == 3);
  TEST(tni_os_map_file(path, TNI_OS_MAP_READ, far - 2, SIZE_MAX, &map) ==
       TN_OK);
  TEST(map.size == 5 && map.data[1] == 0 &&
       memcmp(map.data + 2, "xyz", 3) == 0);
  TEST(tni_os_unmap_file(&map) == TN_OK);
  TEST(tni_os_map_file(path, TNI_OS_MAP_READ, 7, SIZE_MAX, &map) == TN_OK);
  TEST(map.size == far + 3 - 7 && map.data[far - 7] == 'x');
  TEST(tni_os_unmap_file(&map) == TN_OK);
}

static void
test_refused(void)
{
  tni_os_map map;
  errno = 4711;
  TEST(tni_os_map_file("/tmp/tenure-no-such-file", TNI_OS_MAP_READ, 0, 1,
                       &map) == TN_ENOENT);
  TEST(tni_os_map_file("/proc/version", TNI_OS_MAP_WRITE, 0, 1, &map) ==
           TN_EACCES ||
       getuid() == 0);
  TEST(tni_os_map_file("/tmp", TNI_OS_MAP_WRITE, 0, 1, &map) == TN_EIO);
  TEST(tni_os_map_file("/tmp", TNI_OS_MAP_READ, 0, 1, &map) == TN_ENOTSUP);
  TEST(errno == 4711);
}

/* The file shrinks underneath: an error where there would be a SIGBUS. */
static void
test_truncated(void)
{
  unsigned char to[64];
  tni_os_map map;
  fill(2 * page);
  TEST(tni_os_map_file(path, TNI_OS_MAP_READ, 0, SIZE_MAX, &map) == TN_OK);
  TEST(tni_os_guarded_read(to, map.data + page - 8, 16) == TN_OK);
  TEST(memcmp(to, map.data + page - 8, 16) == 0);
  TEST(ftruncate(file, (off_t)page) == 0);
  TEST(tni_os_guarded_read(to, map.data + page - 8, 16) == TN_EFAULT);
  TEST(tni_os_guarded_read(to, map.data + page, 1) == TN_EFAULT);
  TEST(tni_os_guarded_read(to, map.data + page - 8, 8) == TN_OK);
  TEST(tni_os_unmap_file(&map) == TN_OK);
}

static void
test_guarded(void)
{
  static unsigned char to[1 << 16];
  void *p = NULL;
  TEST(tni_os_reserve(sizeof to + page, page, &p) == TN_OK);
  TEST(tni_os_commit(p, sizeof to) == TN_OK);
  memset(p, 7, sizeof to);
  TEST(tni_os_guarded_read(to, p, sizeof to) == TN_OK);
  TEST(to[0] == 7 && to[sizeof to - 1] == 7);
  TEST(tni_os_guarded_read(to, (char *)p + 1, sizeof to) == TN_EFAULT);
  TEST(tni_os_guarded_read(to, NULL, 1) == TN_EFAULT);
  TEST(tni_os_guarded_read(to, (char *)UINTPTR_MAX - 8, 4) == TN_EFAULT);
  TEST(tni_os_guarded_read(to, NULL, 0) == TN_OK);
  TEST(tni_os_protect(p, page, TNI_OS_NONE) == TN_OK);
  TEST(tni_os_guarded_read(to, p, 1) == TN_EFAULT);
  TEST(tni_os_release(p, sizeof to + page) == TN_OK);
}

int
main(void)
{
  page = tni_os_get_config()->page_size;
  file = mkstemp(path);
  if (!TEST(file >= 0))
    return test_done();
  test_offsets();
  test_empty();
  test_writing();
  test_sparse();
  test_refused();
  test_truncated();
  test_guarded();
  unlink(path);
  return test_done();
}
