/* death: SIGABRT "[gc.thread] a mutator is used on another thread" modes: debug harden */
#include <pthread.h>

#include "death/gc_death.h"

static void *
other(void *argument)
{
  (void)argument;
  (void)death_new();
  return NULL;
}

int
main(void)
{
  death_begin("semi", false);
  pthread_t thread;
  (void)pthread_create(&thread, NULL, other, NULL);
  (void)pthread_join(thread, NULL);
  return 0;
}
