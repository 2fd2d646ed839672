/* slow_parked.c -- 100,000 coroutines parked on stacks of 256 KiB
 *
 * Each runs, uses 40 KiB of its stack, goes back and yields: then it has two
 * resident pages at most, all guards together one mapping.  All of them are
 * resumed and end.  On a kernel without guards of that kind the pool must
 * refuse at the limit on mappings, and what it gave must work.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/stack.h>
#include <tenure/vm.h>

#include <string.h>
#include <ucontext.h>

#include "resident.h"
#include "test.h"

enum { COUNT = 100000, STACK = 256 << 10 };

typedef struct task {
  ucontext_t context;
  tn_stack_room room;
  void *parked_at;
  unsigned state;  // 1 yielded, 2 done
} task;

static ucontext_t scheduler;
static task *current;

__attribute__((noinline)) static void
use_stack(size_t size)
{
  memset(TN_ALLOCA(size), 1, size);
}

static void
run(void)
{
  use_stack(40 << 10);
  current->state = 1;
  current->parked_at = __builtin_frame_address(0);
  (void)swapcontext(&current->context, &scheduler);
  current->state = 2;
}

/* The task lives at the top of its own stack. */
static task *
place(const tn_stack_room *room)
{
  const size_t head = (sizeof(task) + 63) / 64 * 64;
  task *const t = (task *)(void *)((char *)room->low + room->size - head);
  t->room = *room;
  t->state = 0;
  return t;
}

static void
start(tn_stack_pool *pool, task *t)
{
  TEST(getcontext(&t->context) == 0);
  t->context.uc_stack.ss_sp = t->room.low;
  t->context.uc_stack.ss_size = (size_t)((char *)t - (char *)t->room.low);
  t->context.uc_link = &scheduler;
  makecontext(&t->context, run, 0);
  current = t;
  (void)swapcontext(&scheduler, &t->context);
  /* swapcontext's own frame is below run's. */
  tn_stack_pool_park(pool, t->room.low, (char *)t->parked_at - 1024);
}

static bool
has_cheap_guards(void)
{
  const size_t page = tn_vm_page_size();
  void *const p = mmap(NULL, page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool has = tni_os_guard(p, page) == TN_OK;
  (void)munmap(p, page);
  return has;
}

int
main(void)
{
  static task *tasks[COUNT];
  tn_stack_pool *pool;
  const tn_stack_pool_options options = {.count = COUNT, .size = STACK};
  if (!TEST(tn_stack_pool_create(&pool, &options) == TN_OK))
    return test_done();
  const size_t mappings = resident_mappings();
  const size_t before = tni_os_resident();
  size_t count = 0, most = 0, sum = 0;
  tn_status status = TN_OK;
  for (; count < COUNT; count++) {
    tn_stack_room room;
    status = tn_stack_pool_take(pool, &room);
    if (status != TN_OK)
      break;
    tasks[count] = place(&room);
    start(pool, tasks[count]);
  }
  const size_t grown = tni_os_resident() - before;
  for (size_t i = 0; i < count; i++) {
    const size_t pages = resident_pages(tasks[i]->room.low, STACK);
    most = pages > most ? pages : most;
    sum += pages;
  }
  printf("%zu stacks, %zu mappings more, at most %zu resident pages each, "
         "%zu in all, %zu MiB more resident\n",
         count, resident_mappings() - mappings, most, sum, grown >> 20);
  TEST(most <= 2);
  TEST(grown <= count * 2 * tn_vm_page_size() + ((size_t)8 << 20));
  if (has_cheap_guards())
    TEST(count == COUNT && resident_mappings() - mappings < 10);
  else
    TEST(status == TN_EAGAIN && count > 30000);
  for (size_t i = 0; i < count; i++) {
    current = tasks[i];
    (void)swapcontext(&scheduler, &current->context);
    TEST(current->state == 2);
  }
  TEST(tn_stack_pool_get_taken(pool) == count);
  tn_stack_pool_destroy(pool);
  return test_done();
}
