/* test_shared.c -- every interleaving of small programs over a shared pool's
 * stacks, and mutants of the protocol that must be found
 *
 * Covers  [shared.live] [shared.order] [shared.aba] [shared.full]
 *         [stacks.publish] [stacks.tag]
 */
#include "explore.h"

#ifndef MODEL_SLOW
#define MODEL_SLOW 0  // slow_shared.c: also what takes seconds
#endif

#include "pool/stacks.h"

enum { BLOCKS = 3, STACKS = 2, MASK = 3, NOBODY = -1 };

static _Atomic uint64_t heads[STACKS];
static _Atomic uint32_t links[BLOCKS];
static tni_stacks stacks = {heads, links, MASK, STACKS, 1};

/* What should be so, beside what is. */
static int owner[BLOCKS];
static bool was_empty[EXPLORE_THREADS];

/* ---- The state ----------------------------------------------------------- */

/* Stack i has the blocks from first to last, in that order. */
static void
set_stack(unsigned i, uint32_t first, uint32_t last)
{
  tni_store_relaxed(&heads[i], first > last ? MASK : first);
  for (uint32_t b = first; b <= last && first <= last; b++) {
    tni_store_relaxed(&links[b], b < last ? b + 1 : MASK);
    owner[b] = NOBODY;
  }
}

/* A block that thread has from the start. */
static void
set_owned(uint32_t block, int thread)
{
  tni_store_relaxed(&links[block], STACKS_LIVE);
  owner[block] = thread;
}

/* Each block is in one stack, once, or has an owner and is in none. */
static void
check_end(void)
{
  int seen[BLOCKS] = {0};
  for (unsigned i = 0; i < stacks.count; i++) {
    uint64_t b = explore_peek(&heads[i]) & MASK;
    for (int steps = 0; b != MASK; steps++) {
      if (steps == BLOCKS || b >= BLOCKS) {
        explore_fail("a stack is broken");
        return;
      }
      seen[b]++;
      b = explore_peek(&links[b]) & MASK;
    }
  }
  for (int b = 0; b < BLOCKS; b++)
    EXPLORE_CHECK(seen[b] == (owner[b] == NOBODY));
}

/* ---- What threads do ----------------------------------------------------- */

static uint32_t
own(uint32_t block)
{
  if (block == MASK)
    return block;
  if (block >= BLOCKS) {
    explore_fail("no block");
    return MASK;
  }
  EXPLORE_CHECK(owner[block] == NOBODY);
  owner[block] = explore.current;
  explore_data((int)block, true);
  return block;
}

static uint32_t
pop(unsigned i)
{
  return own(tni_stacks_pop(&stacks, i));
}

static void
push(unsigned i, uint32_t block)
{
  if (block == MASK)
    return;
  explore_data((int)block, true);
  owner[block] = NOBODY;
  tni_stacks_push(&stacks, i, block);
}

/* ---- ABA: one stack, a pop that is overtaken ----------------------------- */

static void
aba_begin(void)
{
  stacks.count = 1;
  set_stack(0, 0, 2);
}

static void
aba_thread(int number)
{
  const uint32_t a = pop(0);
  if (number == 1)
    (void)pop(0);
  push(0, a);
}

static const explore_program aba = {2, aba_begin, aba_thread, check_end, NULL};

/* ---- Three threads over two blocks --------------------------------------- */

static void
three_begin(void)
{
  stacks.count = 1;
  set_owned(2, 0);
  set_stack(0, 0, 1);
}

static void
three_thread(int number)
{
  if (number == 0)
    push(0, 2);
  else
    push(0, pop(0));
}

static const explore_program three = {3, three_begin, three_thread, check_end,
                                      NULL};

/* ---- Full: empty at one moment, or not NULL ------------------------------ */

static bool
all_empty(void)
{
  return (explore_peek(&heads[0]) & MASK) == MASK &&
         (explore_peek(&heads[1]) & MASK) == MASK;
}

static void
full_begin(void)
{
  stacks.count = 2;
  set_owned(1, 1);
  set_owned(2, 1);
  set_stack(0, 1, 0);  // empty
  set_stack(1, 0, 0);
  for (int i = 0; i < EXPLORE_THREADS; i++)
    was_empty[i] = false;
}

static void
full_step(void)
{
  for (int i = 0; i < 2; i++)
    was_empty[i] = was_empty[i] || all_empty();
}

/* Thread 1 moves what there is from one stack to the other and back: there is
 * always something.  Thread 0 must find it. */
static void
full_taker(uint32_t (*take)(const tni_stacks *, unsigned))
{
  if (own(take(&stacks, 0)) == MASK)
    EXPLORE_CHECK(was_empty[0]);
}

static void
full_mover(void)
{
  push(0, 1);
  push(1, pop(1));
  push(0, pop(0));
  (void)pop(1);
}

static void
full_thread(int number)
{
  if (number == 0)
    full_taker(tni_stacks_take);
  else
    full_mover();
}

/* The mutant: one look at each stack. */
static void
hasty_thread(int number)
{
  if (number == 0) {
    full_taker(tni_stacks_try);
  } else {
    push(0, 1);
    (void)pop(1);
  }
}

static const explore_program full = {2, full_begin, full_thread, check_end,
                                     full_step};
static const explore_program hasty = {2, full_begin, hasty_thread, check_end,
                                      full_step};

/* ---- Runs ---------------------------------------------------------------- */

static const char *
explore_all(const char *name, const explore_program *program, explore_how how)
{
  const char *const failure = explore_run(program, &how);
  printf("%s: %zu runs, %zu cut short%s%s\n", name, explore.runs,
         explore.pruned, failure ? ": " : "", failure ? failure : "");
  return failure;
}

int
main(void)
{
  const explore_how strong = {0}, weak = {.is_weak = true};
  TEST(explore_all("aba", &aba, strong) == NULL);
  TEST(explore.runs > 50);
  TEST(explore_all("aba, weak", &aba, weak) == NULL);
  TEST(explore_all("three", &three, strong) == NULL);
  if (MODEL_SLOW)
    TEST(explore_all("three, weak", &three, weak) == NULL);
  TEST(explore_all("full", &full, strong) == NULL);
  /* Mutants: each must be found. */
  explore_how no_tag = strong, no_acquire = weak, no_release = weak;
  no_tag.ignored_bits = ~(uint64_t)MASK;
  no_acquire.drop_acquire = true;
  no_release.drop_release = true;
  TEST(explore_all("mutant: no tag", &aba, no_tag) != NULL);
  TEST(explore_all("mutant: no acquire", &three, no_acquire) != NULL);
  TEST(explore_all("mutant: no release", &three, no_release) != NULL);
  TEST(explore_all("mutant: one look", &hasty, strong) != NULL);
  return test_done();
}
