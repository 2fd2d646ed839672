/* served.c -- which allocator served this program?
 *
 * Allocates 1,000 blocks of 5,000 bytes and prints by how many bytes the use of
 * libc's heap grew, and that of the heap whose mallinfo2 the program sees.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1000, SIZE = 5000 };

typedef struct mallinfo2 (*ask)(void);

int
main(void)
{
  static void *volatile blocks[BLOCKS];
  void *const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  void *const found = libc ? dlsym(libc, "mallinfo2") : NULL;
  ask libc_info;
  if (found == NULL)
    return 1;
  memcpy(&libc_info, &found, sizeof libc_info);
  const size_t libc_before = libc_info().uordblks;
  const size_t seen_before = mallinfo2().uordblks;
  for (int i = 0; i < BLOCKS; i++)
    if ((blocks[i] = malloc(SIZE)) == NULL)
      return 1;
  const size_t libc_after = libc_info().uordblks;
  const size_t seen_after = mallinfo2().uordblks;
  for (int i = 0; i < BLOCKS; i++)
    free(blocks[i]);
  printf("%zu %zu\n", libc_after - libc_before, seen_after - seen_before);
  return 0;
}
