/* death: SIGABRT "[stack.overflow] stack 1 of pool tasks overflows in dig+0x" modes: release debug harden */
#define _GNU_SOURCE
#include <tenure/fault.h>
#include <tenure/stack.h>

#include <ucontext.h>

TN_API int dig(int depth);

__attribute__((noinline)) int
dig(int depth)
{
  volatile char hole[300];
  hole[0] = (char)depth;
  return depth < 0 ? 0 : dig(depth + 1) + hole[0];
}

static void
run(void)
{
  (void)dig(1);
}

/* A coroutine recurses without end: reported on the alternate stack. */
int
main(void)
{
  static ucontext_t here, there;
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {4, 1 << 16, 0, false, "tasks"};
  tn_stack_room room;
  if (tn_fault_watch_stack() != TN_OK ||
      tn_stack_pool_create(&pool, &options) != TN_OK ||
      tn_stack_pool_take(pool, &room) != TN_OK ||
      tn_stack_pool_take(pool, &room) != TN_OK || getcontext(&there) != 0)
    return 1;
  there.uc_stack.ss_sp = room.low;
  there.uc_stack.ss_size = room.size;
  there.uc_link = &here;
  makecontext(&there, run, 0);
  return swapcontext(&here, &there);
}
