/* test_event.c -- the listener: what it is told, and swapped meanwhile.
 * Covers src/event/event.h: [event.one] [event.whole] */
#include <pthread.h>

#include "event/event.h"
#include "test.h"

typedef struct counter {
  tn_listener listener;  // first
  _Atomic unsigned long count;
  _Atomic unsigned long wrong;
  tn_event last;  // the main thread's
} counter;

static void
note(tn_listener *listener, const tn_event *event)
{
  counter *const c = (counter *)(void *)listener;
  c->last = *event;
  tni_add_relaxed(&c->count, 1);
}

static void
test_tell(void)
{
  counter c = {.listener = {note}};
  int thing = 0;
  tni_event_say(TN_EVENT_PUSH, "test", &thing, &thing, 4);
  TEST(c.count == 0);
  TEST(tn_listen(&c.listener) == NULL);
  tni_event_say(TN_EVENT_PUSH, "test", &c, &thing, 4);
  TEST(c.count == 1 && c.last.kind == TN_EVENT_PUSH && c.last.size == 4);
  TEST(c.last.instance == &c && c.last.address == &thing);
  TEST_TEXT(c.last.discipline, "test");
  TEST(tn_listen(NULL) == &c.listener);
  tni_event_say(TN_EVENT_PUSH, "test", &c, &thing, 4);
  TEST(c.count == 1);
}

static void
test_names(void)
{
  TEST_TEXT(tn_event_name(TN_EVENT_RESERVE), "TN_EVENT_RESERVE");
  TEST_TEXT(tn_event_name(TN_EVENT_RESET), "TN_EVENT_RESET");
  TEST_TEXT(tn_event_name(TN_EVENT_KINDS), "TN_EVENT_UNKNOWN");
  TEST_TEXT(tn_event_name((tn_event_kind)1000), "TN_EVENT_UNKNOWN");
  for (tn_event_kind kind = 0; kind < TN_EVENT_KINDS; kind++)
    TEST(strncmp(tn_event_name(kind), "TN_EVENT_", 9) == 0);
}

/* [event.whole] four speakers, while two listeners take turns: each event
 * arrives at most once, whole, at one of them; none is lost while a listener
 * stays. */
#define SPEAKERS 4
#define SAID     20000

static void
check(tn_listener *listener, const tn_event *event)
{
  counter *const c = (counter *)(void *)listener;
  const size_t n = event->size;
  if (event->kind != (tn_event_kind)(n % TN_EVENT_KINDS) ||
      (uintptr_t)event->address != n * 16 || event->instance != event->address)
    tni_add_relaxed(&c->wrong, 1);
  tni_add_relaxed(&c->count, 1);
}

static void *
speak(void *argument)
{
  (void)argument;
  for (size_t n = 0; n < SAID; n++) {
    const void *const p = (const void *)(n * 16);
    tni_event_say((tn_event_kind)(n % TN_EVENT_KINDS), "test", p, p, n);
  }
  return NULL;
}

static void
test_swap(void)
{
  static counter c[2] = {{.listener = {check}}, {.listener = {check}}};
  pthread_t speakers[SPEAKERS];
  TEST(tn_listen(&c[0].listener) == NULL);
  for (int i = 0; i < SPEAKERS; i++)
    pthread_create(&speakers[i], NULL, speak, NULL);
  tn_listener *current = &c[0].listener;
  for (int i = 1; i < 2000; i++) {
    tn_listener *const next = &c[i % 2].listener;
    TEST(tn_listen(next) == current);  // [event.one]
    current = next;
  }
  for (int i = 0; i < SPEAKERS; i++)
    pthread_join(speakers[i], NULL);
  TEST(tn_listen(NULL) == current);
  TEST(c[0].count + c[1].count == SPEAKERS * SAID);
  TEST(c[0].wrong + c[1].wrong == 0);
}

int
main(void)
{
  test_tell();
  test_names();
  test_swap();
  return test_done();
}
