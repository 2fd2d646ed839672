/* test_file.c -- mapped files: modes, offsets, sizes, cut short underneath.
 * Covers include/tenure/vm.h, tn_map_file to tn_read_guarded */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>

#include "vm_check.h"

#define BIG ((uint64_t)9 << 29)  // 4.5 GiB

static char path[64] = "/tmp/tenure-file-XXXXXX";
static unsigned char content[20000];

static void
write_file(int file, const void *bytes, size_t size, off_t offset)
{
  TEST(lseek(file, offset, SEEK_SET) == offset);
  TEST(write(file, bytes, size) == (ssize_t)size);
}

/* Any offset and size of a small file, page-aligned or not. */
static void
test_parts(void)
{
  uint64_t random = test_seed();
  for (int i = 0; i < 300; i++) {
    const size_t offset = test_random(&random) % (sizeof content + 5000);
    const size_t left = offset < sizeof content ? sizeof content - offset : 0;
    const size_t asked =
        i % 3 ? test_random(&random) % (sizeof content + 5000) : SIZE_MAX;
    tn_map map;
    if (!TEST(tn_map_file(path, TN_MAP_READ, offset, asked, &map) == TN_OK))
      return;
    TEST(map.size == (asked < left ? asked : left));
    TEST((map.data == NULL) == (map.size == 0));
    if (map.size) {
      TEST(memcmp(map.data, content + offset, map.size) == 0);
      TEST(can_read(map.data) && !can_write(map.data));
    }
    TEST(tn_unmap_file(&map) == TN_OK && !map.data && !map.size);
    TEST(tn_unmap_file(&map) == TN_OK);
  }
}

static void
test_modes(int file)
{
  tn_map own, cow, ro;
  unsigned char byte = 0;
  TEST(tn_map_file(path, TN_MAP_WRITE, 5001, 100, &own) == TN_OK);
  TEST(tn_map_file(path, TN_MAP_COPY_ON_WRITE, 5001, 100, &cow) == TN_OK);
  TEST(tn_map_file(path, TN_MAP_READ, 5001, 100, &ro) == TN_OK);
  cow.data[0] = (unsigned char)(content[5001] + 1);
  TEST(ro.data[0] == content[5001]);
  own.data[0] = (unsigned char)(content[5001] + 2);
  TEST(ro.data[0] == (unsigned char)(content[5001] + 2));
  TEST(cow.data[0] == (unsigned char)(content[5001] + 1));
  TEST(lseek(file, 5001, SEEK_SET) == 5001 && read(file, &byte, 1) == 1);
  TEST(byte == (unsigned char)(content[5001] + 2));
  own.data[0] = content[5001];
  TEST(tn_unmap_file(&own) == TN_OK && tn_unmap_file(&cow) == TN_OK);
  TEST(tn_unmap_file(&ro) == TN_OK);
}

static void
test_described(void)
{
  char text[200];
  tn_map map;
  TEST(tn_map_file(path, TN_MAP_READ, 100, 50, &map) == TN_OK);
  const unsigned char *const at = map.data + 7;
  tn_describe(at, text, sizeof text);
  TEST(strncmp(text, "file \"", 6) == 0 && strstr(text, path + 4));
  TEST(strstr(text, "\": 7 bytes into a live block of 50 bytes"));
  TEST(tn_unmap_file(&map) == TN_OK);
  tn_describe(at, text, sizeof text);
  TEST(!strstr(text, "file"));

  /* Of a long path the end is kept. */
  char longer[400] = "/tmp";
  for (int i = 0; i < 100; i++)
    strcat(longer, "/.");
  strcat(longer, path + 4);
  TEST(tn_map_file(longer, TN_MAP_READ, 100, 50, &map) == TN_OK);
  tn_describe(map.data, text, sizeof text);
  TEST(strstr(text, path + 4));
  TEST(tn_unmap_file(&map) == TN_OK);
}

/* A sparse file of more than 4 GiB, whole and from beyond 4 GiB. */
static void
test_big(int file)
{
  tn_map map;
  write_file(file, "needle", 6, (off_t)BIG);
  const size_t resident = tni_os_resident();
  if (TEST(tn_map_file(path, TN_MAP_READ, 0, SIZE_MAX, &map) == TN_OK)) {
    TEST(map.size == BIG + 6 && memcmp(map.data + BIG, "needle", 6) == 0);
    TEST(memcmp(map.data, content, sizeof content) == 0);
    TEST(resident_rose(resident, 0));
    TEST(tn_unmap_file(&map) == TN_OK);
  }
  TEST(tn_map_file(path, TN_MAP_READ, BIG + 1, SIZE_MAX, &map) == TN_OK);
  TEST(map.size == 5 && memcmp(map.data, "eedle", 5) == 0);
  TEST(tn_unmap_file(&map) == TN_OK);
  TEST(ftruncate(file, sizeof content) == 0);
}

/* Cut short underneath: a value, where a plain read would be a SIGBUS. */
static void
test_cut(int file)
{
  tn_map map;
  unsigned char bytes[200];
  TEST(tn_map_file(path, TN_MAP_READ, 0, SIZE_MAX, &map) == TN_OK);
  const unsigned char *const far = map.data + 16384;
  TEST(tn_read_guarded(bytes, far, sizeof bytes) == TN_OK);
  TEST(memcmp(bytes, content + 16384, sizeof bytes) == 0);
  TEST(ftruncate(file, 100) == 0);
  TEST(tn_read_guarded(bytes, far, sizeof bytes) == TN_EFAULT);
  TEST(tn_read_guarded(bytes, far - 100, sizeof bytes) == TN_EFAULT);
  TEST(tn_read_guarded(bytes, map.data, 100) == TN_OK);
  TEST(memcmp(bytes, content, 100) == 0);
  TEST(tn_read_guarded(bytes, NULL, 1) == TN_EFAULT);
  TEST(tn_read_guarded(bytes, NULL, 0) == TN_OK);
  TEST(tn_unmap_file(&map) == TN_OK);
  TEST(ftruncate(file, 0) == 0);
  TEST(tn_map_file(path, TN_MAP_READ, 0, SIZE_MAX, &map) == TN_OK);
  TEST(map.size == 0 && !map.data && tn_unmap_file(&map) == TN_OK);
}

static void
test_refused(void)
{
  tn_map map = {NULL, 77, NULL};
  errno = 1234;
  TEST(tn_map_file("/nowhere/at/all", TN_MAP_READ, 0, 1, &map) == TN_ENOENT);
  TEST(tn_map_file("/tmp", TN_MAP_WRITE, 0, 1, &map) < 0);
  TEST(tn_read_guarded(&map, NULL, 1) == TN_EFAULT);
  TEST(errno == 1234);
  if (geteuid() != 0 && chmod(path, 0400) == 0)
    TEST(tn_map_file(path, TN_MAP_WRITE, 0, 1, &map) == TN_EACCES);
  TEST(map.size == 77);
}

int
main(void)
{
  const int file = mkstemp(path);
  if (!TEST(file >= 0))
    return test_done();
  for (size_t i = 0; i < sizeof content; i++)
    content[i] = (unsigned char)(i * 7 + i / 251);
  write_file(file, content, sizeof content, 0);
  test_parts();
  test_modes(file);
  test_described();
  test_big(file);
  test_cut(file);
  test_refused();
  unlink(path);
  return test_done();
}
