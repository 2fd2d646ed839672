/* counter.c -- counts the calls of the allocator of every process below it
 *
 * Preloaded alone; a line "malloc calloc realloc memalign free" a process is
 * appended to $COUNTER_FILE when it ends.  Calls with NULL are counted as the
 * recorder counts them: realloc(NULL) allocates, free(NULL) is nothing.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static unsigned long allocated, resized, freed;

void *
malloc(size_t size)
{
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  return __libc_calloc(count, size);
}

void *
realloc(void *p, size_t size)
{
  if (p == NULL)
    __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  else if (size == 0)
    __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
  else
    __atomic_add_fetch(&resized, 1, __ATOMIC_RELAXED);
  return __libc_realloc(p, size);
}

int
posix_memalign(void **out, size_t align, size_t size)
{
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  *out = __libc_memalign(align, size);
  return *out ? 0 : 12;
}

void *
aligned_alloc(size_t align, size_t size)
{
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  return __libc_memalign(align, size);
}

void
free(void *p)
{
  if (p != NULL)
    __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
  __libc_free(p);
}

static void
tell(void)
{
  char line[120];
  const char *const path = getenv("COUNTER_FILE");
  const int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  const int size =
      snprintf(line, sizeof line, "%lu %lu %lu\n", allocated, resized, freed);
  if (fd >= 0 && write(fd, line, (size_t)size) < 0)
    return;
  close(fd);
}

void
_exit(int status)
{
  tell();
  for (;;)
    syscall(231, status);
}

__attribute__((destructor)) static void
at_end(void)
{
  tell();
}
