/* resident.h -- which pages of a range are in memory
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_STACK_RESIDENT_H
#define TEST_STACK_RESIDENT_H

#include <stdio.h>
#include <sys/mman.h>

#include "os/os.h"

/* Pages of [low, low + size) that are resident. */
static inline size_t
resident_pages(void *low, size_t size)
{
  static unsigned char there[4096];
  const size_t page = tni_os_get_config()->page_size;
  size_t count = 0;
  if (size / page > sizeof there || mincore(low, size, there) != 0)
    return SIZE_MAX;
  for (size_t i = 0; i < size / page; i++)
    count += there[i] & 1;
  return count;
}

/* Mappings of this process. */
static inline size_t
resident_mappings(void)
{
  FILE *const maps = fopen("/proc/self/maps", "r");
  size_t count = 0;
  for (int c; maps && (c = fgetc(maps)) != EOF;)
    count += c == '\n';
  if (maps)
    fclose(maps);
  return count;
}

#endif
