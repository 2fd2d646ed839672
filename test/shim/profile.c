/* profile.c -- allocations of known number and size, for test_profile.py
 *
 *     profile known            exits with known blocks
 *     profile wait             the same, says so, and waits for its input's end
 *     profile storm            two threads allocate while SIGUSR2 comes often
 *     profile limit            until malloc says no: how many MiB that were
 *     profile fork             the child exits with known blocks
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FROM  __attribute__((noinline, noclone))
#define NEVER __asm__ volatile("")  // no tail call

void *keep[100000];
size_t kept;

FROM void *
small_left(void)
{
  void *p = malloc(100);
  NEVER;
  return p;
}
FROM void *
small_freed(void)
{
  void *p = malloc(100);
  NEVER;
  return p;
}
FROM void *
large_left(void)
{
  void *p = malloc(300000);
  NEVER;
  return p;
}
FROM void *
zeroed_left(void)
{
  void *p = calloc(30, 100);
  NEVER;
  return p;
}
FROM void *
aligned_left(void)
{
  void *p = memalign(4096, 5000);
  NEVER;
  return p;
}
FROM void *
grown(void *p, size_t n)
{
  p = realloc(p, n);
  NEVER;
  return p;
}
FROM void *
churned(void)
{
  void *p = malloc(64);
  NEVER;
  free(p);
  return p;
}

static void *
free_all(void *list)
{
  void **at = list;
  for (; *at; at++)
    free(*at);
  return NULL;
}

static int
known(void)
{
  static void *freed[5001];
  for (int i = 0; i < 5000; i++) {
    keep[kept++] = small_left();
    freed[i] = small_freed();
  }
  for (int i = 0; i < 50; i++)
    keep[kept++] = large_left();
  for (int i = 0; i < 200; i++) {
    unsigned char *z = zeroed_left();
    for (int k = 0; k < 3000; k++)
      if (z[k])
        return 1;
    memset(z, 1, 3000);
    keep[kept++] = z;
  }
  for (int i = 0; i < 100; i++) {
    void *const p = aligned_left();
    if ((size_t)p % 4096)
      return 1;
    keep[kept++] = p;
  }
  for (int i = 0; i < 20000; i++)
    churned();
  unsigned char *p = NULL;
  for (size_t n = 100; n < 2000000; n = n * 5 / 4) {
    p = grown(p, n);
    if (!p || malloc_usable_size(p) < n)
      return 1;
    p[n - 1] = p[0] = 7;
  }
  for (size_t n = 1000000; n > 10; n /= 3) {
    p = grown(p, n);
    if (p[0] != 7)
      return 1;
  }
  free(p);
  pthread_t thread;  // another thread frees them
  pthread_create(&thread, NULL, free_all, freed);
  pthread_join(thread, NULL);
  return 0;
}

static void *
churn(void *unused)
{
  void *some[100] = {0};
  for (int i = 0; i < 300000; i++) {
    void **const at = &some[i * 7 % 100];
    free(*at);
    *at = malloc((size_t)(i * 37 % 3000 + 1));
    *(char *)*at = 1;
  }
  free_all(some);
  return unused;
}

static int
storm(void)
{
  pthread_t thread[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&thread[i], NULL, churn, NULL);
  for (int i = 0; i < 100; i++) {
    pthread_kill(thread[i % 2], SIGUSR2);
    usleep(1000);
  }
  for (int i = 0; i < 2; i++)
    pthread_join(thread[i], NULL);
  return 0;
}

static int
limit(void)
{
  size_t bytes = 0;
  for (;;) {
    errno = 0;
    void **const p = malloc(500);
    if (!p)
      break;
    *p = keep[0];
    keep[0] = p;
    bytes += 500;
  }
  const int error = errno;
  for (int i = 0; i < 1000; i++) {  // and it works on after a free
    void **const p = keep[0];
    keep[0] = *p;
    free(p);
  }
  void *const again = malloc(500);
  printf("%zu %d %d\n", bytes >> 20, error == ENOMEM, again != NULL);
  return 0;
}

int
main(int argc, char **argv)
{
  const char *const how = argc > 1 ? argv[1] : "";
  if (strcmp(how, "storm") == 0)
    return storm();
  if (strcmp(how, "limit") == 0)
    return limit();
  if (strcmp(how, "fork") == 0) {
    keep[kept++] = small_left();
    const pid_t child = fork();
    int status = 0;
    if (child == 0)
      return known();
    waitpid(child, &status, 0);
    return status != 0;
  }
  const int wrong = known();
  if (strcmp(how, "wait") == 0) {
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF || errno == EINTR)
      continue;
  }
  return wrong;
}
