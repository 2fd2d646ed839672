/* stack.c -- frames, children and stacks for coroutines against their peers
 *
 * Source   obstack is glibc's; mmap with mprotect is what a coroutine library
 *          does for each stack; children in malloc's memory are what a thread
 *          pool does for each task.
 */
#include <obstack.h>
#include <sys/mman.h>

#include <tenure/stack.h>

#include "bench.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

enum {
  FRAMES = 100,
  BLOCK = 64,
  ROOM = 1 << 20,
  TASK = 4096,
  STACK = 256 << 10
};

static tn_stack stack;
static struct obstack obstack;
static tn_stack_pool *pool;

static void
begin(void)
{
  const tn_stack_options options = {.size = ROOM};
  const tn_stack_pool_options many = {.count = FRAMES, .size = STACK};
  if (tn_stack_create(&stack, &options) != TN_OK ||
      tn_stack_pool_create(&pool, &many) != TN_OK)
    exit(1);
  obstack_init(&obstack);
}

/* ---- A chain of frames with a block each, deepest popped first ------------- */

static void
frames_tenure(void)
{
  tn_frame *frame[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    frame[i] = tn_frame_push(&stack, 0, "frame");
    BENCH_KEEP(tn_stack_alloc(&stack, BLOCK, 16));
  }
  for (int i = FRAMES - 1; i >= 0; i--)
    (void)tn_frame_pop(&stack, frame[i]);
}

static void
frames_obstack(void)
{
  void *frame[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    frame[i] = obstack_alloc(&obstack, sizeof(tn_frame));
    BENCH_KEEP(obstack_alloc(&obstack, BLOCK));
  }
  for (int i = FRAMES - 1; i >= 0; i--)
    obstack_free(&obstack, frame[i]);
}

static void
frames_malloc(void)
{
  void *frame[FRAMES], *block[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    frame[i] = malloc(sizeof(tn_frame));
    BENCH_KEEP(frame[i]);
    block[i] = malloc(BLOCK);
    BENCH_KEEP(block[i]);
  }
  for (int i = FRAMES - 1; i >= 0; i--) {
    free(block[i]);
    free(frame[i]);
  }
}

/* ---- One frame with many blocks -------------------------------------------- */

static void
blocks_tenure(void)
{
  tn_frame *const frame = tn_frame_push(&stack, 0, "frame");
  for (int i = 0; i < FRAMES; i++)
    BENCH_KEEP(tn_stack_alloc(&stack, BLOCK, 16));
  (void)tn_frame_pop(&stack, frame);
}

static void
blocks_obstack(void)
{
  void *const frame = obstack_alloc(&obstack, sizeof(tn_frame));
  for (int i = 0; i < FRAMES; i++)
    BENCH_KEEP(obstack_alloc(&obstack, BLOCK));
  obstack_free(&obstack, frame);
}

static void
blocks_malloc(void)
{
  void *block[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    block[i] = malloc(BLOCK);
    BENCH_KEEP(block[i]);
  }
  for (int i = 0; i < FRAMES; i++)
    free(block[i]);
}

/* ---- A room for a task, and back -------------------------------------------- */

static void
tasks_tenure(void)
{
  tn_stack *child[FRAMES];
  for (int i = 0; i < FRAMES; i++)
    child[i] = tn_stack_carve(&stack, TASK, "task");
  for (int i = 0; i < FRAMES; i++)  // the oldest first
    tn_stack_join(child[i]);
}

static void
tasks_malloc(void)
{
  void *child[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    child[i] = malloc(sizeof(tn_stack) + TASK);
    BENCH_KEEP(child[i]);
  }
  for (int i = 0; i < FRAMES; i++)
    free(child[i]);
}

/* ---- A stack to run on, its top page used, and back --------------------------- */

static void
coroutines_tenure(void)
{
  tn_stack_room room[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    if (tn_stack_pool_take(pool, &room[i]) != TN_OK)
      exit(1);
    *((volatile char *)room[i].low + STACK - 64) = 1;
  }
  for (int i = 0; i < FRAMES; i++)
    tn_stack_pool_give(pool, room[i].low);
}

static void
coroutines_mmap(void)
{
  char *low[FRAMES];
  for (int i = 0; i < FRAMES; i++) {
    low[i] =
        mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (low[i] == MAP_FAILED || mprotect(low[i], 4096, PROT_NONE) != 0)
      exit(1);
    *((volatile char *)low[i] + 4096 + STACK - 64) = 1;
  }
  for (int i = 0; i < FRAMES; i++)
    (void)munmap(low[i], STACK + 4096);
}

static const bench_case cases[] = {
    {"stack_frames", "tenure", FRAMES, frames_tenure, begin, 0, 0},
    {"stack_frames", "obstack", FRAMES, frames_obstack, begin, 0, 0},
    {"stack_frames", "malloc", FRAMES, frames_malloc, begin, 0, 0},
    {"stack_blocks", "tenure", FRAMES, blocks_tenure, begin, 0, 0},
    {"stack_blocks", "obstack", FRAMES, blocks_obstack, begin, 0, 0},
    {"stack_blocks", "malloc", FRAMES, blocks_malloc, begin, 0, 0},
    {"stack_tasks", "tenure", FRAMES, tasks_tenure, begin, 0, 0},
    {"stack_tasks", "malloc", FRAMES, tasks_malloc, begin, 0, 0},
    {"stack_coroutines", "tenure", FRAMES, coroutines_tenure, begin, 0, 0},
    {"stack_coroutines", "mmap", FRAMES, coroutines_mmap, begin, 0, 0},
};

BENCH_MAIN(cases)
