/* start.c -- what a program finds when it starts; see test_start.py
 *
 *     start resident    KiB resident, and anonymous, after one malloc
 *     start cancelled   malloc in a thread that is to end: 1 when it went on
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile block;

static int
resident(void)
{
  static char text[4096];
  block = malloc(100);
  free(block);
  const int file = open("/proc/self/smaps_rollup", O_RDONLY);
  const ssize_t n = read(file, text, sizeof text - 1);
  (void)close(file);
  const char *const all = n > 0 ? strstr(text, "\nRss:") : NULL;
  const char *const own = n > 0 ? strstr(text, "\nAnonymous:") : NULL;
  if (!all || !own)
    return 1;
  printf("%ld %ld\n", strtol(all + 5, NULL, 10), strtol(own + 11, NULL, 10));
  return 0;
}

static int is_cancelled;
static int went_on;

static void *
allocate(void *unused)
{
  while (!__atomic_load_n(&is_cancelled, __ATOMIC_ACQUIRE))
    ;
  /* Far enough that the library looks at what there is, again and again. */
  for (int i = 0; i < 200; i++) {
    char *p = malloc(1 << 20);
    memset(p, 1, 1 << 20);
    p = malloc(1000);
    *p = 1;
  }
  went_on = 1;
  return unused;
}

int
main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "resident") == 0)
    return resident();
  pthread_t thread;
  if (pthread_create(&thread, NULL, allocate, NULL) != 0)
    return 1;
  (void)pthread_cancel(thread);
  __atomic_store_n(&is_cancelled, 1, __ATOMIC_RELEASE);
  (void)pthread_join(thread, NULL);
  printf("%d\n", went_on);
  return 0;
}
