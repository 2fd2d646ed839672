/* explore.h -- every interleaving of a small program, on a weak memory model
 *
 *     explore_run(&program, how)  runs the program's threads again and again,
 *     each time with another order of their atomic steps and, when how says so,
 *     with other values for loads, until nothing new is left.
 *
 * The threads are coroutines that stop before each atomic operation; which one
 * goes on, and which store a load reads, are choices, and a depth-first search
 * goes through all of them by running again with the last choice changed.
 *
 * Model  Each location has its stores in order.  A thread may read any store
 *        that is not older than one it knows of; it learns of others' by
 *        acquiring a store that was released, or a read-modify-write after it.
 *        A read-modify-write reads the latest.  Stores come last in the order of
 *        their location.  That is C11 without the reorderings that need a load
 *        of a later store; plain data is checked for races by vector clocks.
 * Prune  Sleep sets (Godefroid 1996): of two orders that differ only in steps on
 *        different locations, or of two loads, one is run.
 * Source  CHESS (Musuvathi 2008) for the search, Loom and GenMC for the model.
 *
 * A program includes this file, then the code to explore, whose tni_load_...,
 * tni_store_... and tni_cas_... become steps.
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_EXPLORE_H
#define TEST_EXPLORE_H

#include <ucontext.h>

#include "base/base.h"
#include "test.h"

#if TNI_HAS_TSAN
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void *__tsan_get_current_fiber(void);
#define EXPLORE_FIBER(call) call
#else
#define EXPLORE_FIBER(call)
#endif

enum {
  EXPLORE_THREADS = 3,
  EXPLORE_LOCATIONS = 10,
  EXPLORE_STORES = 40,   // of one location
  EXPLORE_DATA = 4,      // plain places
  EXPLORE_DEPTH = 200,   // choices of one run
  EXPLORE_STEPS = 2000,  // of one run; more is a livelock
  EXPLORE_STACK = 1 << 16,
};

typedef enum explore_order {
  ORDER_RELAXED,
  ORDER_ACQUIRE,
  ORDER_RELEASE,
  ORDER_BOTH
} explore_order;

typedef struct explore_view {
  uint8_t location[EXPLORE_LOCATIONS];  // the oldest store that may be read
  uint8_t clock[EXPLORE_THREADS];       // what happened before
} explore_view;

typedef struct explore_store {
  uint64_t value;
  explore_view view;  // what an acquiring reader learns
} explore_store;

typedef struct explore_how {
  bool is_weak;       // loads may read older stores
  bool drop_acquire;  // mutants: acquires and releases are relaxed
  bool drop_release;
  uint64_t ignored_bits;  // mutant: a compare-and-swap does not see these
} explore_how;

typedef struct explore_program {
  int threads;
  void (*begin)(void);         // before each run: state and first stores
  void (*thread)(int number);  // what each does
  void (*end)(void);           // after each run: is all well?
  void (*step)(void);          // after each step; may be NULL
} explore_program;

typedef struct explore_choice {
  unsigned char now, count;
  bool is_thread;
  unsigned char sleep;  // threads whose step here was explored already
} explore_choice;

static struct {
  const explore_program *program;
  const explore_how *how;
  ucontext_t main, context[EXPLORE_THREADS];
  void *fiber[EXPLORE_THREADS], *main_fiber;
  bool is_done[EXPLORE_THREADS];
  int current;
  explore_view view[EXPLORE_THREADS];
  /* The step that each thread is about to do. */
  const void *pending[EXPLORE_THREADS];
  bool pending_writes[EXPLORE_THREADS];
  const void *address[EXPLORE_LOCATIONS];
  explore_store store[EXPLORE_LOCATIONS][EXPLORE_STORES];
  uint8_t stores[EXPLORE_LOCATIONS];
  int locations;
  uint8_t data_write[EXPLORE_DATA][EXPLORE_THREADS];
  uint8_t data_read[EXPLORE_DATA][EXPLORE_THREADS];
  explore_choice choice[EXPLORE_DEPTH];
  int depth, known;
  bool is_draining;  // nothing new lies this way: only come to the end
  size_t steps, runs, pruned;
  const char *failure;
  _Alignas(16) char stack[EXPLORE_THREADS][EXPLORE_STACK];
} explore;

/* A property of the program does not hold; the first one is kept. */
static inline void
explore_fail(const char *what)
{
  if (explore.failure == NULL)
    explore.failure = what;
}

#define EXPLORE_CHECK(condition)                                               \
  ((condition) ? (void)0 : explore_fail(#condition))

/* ---- Choices ------------------------------------------------------------- */

/* One of count, none of those in `sleep` when they are threads. */
static inline unsigned
explore_choose(unsigned count, bool is_thread, unsigned sleep)
{
  if (explore.is_draining || (count == 1 && !is_thread))
    return count - 1;
  if (explore.depth == EXPLORE_DEPTH) {
    fprintf(stderr, "explore: too many choices\n");
    exit(1);
  }
  explore_choice *const c = &explore.choice[explore.depth++];
  if (explore.depth > explore.known) {
    *c = (explore_choice){0, (unsigned char)count, is_thread,
                          (unsigned char)sleep};
    explore.known = explore.depth;
  }
  return c->now;
}

/* Change the last choice that has another; false when there is none. */
static inline bool
explore_advance(void)
{
  while (explore.known > 0) {
    explore_choice *const c = &explore.choice[explore.known - 1];
    if (c->is_thread)
      c->sleep |= (unsigned char)(1 << c->now);
    c->now++;
    while (c->is_thread && c->now < c->count && (c->sleep >> c->now & 1))
      c->now++;
    if (c->now < c->count)
      return true;
    explore.known--;
  }
  return false;
}

/* ---- Threads ------------------------------------------------------------- */

static inline void
explore_yield(const void *address, bool writes)
{
  const int me = explore.current;
  explore.pending[me] = address;
  explore.pending_writes[me] = writes;
  EXPLORE_FIBER(__tsan_switch_to_fiber(explore.main_fiber, 0));
  swapcontext(&explore.context[me], &explore.main);
  explore.view[me].clock[me]++;
}

/* Threads are used again, run after run, so that none is left in the middle. */
static void
explore_body(int number)
{
  for (;;) {
    explore.program->thread(number);
    explore.is_done[number] = true;
    EXPLORE_FIBER(__tsan_switch_to_fiber(explore.main_fiber, 0));
    swapcontext(&explore.context[number], &explore.main);
  }
}

static inline void
explore_resume(int number)
{
  explore.current = number;
  EXPLORE_FIBER(__tsan_switch_to_fiber(explore.fiber[number], 0));
  swapcontext(&explore.main, &explore.context[number]);
}

static inline bool
explore_depends(int a, int b)
{
  return explore.pending[a] == explore.pending[b] &&
         (explore.pending_writes[a] || explore.pending_writes[b]);
}

/* The next thread to go on; -1 when all are done. */
static inline int
explore_pick(unsigned *sleep)
{
  unsigned enabled = 0;
  for (int i = 0; i < explore.program->threads; i++)
    enabled |= explore.is_done[i] ? 0u : 1u << i;
  if (enabled == 0)
    return -1;
  const unsigned blocked = ~enabled & ((1u << EXPLORE_THREADS) - 1);
  if ((enabled & ~*sleep) == 0 && !explore.is_draining) {
    explore.is_draining = true;
    explore.pruned++;
  }
  if (explore.is_draining) {
    for (int i = 0;; i++)
      if (enabled >> i & 1)
        return i;
  }
  const bool is_new = explore.depth == explore.known;
  unsigned pick = explore_choose(EXPLORE_THREADS, true, *sleep | blocked);
  explore_choice *const c = &explore.choice[explore.depth - 1];
  if (is_new)
    while (c->sleep >> c->now & 1)
      pick = ++c->now;
  /* Who sleeps on: whose step does not depend on the one that is done now. */
  unsigned still = 0;
  for (int i = 0; i < explore.program->threads; i++)
    if ((c->sleep & ~blocked) >> i & 1 && !explore_depends(i, (int)pick))
      still |= 1u << i;
  *sleep = still;
  return (int)pick;
}

/* One run, from the beginning to the end of all threads. */
static inline void
explore_once(void)
{
  explore.depth = 0;
  explore.is_draining = false;
  explore.locations = 0;
  explore.steps = 0;
  memset(explore.view, 0, sizeof explore.view);
  memset(explore.stores, 0, sizeof explore.stores);
  memset(explore.data_write, 0, sizeof explore.data_write);
  memset(explore.data_read, 0, sizeof explore.data_read);
  explore.current = -1;
  explore.program->begin();
  for (int i = 0; i < explore.program->threads; i++) {
    explore.is_done[i] = false;
    explore.view[i].clock[i] = 1;
    explore_resume(i);  // up to its first step
  }
  unsigned sleep = 0;
  for (int next; (next = explore_pick(&sleep)) >= 0;) {
    explore_resume(next);
    if (explore.program->step)
      explore.program->step();
    if (++explore.steps > EXPLORE_STEPS) {
      fprintf(stderr, "explore: a livelock\n");
      exit(1);
    }
  }
  explore.program->end();
  explore.runs++;
}

static inline void
explore_prepare(int number)
{
  ucontext_t *const context = &explore.context[number];
  EXPLORE_FIBER(explore.fiber[number] = __tsan_create_fiber(0));
  getcontext(context);
  context->uc_stack.ss_sp = explore.stack[number];
  context->uc_stack.ss_size = EXPLORE_STACK;
  context->uc_link = NULL;
  makecontext(context, (void (*)(void))explore_body, 1, number);
}

/* returns the property that failed, or NULL when all runs were well. */
static inline const char *
explore_run(const explore_program *program, const explore_how *how)
{
  explore.program = program;
  explore.how = how;
  explore.failure = NULL;
  explore.known = 0;
  explore.runs = explore.pruned = 0;
  EXPLORE_FIBER(explore.main_fiber = __tsan_get_current_fiber());
  for (int i = 0; i < program->threads; i++)
    explore_prepare(i);
  do
    explore_once();
  while (explore.failure == NULL && explore_advance());
  return explore.failure;
}

/* ---- The memory model ---------------------------------------------------- */

static inline int
explore_location(const void *address)
{
  for (int i = 0; i < explore.locations; i++)
    if (explore.address[i] == address)
      return i;
  explore.address[explore.locations] = address;
  return explore.locations++;
}

static inline void
explore_learn(explore_view *view, const explore_view *more)
{
  for (int i = 0; i < EXPLORE_LOCATIONS; i++)
    view->location[i] = (uint8_t)tni_max(view->location[i], more->location[i]);
  for (int i = 0; i < EXPLORE_THREADS; i++)
    view->clock[i] = (uint8_t)tni_max(view->clock[i], more->clock[i]);
}

/* Append a store; `from` is what a read-modify-write has read. */
static inline void
explore_append(int where, uint64_t value, explore_order order,
               const explore_store *from)
{
  if (explore.stores[where] == EXPLORE_STORES) {
    fprintf(stderr, "explore: too many stores\n");
    exit(1);
  }
  const unsigned number = explore.stores[where]++;
  explore_store *const store = &explore.store[where][number];
  *store = (explore_store){.value = value};
  if (explore.current >= 0) {
    explore_view *const mine = &explore.view[explore.current];
    mine->location[where] = (uint8_t)number;
    if (order >= ORDER_RELEASE && !explore.how->drop_release)
      store->view = *mine;
    mine->clock[explore.current]++;  // what comes now is not released by it
    if (from != NULL)                // in its release sequence
      explore_learn(&store->view, &from->view);
  }
  store->view.location[where] = (uint8_t)number;
}

static inline uint64_t
explore_read(int where, unsigned number, explore_order order)
{
  const explore_store *const store = &explore.store[where][number];
  explore_view *const mine = &explore.view[explore.current];
  mine->location[where] = (uint8_t)tni_max(mine->location[where], number);
  if ((order == ORDER_ACQUIRE || order == ORDER_BOTH) &&
      !explore.how->drop_acquire)
    explore_learn(mine, &store->view);
  return store->value;
}

/* What a location holds when nobody looks: for begin, end and step. */
static inline uint64_t
explore_peek(const void *address)
{
  const int where = explore_location(address);
  return explore.store[where][explore.stores[where] - 1].value;
}

static inline uint64_t
explore_load(const void *address, explore_order order)
{
  explore_yield(address, false);
  const int where = explore_location(address);
  const unsigned latest = explore.stores[where] - 1u;
  const unsigned oldest = explore.view[explore.current].location[where];
  const unsigned number =
      explore.how->is_weak
          ? oldest + explore_choose(latest - oldest + 1, false, 0)
          : latest;
  return explore_read(where, number, order);
}

static inline void
explore_store_value(const void *address, uint64_t value, explore_order order)
{
  if (explore.current >= 0)
    explore_yield(address, true);
  explore_append(explore_location(address), value, order, NULL);
}

static inline bool
explore_cas(const void *address, uint64_t *expected, uint64_t desired)
{
  explore_yield(address, true);
  const int where = explore_location(address);
  const unsigned latest = explore.stores[where] - 1u;
  const explore_store from = explore.store[where][latest];
  const bool is_equal =
      ((from.value ^ *expected) & ~explore.how->ignored_bits) == 0;
  *expected = explore_read(where, latest, ORDER_ACQUIRE);
  if (is_equal)
    explore_append(where, desired, ORDER_RELEASE, &from);
  return is_equal;
}

/* Plain accesses: not steps, but they must not race. */
static inline void
explore_data(int which, bool is_write)
{
  const explore_view *const mine = &explore.view[explore.current];
  for (int i = 0; i < explore.program->threads; i++) {
    if (explore.data_write[which][i] > mine->clock[i] ||
        (is_write && explore.data_read[which][i] > mine->clock[i]))
      explore_fail("a data race");
  }
  uint8_t(*const at)[EXPLORE_THREADS] =
      is_write ? explore.data_write : explore.data_read;
  at[which][explore.current] = mine->clock[explore.current];
}

#undef tni_load_relaxed
#undef tni_load_acquire
#undef tni_store_relaxed
#undef tni_store_release
#undef tni_cas_acq_rel
#define tni_load_relaxed(p)                                                    \
  ((__typeof__(atomic_load(p)))explore_load(p, ORDER_RELAXED))
#define tni_load_acquire(p)                                                    \
  ((__typeof__(atomic_load(p)))explore_load(p, ORDER_ACQUIRE))
#define tni_store_relaxed(p, v)               explore_store_value(p, v, ORDER_RELAXED)
#define tni_store_release(p, v)               explore_store_value(p, v, ORDER_RELEASE)
#define tni_cas_acq_rel(p, expected, desired) explore_cas(p, expected, desired)

#endif
