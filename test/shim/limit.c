/* limit.c -- all that a limit on address space allows, for test_malloc.py
 *
 *     limit [SELF]      the limit was set before we started; or is set now
 *
 * Prints the percentage of the limit that live blocks have when malloc says no.
 * Every way of asking then says so and changes nothing; after a free it works
 * on, in another thread too; and once all is freed there is room for a stack.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define WRONG(what) (fprintf(stderr, "wrong: %s\n", what), exit(1))

enum { BLOCKS = 1 << 20 };

static struct {
  unsigned char *at;
  size_t size;
} blocks[BLOCKS];
static unsigned count;
static size_t live;

/* Its first and last bytes say which block it is. */
static void
mark(unsigned i)
{
  memcpy(blocks[i].at, &i, sizeof i);
  memcpy(blocks[i].at + blocks[i].size - sizeof i, &i, sizeof i);
}

static bool
is_marked(unsigned i)
{
  return memcmp(blocks[i].at, &i, sizeof i) == 0 &&
         memcmp(blocks[i].at + blocks[i].size - sizeof i, &i, sizeof i) == 0;
}

static void
fill(size_t size)
{
  for (;; count++) {
    errno = 0;
    unsigned char *const p = malloc(size);
    if (!p) {
      if (errno != ENOMEM)
        WRONG("errno");
      return;
    }
    blocks[count].at = p;
    blocks[count].size = size;
    live += size;
    mark(count);
  }
}

static void
check_refused(void *p, const char *what)
{
  if (p || errno != ENOMEM)
    WRONG(what);
  errno = 0;
}

/* There is no room for a MiB, whichever way one asks. */
static void
refuse(void)
{
  const size_t size = (size_t)1 << 20;
  void *out = blocks;
  errno = 0;
  check_refused(malloc(size), "malloc");
  check_refused(calloc(1, size), "calloc");
  check_refused(aligned_alloc(4096, size), "aligned_alloc");
  check_refused(memalign(1 << 16, size), "memalign");
  check_refused(valloc(size), "valloc");
  if (posix_memalign(&out, 64, size) != ENOMEM || out != blocks || errno != 0)
    WRONG("posix_memalign");
  for (unsigned i = 0; i < count; i += count / 50) {
    check_refused(realloc(blocks[i].at, blocks[i].size + size), "realloc");
    check_refused(reallocarray(blocks[i].at, 1, blocks[i].size + size),
                  "reallocarray");
  }
}

static pthread_barrier_t freed;

static void *
other(void *unused)
{
  (void)unused;
  pthread_barrier_wait(&freed);
  for (unsigned i = 0; i < 1000; i++) {
    void *const p = malloc(i * 10 + 1);
    if (!p)
      WRONG("another thread");
    memset(p, 1, i * 10 + 1);
    free(p);
  }
  return NULL;
}

static void *
nothing(void *argument)
{
  return argument;
}

int
main(int argc, char **argv)
{
  struct rlimit r;
  if (argc > 1) {
    r.rlim_cur = r.rlim_max = strtoull(argv[1], NULL, 0);
    setrlimit(RLIMIT_AS, &r);
  }
  getrlimit(RLIMIT_AS, &r);
  pthread_t thread;  // before: its stack has no room later
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_barrier_init(&freed, NULL, 2);
  if (pthread_create(&thread, &attributes, other, NULL) != 0)
    WRONG("no thread");
  for (size_t size = (size_t)8 << 20; size >= 1024; size /= 8)
    fill(size);
  printf("%.2f\n", 100.0 * (double)live / (double)r.rlim_cur);
  refuse();
  for (unsigned i = 0; i < count; i++)
    if (!is_marked(i))
      WRONG("a block has changed");
  for (unsigned i = 0; i < count; i += 2)
    free(blocks[i].at);
  pthread_barrier_wait(&freed);
  pthread_join(thread, NULL);
  for (unsigned i = 0; i < 10; i++)
    if (!calloc(1, (size_t)1 << 20))
      WRONG("no MiB after the frees");
  for (unsigned i = 1; i < count; i += 2)
    if (!is_marked(i))
      WRONG("a block has changed after the frees");
  for (unsigned i = 1; i < count; i += 2)
    free(blocks[i].at);
  /* Spaces that are empty are the system's again: room for a stack. */
  if (pthread_create(&thread, NULL, nothing, NULL) != 0)
    WRONG("no room for a thread after all was freed");
  pthread_join(thread, NULL);
  return 0;
}
