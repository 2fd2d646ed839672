/* threads.c -- threads that allocate here and free there
 *
 *     threads THREADS ROUNDS
 * Blocks go through shared slots, so that most are freed by another thread.
 * Prints allocations and frees.  With a third argument it allocates
 * a large block 5 ms later and is killed.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = 64 };
static void *slots[SLOTS];
static unsigned long allocated, freed;
static int rounds;

static void *
work(void *argument)
{
  unsigned seed = (unsigned)(size_t)argument;
  unsigned long took = 0, gave = 0;
  for (int i = 0; i < rounds; i++) {
    seed = seed * 1664525 + 1013904223;
    void *const p = malloc(16 + (seed >> 20) % 200);
    took++;
    void *const old =
        __atomic_exchange_n(&slots[(seed >> 8) % SLOTS], p, __ATOMIC_ACQ_REL);
    if (old != NULL) {
      free(old);
      gave++;
    }
  }
  __atomic_add_fetch(&allocated, took, __ATOMIC_RELAXED);
  __atomic_add_fetch(&freed, gave, __ATOMIC_RELAXED);
  return NULL;
}

int
main(int argc, char **argv)
{
  pthread_t threads[256];
  const int count = argc > 1 ? atoi(argv[1]) : 4;
  char text[80];
  rounds = argc > 2 ? atoi(argv[2]) : 1000;
  for (int i = 0; i < count; i++)
    pthread_create(&threads[i], NULL, work, (void *)(size_t)(i + 1));
  for (int i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  const int size = snprintf(text, sizeof text, "%lu %lu\n", allocated, freed);
  if (write(1, text, (size_t)size) < 0)
    return 1;
  if (argc > 3) {
    static void *volatile last;
    usleep(5000);
    last = malloc(1 << 20);
    raise(SIGKILL);
  }
  return 0;
}
