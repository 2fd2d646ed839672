/* client.c -- a program that tells the recorder of its pool, and pauses it
 *
 *     client         one pool: 5 blocks, a reset, 2 blocks, one freed, closed;
 *                    100 blocks that are recorded and 1,000 that are not
 *     client N       N blocks of 1 to 1,000 bytes, every second one freed
 *     client wait    200 blocks a turn until killed (or for a minute); each 20th
 *                    turn and what switches recording are told
 *     client churn   50,000 blocks in 3,000 places, freed in a random order
 *     client frame   print the frame of the function that asks for 54,321 bytes
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenure/record.h>

static void *volatile sink;

static void
use_pool(void)
{
  static char memory[1024];
  tn_record_pool_open(memory, "nodes", NULL);
  for (int i = 0; i < 5; i++)
    tn_record_pool_alloc(memory, memory + 100 * i, 100);
  tn_record_pool_reset(memory);
  tn_record_pool_alloc(memory, memory, 50);
  tn_record_pool_alloc(memory, memory + 64, 60);
  tn_record_pool_free(memory, memory);
  tn_record_pool_close(memory);
}

static void
allocate(int count)
{
  for (int i = 0; i < count; i++) {
    void *const a = malloc((size_t)(i % 1000 + 1));
    sink = malloc(10);
    free(sink);
    sink = a;
  }
}

static __attribute__((noinline)) void
show_frame(void)
{
  printf("%lx\n", (unsigned long)(size_t)__builtin_frame_address(0));
  fflush(stdout);
  sink = malloc(54321);
}

/* Addresses that meet in a table, taken out from among others. */
static void
churn(void)
{
  static void *volatile places[3000];
  unsigned random = 1;
  for (int i = 0; i < 50000; i++) {
    random = random * 1664525u + 1013904223u;
    const unsigned at = (random >> 8) % 3000;
    free(places[at]);
    places[at] = malloc(random >> 24);
  }
}

/* "TURN on" or "TURN off", now and then. */
static void
wait_and_tell(void)
{
  bool was_on = true;
  for (int turn = 1; turn <= 12000; turn++) {
    char line[40];
    allocate(100);
    const bool is_on = tn_record_is_on();
    if (is_on != was_on || turn % 20 == 0) {
      const int size =
          snprintf(line, sizeof line, "%d %s\n", turn, is_on ? "on" : "off");
      if (write(1, line, (size_t)size) != size)
        exit(1);
    }
    was_on = is_on;
    usleep(5000);
  }
}

int
main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "frame") == 0) {
    show_frame();
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "churn") == 0) {
    churn();
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "wait") == 0) {
    wait_and_tell();
    return 0;
  }
  if (argc > 1) {
    allocate(atoi(argv[1]));
    return 0;
  }
  use_pool();
  tn_record_mark("half way");
  const bool before = tn_record_is_on();
  allocate(50);
  tn_record_stop();
  const bool between = tn_record_is_on();
  allocate(500);
  tn_record_start();
  return before ? between ? 1 : 2 : between ? 3 : 4;
}
