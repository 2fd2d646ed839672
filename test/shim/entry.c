/* entry.c -- what malloc's entry points promise; run by test_malloc.py
 *
 * Prints "ok" when all of it holds under whichever malloc it runs with; with
 * an argument only what holds for any good malloc, glibc's too.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
#define CHECK(c)                                                               \
  ((c) ? (void)0                                                               \
       : (void)(failures++,                                                    \
                fprintf(stderr, "%d: failed: %s\n", __LINE__, #c)))

static void *volatile sink;

static int
is_aligned(const void *p, size_t align)
{
  return (uintptr_t)p % align == 0;
}

static void
errors(void)
{
  errno = 0;
  CHECK((sink = malloc(SIZE_MAX - 8)) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK((sink = malloc((size_t)PTRDIFF_MAX)) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK((sink = calloc(SIZE_MAX / 2, 3)) == NULL && errno == ENOMEM);
  errno = 0;
  char *p = malloc(10);
  memset(p, 7, 10);
  CHECK((sink = realloc(p, SIZE_MAX / 2)) == NULL && errno == ENOMEM);
  CHECK(p[9] == 7);
  errno = 0;
  CHECK((sink = reallocarray(p, SIZE_MAX / 2, 3)) == NULL && errno == ENOMEM);
  void *out = p;
  errno = 5;
  CHECK(posix_memalign(&out, 3, 8) == EINVAL && out == p);
  CHECK(posix_memalign(&out, 4, 8) == EINVAL);
  CHECK(posix_memalign(&out, 64, SIZE_MAX / 2) == ENOMEM && errno == 5);
  errno = 0;
  CHECK((sink = memalign(64, SIZE_MAX - 4096)) == NULL && errno == ENOMEM);
  errno = 42;
  free(p);
  free(NULL);
  char *large = malloc(10 << 20);
  memset(large, 1, 10 << 20);
  errno = 42;
  free(large);
  CHECK(errno == 42);
}

static void
sizes(void)
{
  for (size_t size = 0; size < 400000; size += 1 + size / 3) {
    unsigned char *p = malloc(size);
    CHECK(p && is_aligned(p, 16) && malloc_usable_size(p) >= size);
    memset(p, 0xa5, malloc_usable_size(p));
    p = realloc(p, size * 2 + 1);
    CHECK(size == 0 || p[size - 1] == 0xa5);
    memset(p, 0xa5, size * 2 + 1);
    p = realloc(p, size / 2 + 1);
    CHECK(p[size / 2] == 0xa5);
    free(p);
    p = calloc(size + 1, 3);
    for (size_t i = 0; i < (size + 1) * 3; i += 7)
      CHECK(p[i] == 0);
    memset(p, 1, (size + 1) * 3);
    free(p);
  }
  void *a = malloc(0);
  void *b = malloc(0);
  CHECK(a && b && a != b);
  free(a);
  free(b);
  CHECK(malloc_usable_size(NULL) == 0);
}

/* Growing in small steps moves a block four times a doubling, where the
 * environment says how often it may; others pay for what they ask. */
static void
growth(void)
{
  const char *const most = getenv("MOST_MOVES");
  long moves = 0;
  unsigned char *p = calloc(1, 1);
  size_t size = 1;
  while (size < 60000) {
    const size_t larger = size + size / 16 + 1;
    unsigned char *const q = realloc(p, larger);
    moves += q != p;
    p = q;
    for (size_t i = 0; i < size; i++)
      CHECK(p[i] == (unsigned char)(i * 7));
    for (size_t i = size; i < larger; i++)
      p[i] = (unsigned char)(i * 7);
    size = larger;
  }
  free(p);
  CHECK(!most || moves <= atol(most));
  p = realloc(malloc(300), 600);
  CHECK(malloc_usable_size(p) < 700);
  free(p);
}

static void
alignments(void)
{
  for (size_t align = 8; align <= (size_t)1 << 30; align *= 2) {
    void *p = NULL;
    CHECK(posix_memalign(&p, align, 100) == 0 && is_aligned(p, align));
    memset(p, 1, 100);
    void *q = aligned_alloc(align, 3 * align < 100000 ? 3 * align : 100);
    CHECK(q && is_aligned(q, align));
    free(q);
    q = memalign(align, 50);
    CHECK(q && is_aligned(q, align));
    free(q);
    free(p);
  }
  void *p = memalign(48, 10);  // glibc rounds the alignment up
  CHECK(is_aligned(p, 64));
  free(p);
  p = valloc(10);
  CHECK(is_aligned(p, (size_t)sysconf(_SC_PAGESIZE)));
  free(p);
  p = pvalloc(10);
  CHECK(is_aligned(p, (size_t)sysconf(_SC_PAGESIZE)));
  CHECK(malloc_usable_size(p) >= (size_t)sysconf(_SC_PAGESIZE));
  free(p);
}

static void
glibc_extras(void)
{
  void *p = malloc(100000);
  const struct mallinfo2 m = mallinfo2();
  CHECK(m.uordblks + m.hblkhd >= 100000);
  char *text = NULL;
  size_t size = 0;
  FILE *f = open_memstream(&text, &size);
  CHECK(malloc_info(0, f) == 0);
  fclose(f);
  CHECK(strstr(text, "</malloc>") != NULL);
  free(text);
  free(p);
  (void)malloc_trim(0);
  (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

static void *
churn(void *seed)
{
  unsigned r = (unsigned)(uintptr_t)seed;
  char *held[64] = {0};
  for (int i = 0; i < 20000; i++) {
    r = r * 1103515245u + 12345;
    char **slot = &held[r >> 8 & 63];
    free(*slot);
    *slot = malloc(1 + (r >> 16) % 3000);
    **slot = 1;
  }
  for (int i = 0; i < 64; i++)
    free(held[i]);
  return NULL;
}

/* Children of a process whose other threads are allocating. */
static void
forks(void)
{
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; i++)
    CHECK(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
  for (int i = 0; i < 40; i++) {
    const pid_t child = fork();
    if (child == 0) {
      churn((void *)7);
      pthread_t thread;
      _exit(pthread_create(&thread, NULL, churn, (void *)9) != 0 ||
            pthread_join(thread, NULL) != 0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
}

static pthread_key_t late_key;

/* Runs after our own destructor, in later rounds too. */
static void
late(void *value)
{
  void *p = malloc(100);
  memset(p, 1, 100);
  free(value);
  free(p);
  static _Thread_local int round;
  if (round++ < 3)
    pthread_setspecific(late_key, malloc(40));
}

static void *
ends_late(void *unused)
{
  pthread_setspecific(late_key, malloc(40));
  return unused;
}

static void
thread_ends(void)
{
  CHECK(pthread_key_create(&late_key, late) == 0);
  for (int i = 0; i < 200; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, ends_late, NULL) == 0);
    pthread_join(thread, NULL);
  }
}

static void
at_exit(void)
{
  free(malloc(1000));
}

int
main(void)
{
  atexit(at_exit);
  errors();
  sizes();
  growth();
  alignments();
  glibc_extras();
  for (int i = 0; i < 20; i++) {
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    CHECK(library && dlsym(library, "cos"));
    dlclose(library);
  }
  thread_ends();
  forks();
  if (!failures)
    puts("ok");
  return failures != 0;
}
