/* death: SIGABRT "[arena.owner] arena frame is used by thread" modes: debug */
#include <pthread.h>

#include <tenure/arena.h>

static tn_arena arena;

static void *
use(void *unused)
{
  (void)unused;
  return tn_arena_push(&arena, 1);
}

int
main(void)
{
  if (tn_arena_create(&arena, &(tn_arena_options){.name = "frame"}))
    return 1;
  pthread_t thread;
  pthread_create(&thread, NULL, use, NULL);
  pthread_join(thread, NULL);
  return 0;
}
