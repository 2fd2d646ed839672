/* test_calls.c -- what holds a block, against generated call trees
 *
 * A random program runs on a pretend stack: calls, returns, allocations,
 * frees; all with the true number of each activation.  Three kinds of run:
 * every return is followed by an event in the caller and stacks are whole
 * (then every answer is known and right); the same with stacks cut to their
 * inner frames (an answer may be unknown, never wrong); and calls through
 * pointers, where one call instruction reaches several functions.  And by hand:
 * returns that no event tells of.
 *
 * Covers  [calls.order]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"
#include "trace/calls.h"

enum { TREES = 10000, STEPS = 60, DEPTH = 12, BLOCKS = 64, TOP = 1 << 20 };

/* The pretend machine.  frames[0] is the thread's first function. */
typedef struct machine {
  uint64_t seed;
  uint64_t now;
  uint64_t activations;
  struct {
    uint32_t function;
    uint64_t activation;
    uint64_t base;  // where its frame begins: slots of its calls lie below
    uint32_t call;  // return address of the call that is under way
    uint64_t slot;
  } frames[DEPTH];
  size_t depth;  // frames in use
  struct {
    uint64_t since;
    uint64_t activations[DEPTH];
    size_t depth;
    bool is_live;
  } blocks[BLOCKS];
  tni_calls calls;
  size_t kept;       // frames of a stack that are recorded; 0: all
  size_t free_kept;  // the same for a free
  bool has_pointers;
  unsigned long known, unknown, wrong;
} machine;

static uint32_t
pick(machine *m, uint32_t n)
{
  return (uint32_t)(test_random(&m->seed) % n);
}

/* Function f has a frame of 32 (f + 1) bytes, and 4 places that call. */
static void
place_call(machine *m, uint32_t place)
{
  const size_t top = m->depth - 1;
  const uint32_t f = m->frames[top].function;
  m->frames[top].call = 1 + f * 8 + place;
  m->frames[top].slot = m->frames[top].base - 32 * (f + 1);
}

static void
note_event(machine *m, uint32_t place, size_t kept)
{
  place_call(m, place);
  tni_call stack[DEPTH];
  const size_t from = kept && m->depth > kept ? m->depth - kept : 0;
  for (size_t i = from; i < m->depth; i++)
    stack[i - from] = (tni_call){m->frames[i].slot, m->frames[i].call,
                                 1 + m->frames[i].function};
  tni_calls_enter(&m->calls, stack, m->depth - from, from > 0, ++m->now);
}

static void
do_call(machine *m)
{
  if (m->depth == DEPTH)
    return;
  const uint32_t place = pick(m, 3);
  place_call(m, place);
  const size_t top = m->depth - 1;
  /* Without pointers a place calls one function only. */
  const uint32_t callee =
      m->has_pointers ? pick(m, 5) : (m->frames[top].function * 3 + place) % 5;
  m->frames[m->depth].function = callee;
  m->frames[m->depth].activation = ++m->activations;
  m->frames[m->depth].base = m->frames[top].slot;
  m->depth++;
}

static void
do_return(machine *m)
{
  if (m->depth == 1)
    return;
  m->depth--;
  note_event(m, 4 + pick(m, 2), m->kept);  // seen: an event in the caller
}

static void
do_allocate(machine *m)
{
  const uint32_t b = pick(m, BLOCKS);
  if (m->blocks[b].is_live)
    return;
  note_event(m, 6, m->kept);
  m->blocks[b].is_live = true;
  m->blocks[b].since = m->now;
  m->blocks[b].depth = m->depth;
  for (size_t i = 0; i < m->depth; i++)
    m->blocks[b].activations[i] = m->frames[i].activation;
}

/* The slot that the innermost activation common to both was called from. */
static void
check_block(machine *m, uint32_t b)
{
  size_t common = 0;
  while (common < m->depth && common < m->blocks[b].depth &&
         m->frames[common].activation == m->blocks[b].activations[common])
    common++;
  const tni_holder holder = tni_calls_find(&m->calls, m->blocks[b].since);
  m->unknown += holder.kind == TNI_HOLDER_UNKNOWN;
  if (holder.kind == TNI_HOLDER_UNKNOWN)
    return;
  m->known++;
  if (common == 1)
    m->wrong += holder.kind != TNI_HOLDER_THREAD;
  else
    m->wrong += holder.kind != TNI_HOLDER_CALL ||
                holder.slot != m->frames[common - 2].slot;
}

static void
do_free(machine *m)
{
  const uint32_t b = pick(m, BLOCKS);
  if (!m->blocks[b].is_live)
    return;
  note_event(m, 7, m->free_kept);
  check_block(m, b);
  m->blocks[b].is_live = false;
}

static void
run_tree(machine *m)
{
  m->depth = 1;
  m->frames[0].function = 0;
  m->frames[0].activation = ++m->activations;
  m->frames[0].base = TOP;
  for (int i = 0; i < BLOCKS; i++)
    m->blocks[i].is_live = false;
  for (int step = 0; step < STEPS; step++)
    switch (pick(m, 6)) {
    case 0: do_return(m); break;
    case 1:
    case 2: do_call(m); break;
    case 3: do_free(m); break;
    default: do_allocate(m); break;
    }
  for (int i = 0; i < 200; i++)
    do_free(m);
  tni_calls_fini(&m->calls);
}

static void
run_trees(const char *name, uint64_t seed, size_t kept, size_t free_kept,
          bool has_pointers)
{
  machine m = {.seed = seed,
               .kept = kept,
               .free_kept = free_kept,
               .has_pointers = has_pointers};
  for (int i = 0; i < TREES; i++)
    run_tree(&m);
  if (!TEST(m.wrong == 0 && m.known > 1000 &&
            (kept + free_kept > 0 || m.unknown == 0)))
    fprintf(stderr, "%s: %lu known, %lu unknown, %lu wrong\n", name, m.known,
            m.unknown, m.wrong);
  else if (getenv("TEST_VERBOSE"))
    fprintf(stderr, "%s: %lu known, %lu unknown\n", name, m.known, m.unknown);
}

/* ---- Returns that no event tells of ------------------------------------------ */

/* A block is allocated at the first stack, and freed at the second, with no
 * event between: what is said to hold it. */
static tni_holder
find_between(const tni_call *first, size_t first_count, const tni_call *second,
             size_t second_count, bool is_cut)
{
  tni_calls calls = {0};
  tni_calls_enter(&calls, first, first_count, false, 1);
  tni_calls_enter(&calls, second, second_count, is_cut, 2);
  const tni_holder holder = tni_calls_find(&calls, 1);
  tni_calls_fini(&calls);
  return holder;
}

/* One call instruction, at 1000: the function that it led to tells whether the
 * call is the same.  At the leaf, and further out. */
static void
test_same_call(void)
{
  static const struct {
    uint32_t first, second;  // the function called; 0: not known
    tni_holder_kind kind;
  } cases[] = {{5, 5, TNI_HOLDER_CALL},
               {5, 6, TNI_HOLDER_THREAD},
               {0, 6, TNI_HOLDER_CALL},
               {5, 0, TNI_HOLDER_CALL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t count = 2; count <= 3; count++) {
      const tni_call first[] = {
          {1000, 1, 1}, {900, 20, cases[i].first}, {800, 21, 7}};
      const tni_call second[] = {
          {1000, 1, 1}, {900, 30, cases[i].second}, {800, 31, 8}};
      const tni_holder holder =
          find_between(first, count, second, count, false);
      if (!TEST(holder.kind == cases[i].kind &&
                (holder.kind != TNI_HOLDER_CALL || holder.slot == 1000)))
        fprintf(stderr, "  case %zu, %zu frames\n", i, count);
    }
}

/* A cut stack joins the one before if its outermost frame is one that was
 * there, at another place; any other leaves the holder open. */
static void
test_join(void)
{
  const tni_call first[] = {{1000, 1, 1}, {900, 20, 5}, {800, 21, 7}};
  const tni_call same[] = {{900, 22, 5}, {700, 23, 9}};
  const tni_call moved[] = {{790, 22, 7}, {700, 23, 9}};
  const tni_call other[] = {{900, 22, 6}, {700, 23, 9}};
  const tni_holder holder = find_between(first, 3, same, 2, true);
  TEST(holder.kind == TNI_HOLDER_CALL && holder.slot == 1000);
  TEST(find_between(first, 3, moved, 2, true).kind == TNI_HOLDER_UNKNOWN);
  TEST(find_between(first, 3, other, 2, true).kind == TNI_HOLDER_UNKNOWN);
}

int
main(void)
{
  const uint64_t seed = test_seed();
  run_trees("whole stacks", seed, 0, 0, false);
  run_trees("pointers", seed + 1, 0, 0, true);
  run_trees("frees of 3 frames", seed + 2, 0, 3, true);
  run_trees("frees of 1 frame", seed + 3, 0, 1, true);
  run_trees("6 frames", seed + 4, 6, 6, false);
  run_trees("2 frames", seed + 5, 2, 2, false);
  run_trees("1 frame", seed + 6, 1, 1, false);
  run_trees("2 frames, pointers", seed + 7, 2, 1, true);
  test_same_call();
  test_join();
  return test_done();
}
