/* blind_events.c -- a simulation: events, packets in order, timers, a journal
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct event {
  unsigned due, kind;
  char payload[56];
} event;

static event *heap[128];
static unsigned heap_used;
static char *queue[64];
static unsigned first, last;
static char *timers[150];
static char *journal[6000];
static unsigned written;

SITE void
schedule(void)
{
  event *const e = malloc(sizeof *e);  // truth: pool
  e->due = below(1000);
  e->kind = 1;
  heap[heap_used++] = e;
}

SITE void
run_one(void)
{
  const unsigned i = below(heap_used);
  free(heap[i]);
  heap[i] = heap[--heap_used];
}

SITE void
send_packet(void)
{
  const unsigned size = 40 + below(400);
  queue[last++ % 64] = use(malloc(size), size);  // truth: ring
}

SITE void
take_packet(void)
{
  free(queue[first++ % 64]);
  corpus_sum++;
}

SITE void
set_timer(void)
{
  const unsigned i = below(150), size = 16 + below(150);
  free(timers[i]);
  timers[i] = use(malloc(size), size);  // truth: heap
}

SITE void
note(void)
{
  const unsigned size = 10 + below(60);
  journal[written++] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 5000; i++) {
    if (heap_used < 100)
      schedule();
    if (heap_used > 40 && below(2))
      run_one();
    if (last - first < 60)
      send_packet();
    if (last - first > 20 && below(3))
      take_packet();
    set_timer();
    note();
  }
  return 0;
}
