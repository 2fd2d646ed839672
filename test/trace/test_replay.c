/* test_replay.c -- what a replay counts, to the instruction and the byte
 *
 * Short tapes of which every operation is known.  Functions of this program
 * stand in the stacks: see stand.h.
 *
 * Covers  [replay.same] [replay.layout] [replay.early]
 * SPDX-License-Identifier: MIT
 */
#include "stand.h"
#include "trace/replay_run.h"
#include "trace/report.h"

enum { MANY = 20 };

STAND_IN(stand_outer)
STAND_IN(stand_parse)
STAND_IN(stand_node)

static struct {
  writer *w;
  uint64_t tick, address;
  uint32_t node[2], parse[2], again;  // by line of stand_outer; realloc
  uint32_t inner_node, inner_parse;   // in a call of parse by parse
  uint64_t blocks[256];
} t;

static char path[64];

static void
begin(void)
{
  t.w = stand_open(path, 1000000);
  t.tick = 0;
  t.address = 0x10000000;
  const uint32_t node = stand_frame(t.w, stand_node, 0),
                 parse = stand_frame(t.w, stand_parse, 0),
                 freeing = stand_frame(t.w, stand_parse, 1);
  for (uint64_t line = 0; line < 2; line++) {
    const uint32_t outer = stand_frame(t.w, stand_outer, line);
    const uint32_t a[] = {node, parse, outer}, b[] = {freeing, outer};
    t.node[line] = writer_stack(t.w, TN_TRACE_API_MALLOC, a, 3, 64, 0);
    t.parse[line] = writer_stack(t.w, TN_TRACE_API_MALLOC, b, 2, 64, 0);
    const uint32_t c[] = {node, parse, freeing, outer},
                   d[] = {freeing, freeing, outer};
    if (line == 0) {
      t.inner_node = writer_stack(t.w, TN_TRACE_API_MALLOC, c, 4, 64, 0);
      t.inner_parse = writer_stack(t.w, TN_TRACE_API_MALLOC, d, 3, 64, 0);
    }
    if (line == 0)
      t.again = writer_stack(t.w, TN_TRACE_API_REALLOC, a, 3, 64, 0);
  }
}

static void
allocate(uint32_t stack, size_t i, uint64_t size)
{
  t.address += 0x1000;
  t.blocks[i] = t.address;
  writer_alloc(t.w, 0, t.tick += 10, stack, t.address, size);
}

static void
release(uint32_t stack, size_t i)
{
  writer_free(t.w, 0, t.tick += 10, stack, t.blocks[i]);
}

/* Replay what was written with one plan for the nodes, and without. */
static tni_replay_result
replay(tni_way way, uint64_t size, tni_plan *found)
{
  t.w->header.last_tick = t.w->header.last_ns = t.tick + 10;
  writer_close(t.w);
  tni_analysis *const a = tni_report_open(path, NULL);
  if (!TEST(a != NULL))
    exit(1);
  tni_plan plan = {.way = way, .size = size};
  for (uint32_t i = 1; i < a->site_count; i++) {
    const char *const name = a->names.functions[a->sites[i].function].name;
    plan.site = strcmp(name, "stand_node") == 0 ? i : plan.site;
  }
  for (uint32_t i = 1; i < a->names.count; i++)
    if (tni_way_is_scoped(way) &&
        strcmp(a->names.functions[i].name, "stand_parse") == 0)
      plan.function = i;
  tni_replay r;
  tni_replay_init(&r, a, &plan, 1);
  const tni_replay_result result =
      tni_replay_run(&r, &(bool){way != TNI_WAY_HEAP});
  TEST(result.is_good);
  if (found)
    *found = r.plans[0];
  tni_replay_fini(&r);
  tni_analysis_close(a);
  return result;
}

/* ---- The heap --------------------------------------------------------------- */

/* The thread's cache holds seven blocks of a size; then there are the bins. */
static void
test_heap(void)
{
  begin();
  for (size_t round = 0; round < 2; round++) {
    for (size_t i = 0; i < MANY; i++)
      allocate(t.node[0], i, 64);
    for (size_t i = 0; i < MANY; i++)
      release(t.parse[0], i);
  }
  const tni_replay_result r = replay(TNI_WAY_HEAP, 0, NULL);
  TEST(r.calls == 4 * MANY && r.heap_blocks == 2 * MANY && r.other_blocks == 0);
  const uint64_t frees =
      7 * TNI_RUN_HEAP_FREE + (MANY - 7) * TNI_RUN_HEAP_FREE_FAST;
  const uint64_t again = 18 * TNI_RUN_HEAP_ALLOC + 2 * TNI_RUN_HEAP_ALLOC_FAST;
  TEST(r.instructions == MANY * TNI_RUN_HEAP_ALLOC_NEW + again + 2 * frees);
  begin();
  for (size_t i = 0; i < MANY; i++) {
    allocate(t.again, i, 64);
    release(t.parse[0], i);
  }
  TEST(replay(TNI_WAY_HEAP, 0, NULL).instructions ==
       TNI_RUN_HEAP_ALLOC_NEW + (MANY - 1) * TNI_RUN_HEAP_ALLOC +
           MANY * (TNI_RUN_HEAP_FREE + TNI_RUN_HEAP_BY_RESIZE));
}

/* Blocks that fill their pages leave little of them unused. */
static void
test_waste(void)
{
  begin();
  for (size_t i = 0; i < 200; i++)
    allocate(t.node[0], i, 4000);
  const tni_replay_result r = replay(TNI_WAY_HEAP, 0, NULL);
  TEST(r.mean_pages > 50 && r.most_pages >= r.mean_pages);
  TEST(r.waste_pages < r.mean_pages - 40);
}

/* ---- Disciplines ------------------------------------------------------------ */

/* Calls of parse from two lines in turn, so that each is seen to end. */
static void
write_calls(uint64_t size, bool is_one_call)
{
  begin();
  for (size_t call = 0; call < MANY; call++) {
    const size_t line = is_one_call ? 0 : call % 2;
    for (size_t i = 0; i < 3; i++)
      allocate(t.node[line], i, size);
    for (size_t i = 0; i < 3; i++)
      release(t.parse[line], i);
  }
}

static void
test_scratch(void)
{
  tni_plan plan;
  for (int is_one_call = 0; is_one_call < 2; is_one_call++) {
    write_calls(40, is_one_call);
    const tni_replay_result r = replay(TNI_WAY_SCRATCH, 0, &plan);
    TEST(r.calls == 0 && r.other_blocks == 3 * MANY);
    TEST(r.other_bytes == 3 * 48 && r.peak_bytes == 3 * 48);
    TEST(r.instructions == TNI_RUN_ARENA_MAKE + 3 * MANY * TNI_RUN_ARENA_PUSH +
                               (is_one_call ? 1 : MANY) * TNI_RUN_ARENA_SCOPE);
    TEST(plan.scopes == MANY && plan.most_blocks == 3 && plan.early == 0);
    TEST(plan.most_bytes == 120 && plan.most_live == 3);
    TEST(plan.call_bytes == (is_one_call ? MANY * 120 : 120));
  }
}

/* A block that comes when an inner call has ended belongs to the outer one. */
static void
test_recursion(void)
{
  tni_plan plan;
  begin();
  for (size_t call = 0; call < MANY; call++) {
    allocate(t.node[0], 0, 40);
    allocate(t.inner_node, 1, 40);
    release(t.inner_parse, 1);
    allocate(t.node[0], 2, 40);
    release(t.parse[0], 0);
    release(t.parse[0], 2);
  }
  const tni_replay_result r = replay(TNI_WAY_SCRATCH, 0, &plan);
  TEST(plan.blocks == 3 * MANY && plan.scoped == plan.blocks);
  TEST(plan.early == 0 && r.calls == 0 && r.other_bytes == 2 * 48);
}

static void
test_turn(void)
{
  tni_plan plan;
  write_calls(40, true);
  replay(TNI_WAY_TURN, 0, &plan);
  TEST(plan.early > 0);  // the line is passed thrice before the frees
  begin();
  for (size_t i = 0; i < MANY; i++) {
    allocate(t.node[0], i, 100);
    release(t.parse[0], i);
  }
  const tni_replay_result r = replay(TNI_WAY_TURN, 0, &plan);
  TEST(plan.early == 0 && plan.turn != 0 && plan.scopes == MANY);
  TEST(r.other_bytes == 112);
  TEST(r.instructions == TNI_RUN_ARENA_MAKE + MANY * TNI_RUN_ARENA_PUSH +
                             (MANY - 1) * TNI_RUN_ARENA_REWIND);
}

/* Blocks that are too large for the array go to the heap. */
static void
test_array(void)
{
  begin();
  for (size_t i = 0; i < MANY; i++) {
    allocate(t.node[0], i, i % 2 ? 40 : 100);
    release(t.parse[0], i);
  }
  const tni_replay_result r = replay(TNI_WAY_STACK, 50, NULL);
  TEST(r.calls == MANY && r.heap_blocks == MANY / 2);
  TEST(r.other_blocks == MANY / 2 && r.other_bytes == 64);
  TEST(r.instructions ==
       TNI_RUN_HEAP_ALLOC_NEW + (MANY / 2 - 1) * TNI_RUN_HEAP_ALLOC +
           MANY / 2 * TNI_RUN_HEAP_FREE + MANY / 2 * TNI_RUN_ARRAY_CHOICE);
  write_calls(40, true);
  TEST(replay(TNI_WAY_STACK, 40, NULL).instructions == 0);
}

static void
test_others(void)
{
  write_calls(56, false);
  tni_replay_result r = replay(TNI_WAY_POOL, 56, NULL);
  TEST(r.calls == 0 && r.other_bytes == 3 * 56);
  TEST(r.instructions ==
       TNI_RUN_POOL_MAKE + 3 * TNI_RUN_POOL_CARVE +
           3 * MANY * (TNI_RUN_POOL_ALLOC + TNI_RUN_POOL_FREE));
  write_calls(40, false);
  r = replay(TNI_WAY_REGION, 0, NULL);
  TEST(r.calls == 0 && r.other_bytes == 3 * 48);
  TEST(r.instructions == TNI_RUN_ARENA_MAKE + MANY * (3 * TNI_RUN_ARENA_PUSH +
                                                      TNI_RUN_ARENA_RESET));
  write_calls(40, false);
  r = replay(TNI_WAY_RING, 200, NULL);
  TEST(r.calls == 0 && r.other_blocks == 3 * MANY);
  TEST(r.instructions ==
       TNI_RUN_RING_MAKE + 3 * MANY * (TNI_RUN_RING_PUSH + TNI_RUN_RING_POP));
  write_calls(40, false);
  const tni_replay_result heap = replay(TNI_WAY_HEAP, 0, NULL);
  write_calls(40, false);
  r = replay(TNI_WAY_OWN, 0, NULL);
  TEST(r.calls == heap.calls && r.instructions == heap.instructions);
  TEST(r.peak_bytes == 3 * 48);
}

int
main(void)
{
  TEST(stand_outer(1) + stand_parse(1) + stand_node(1) != 1);
  snprintf(path, sizeof path, "/tmp/tenure-replay-%ld.trace", (long)getpid());
  test_heap();
  test_waste();
  test_scratch();
  test_recursion();
  test_turn();
  test_array();
  test_others();
  unlink(path);
  return test_done();
}
