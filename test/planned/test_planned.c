/* test_planned.c -- phases that repeat, and phases that do not
 *
 * Every live block is filled with bytes of its own and looked at when it dies,
 * so that an overlap cannot hide.  The planner here is a first fit of a few
 * lines: the arena must be right with any.
 *
 * [planned.follow] [planned.same]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "../provider/conform.h"
#include "../provider/malloc_provider.h"
#include "planned/planned.h"

enum { LIVE = 256 };

/* ---- A planner ------------------------------------------------------------ */

static bool
overlap_in_time(const tn_plan_buffer *a, const tn_plan_buffer *b)
{
  return a->lower < b->upper && b->lower < a->upper;
}

static unsigned solver_calls;

static tn_status
first_fit(const tn_plan_problem *problem, const tn_plan_options *options,
          tn_plan_result *result)
{
  solver_calls++;
  TEST(options->provider && options->nodes);
  result->height = 0;
  for (size_t i = 0; i < problem->count; i++) {
    const tn_plan_buffer *const b = &problem->buffers[i];
    int64_t at = 0;
    for (size_t j = 0; j < i; j++) {
      const tn_plan_buffer *const other = &problem->buffers[j];
      if (!overlap_in_time(b, other) ||
          at >= result->offsets[j] + other->size ||
          result->offsets[j] >= at + b->size)
        continue;
      const int64_t end = result->offsets[j] + other->size;
      at = (end + b->align - 1) / b->align * b->align;
      j = (size_t)-1;  // look at all again
    }
    result->offsets[i] = at;
    if (at + b->size > result->height)
      result->height = at + b->size;
  }
  return TN_OK;
}

static tn_status
fail_to_plan(const tn_plan_problem *problem, const tn_plan_options *options,
             tn_plan_result *result)
{
  (void)problem, (void)options, (void)result;
  return TN_ERANGE;
}

/* ---- A run ------------------------------------------------------------------ */

typedef struct run_block {
  unsigned char *start;
  size_t size;
  unsigned char fill;
} run_block;

typedef struct run_state {
  malloc_provider memory;
  tn_planned arena;
  run_block live[LIVE];
  size_t count;
  unsigned char next_fill;
} run_state;

static void
run_init(run_state *run, tn_planned_solver *solve)
{
  *run = (run_state){.count = 0};
  malloc_provider_init(&run->memory);
  tn_planned_init(
      &run->arena,
      &(tn_planned_options){.memory = &run->memory.provider, .solve = solve});
}

static void
run_fini(run_state *run)
{
  tn_planned_fini(&run->arena);
  TEST(run->memory.live_bytes == 0 && run->memory.wrong_sizes == 0);
  TEST(run->memory.allocations == run->memory.frees);
}

static void
run_push(run_state *run, size_t size, size_t align)
{
  unsigned char *const start = tn_planned_push(&run->arena, size, align);
  if (!TEST(start != NULL))
    return;
  TEST((uintptr_t)start % align == 0 && (uintptr_t)start % TN_ALIGN == 0);
  TEST(tni_planned_is_valid(&run->arena));
  memset(start, run->next_fill, size);
  run->live[run->count++] = (run_block){start, size, run->next_fill++};
}

/* Pop the block that is i-th among the live, which keep their order. */
static void
run_pop(run_state *run, size_t i)
{
  const run_block block = run->live[i];
  for (size_t at = 0; at < block.size; at++)
    if (!TEST(block.start[at] == block.fill))
      break;
  tn_planned_pop(&run->arena, block.start);
  TEST(tni_planned_is_valid(&run->arena));
  run->count--;
  memmove(run->live + i, run->live + i + 1,
          (run->count - i) * sizeof *run->live);
}

static tn_status
run_end(run_state *run)
{
  while (run->count)
    run_pop(run, run->count - 1);
  return tn_planned_end(&run->arena);
}

/* A phase that a seed describes; a departure now and then, as another seed
 * says. */
static void
run_random_phase(run_state *run, uint64_t seed, uint64_t departures)
{
  enum { STEPS = 120 };
  uint64_t random = seed;
  tn_planned_begin(&run->arena);
  for (int i = 0; i < STEPS; i++) {
    const size_t size = test_random(&random) % 200;
    const size_t align = (size_t)1 << test_random(&random) % 8;
    const bool is_push = test_random(&random) % 5 < 3;
    const size_t which = test_random(&random);
    const uint64_t turn =
        departures ? test_random(&departures) % 12 : UINT64_MAX;
    if (turn == 0)
      continue;  // neither
    if (turn == 1 && run->count)
      run_pop(run, run->count / 2);
    else if (is_push && run->count < LIVE)
      run_push(run, turn == 2 ? size + 40 : size, turn == 3 ? 512 : align);
    else if (run->count)
      run_pop(run, which % run->count);
    if (turn == 4)
      run_push(run, size, align);
  }
  TEST(run_end(run) == TN_OK);
}

/* ---- Tests -------------------------------------------------------------------- */

static void
test_same_phases(uint64_t *random)
{
  for (int i = 0; i < 100; i++) {
    run_state run;
    run_init(&run, first_fit);
    const uint64_t seed = test_random(random);
    run_random_phase(&run, seed, 0);
    const size_t taken = run.memory.allocations;
    const tn_planned_report made = tn_planned_get_report(&run.arena);
    TEST(made.is_planned && made.bytes && made.pushes && !made.planned);
    for (int phase = 0; phase < 5; phase++)
      run_random_phase(&run, seed, 0);
    const tn_planned_report r = tn_planned_get_report(&run.arena);
    TEST(r.phases == 5 && r.departed == 0 && r.fallback == 0);
    TEST(r.planned == 5 * r.pushes);
    TEST(run.memory.allocations == taken);
    run_fini(&run);
  }
}

static void
test_departing_phases(uint64_t *random)
{
  uint64_t planned = 0, fallback = 0;
  for (int i = 0; i < 300; i++) {
    run_state run;
    run_init(&run, first_fit);
    const uint64_t seed = test_random(random);
    run_random_phase(&run, seed, 0);
    for (int phase = 0; phase < 5; phase++)
      run_random_phase(&run, seed, test_random(random));
    run_random_phase(&run, seed + 1, 0);
    const tn_planned_report r = tn_planned_get_report(&run.arena);
    TEST(r.phases == 6 && r.departed > 0);
    planned += r.planned;
    fallback += r.fallback;
    /* What departed is forgotten: the next is planned in full. */
    run_random_phase(&run, seed, 0);
    const tn_planned_report after = tn_planned_get_report(&run.arena);
    TEST(after.fallback == r.fallback && after.departed == r.departed &&
         after.planned == r.planned + r.pushes);
    run_fini(&run);
  }
  TEST(planned > 10000 && fallback > 10000);
}

/* Push the sizes; each below 500 then kills the blocks that are smaller by 32
 * or more. */
static void
phase_of(run_state *run, const size_t *sizes, size_t count)
{
  tn_planned_begin(&run->arena);
  for (size_t i = 0; i < count; i++) {
    run_push(run, sizes[i], 1);
    for (size_t j = run->count; j-- > 0;)
      if (sizes[i] < 500 && run->live[j].size + 32 <= sizes[i])
        run_pop(run, j);
  }
  TEST(run_end(run) == TN_OK);
}

/* After a push more, fewer, or of another size the rest is as planned, but for
 * those whose bytes are still in use. */
static void
test_resync(void)
{
  static const size_t recorded[] = {16, 32, 48, 64, 80, 96};
  static const size_t extra[] = {16, 32, 500, 48, 64, 80, 96};
  static const size_t missing[] = {16, 32, 64, 80, 96};
  static const size_t larger[] = {16, 32, 500, 64, 80, 96};
  run_state run;
  run_init(&run, first_fit);
  phase_of(&run, recorded, 6);
  phase_of(&run, extra, 7);
  tn_planned_report r = tn_planned_get_report(&run.arena);
  TEST(r.planned == 6 && r.fallback == 1 && r.departed == 1);
  phase_of(&run, missing, 5);
  r = tn_planned_get_report(&run.arena);
  TEST(r.planned == 6 + 4 && r.fallback == 1 + 1 && r.departed == 2);
  phase_of(&run, larger, 6);
  r = tn_planned_get_report(&run.arena);
  TEST(r.planned == 6 + 4 + 4 && r.fallback == 1 + 1 + 2 && r.departed == 3);
  run_fini(&run);
}

/* A block that lives longer than recorded keeps its bytes. */
static void
test_late_pop(void)
{
  run_state run;
  run_init(&run, first_fit);
  for (int phase = 0; phase < 2; phase++) {
    tn_planned_begin(&run.arena);
    run_push(&run, 100, 1);
    if (phase == 0)
      run_pop(&run, 0);
    run_push(&run, 100, 1);
    run_push(&run, 100, 1);
    TEST(run_end(&run) == TN_OK);
  }
  const tn_planned_report r = tn_planned_get_report(&run.arena);
  TEST(r.bytes == 2 * 112 && r.planned == 1 && r.fallback == 2);
  run_fini(&run);
}

static void
test_text_and_forget(void)
{
  char text[200];
  static const size_t sizes[] = {16, 32, 48};
  run_state run;
  run_init(&run, first_fit);
  tn_planned_begin(&run.arena);
  TEST(tn_planned_end(&run.arena) == TN_OK);
  tn_planned_describe(&run.arena, text, sizeof text);
  TEST_TEXT(text, "planned arena: recording");
  solver_calls = 0;
  phase_of(&run, sizes, 3);
  phase_of(&run, sizes, 2);
  TEST(solver_calls == 1);
  tn_planned_describe(&run.arena, text, sizeof text);
  TEST_TEXT(text, "planned arena: 96 bytes for 3 pushes; 1 phases, 0 departed; "
                  "2 pushes planned, 0 from chunks");
  tn_planned_forget(&run.arena);
  TEST(!tn_planned_get_report(&run.arena).is_planned);
  phase_of(&run, sizes, 2);
  TEST(solver_calls == 2 && tn_planned_get_report(&run.arena).pushes == 2);
  run_fini(&run);
}

/* The memory ends at each allocation in turn: an answer, and nothing is lost.
 */
static void
test_out_of_memory(void)
{
  static const size_t sizes[] = {16, 70000, 48, 70000};
  for (size_t budget = 0; budget < 14; budget++) {
    run_state run;
    run_init(&run, first_fit);
    run.memory.budget = budget;
    tn_planned_begin(&run.arena);
    size_t had = 0;
    for (; had < 4; had++) {
      const tn_planned before = run.arena;
      void *const block = tn_planned_push(&run.arena, sizes[had], 1);
      if (block == NULL) {
        TEST(run.arena.count == before.count &&
             run.arena.cursor == before.cursor);
        break;
      }
    }
    const tn_status status = tn_planned_end(&run.arena);
    const bool is_planned = tn_planned_get_report(&run.arena).is_planned;
    TEST(had == 0 || (status == TN_OK) == is_planned);
    TEST(status == TN_OK || status == TN_ENOMEM);
    TEST((budget >= 11) == is_planned);
    run.memory.budget = SIZE_MAX;
    phase_of(&run, sizes, 4);
    TEST(tn_planned_get_report(&run.arena).is_planned);
    /* Departing without memory is NULL; the plan itself needs none. */
    phase_of(&run, sizes, 4);
    run.memory.budget = 0;
    phase_of(&run, run.arena.count == 4 ? sizes : NULL,
             run.arena.count == 4 ? 4 : 0);
    tn_planned_begin(&run.arena);
    TEST(tn_planned_push(&run.arena, 12345, 1) == NULL);
    TEST(tn_planned_push(&run.arena, SIZE_MAX, 1) == NULL);
    TEST(tn_planned_end(&run.arena) == TN_OK);
    run_fini(&run);
  }
}

static void
test_planner_fails(void)
{
  static const size_t sizes[] = {16, 32};
  run_state run;
  run_init(&run, fail_to_plan);
  tn_planned_begin(&run.arena);
  run_push(&run, sizes[0], 1);
  TEST(run_end(&run) == TN_ERANGE);
  TEST(!tn_planned_get_report(&run.arena).is_planned);
  run_fini(&run);
}

/* Recording, and replaying with a plan that fits nothing. */
static void
test_provider(void)
{
  run_state run;
  run_init(&run, first_fit);
  for (int phase = 0; phase < 2; phase++) {
    tn_planned_begin(&run.arena);
    conform_provider(
        &(conform_case){.provider = tn_planned_provider(&run.arena),
                        .max_align_log2 = 8,
                        .steps = 2000});
    TEST(tn_planned_end(&run.arena) == TN_OK);
  }
  run_fini(&run);
}

int
main(void)
{
  uint64_t random = test_seed();
  test_same_phases(&random);
  test_departing_phases(&random);
  test_resync();
  test_late_pop();
  test_text_and_forget();
  test_out_of_memory();
  test_planner_fails();
  test_provider();
  return test_done();
}
