/* test_heap_remote.c -- every interleaving of the heap's thread protocol
 *
 * A model of src/heap/remote.h: one page of an owner's handle, three freers
 * who each free one block of it, the owner who collects once and then leaves,
 * and who may give the page back when it is empty.  Every order of their steps
 * is run, and with each seq_cst store also the orders in which it reaches the
 * others late (a store buffer a thread, which an atomic read-modify-write
 * drains); a state that was seen is not tried again.  At the end no block may be lost; at no time may anybody touch the
 * page after it was given back.
 *
 * Then the same with one step spoilt: each such mutant must be caught.
 *
 * Covers  [remote.touch] [remote.noted] [remote.idle]
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

enum { FREERS = 3, OWNER = FREERS, ACTORS };

/* What can be wrong. */
typedef enum mutant {
  RIGHT,
  STATE_IS_RELEASED,     // G1 is a plain store: R4 may not see it
  NO_SECOND_LOOK,        // G2 is left out
  NOTE_WITHOUT_ASKING,   // R2 is left out: everybody notes the page
  NEXT_AFTER_EMPTYING,   // C2 before noted_next is read
  NO_IDLE_CHECK,         // R4 and R5 are left out
  FLAG_FIRST,            // R3 before R1: noted, then published
  EMPTY_NOT_SWAPPED,     // C2 is a load and a store
  COLLECT_WITHOUT_LOCK,  // R5 does not take the lock
  MUTANTS
} mutant;

typedef struct model {
  unsigned char at[ACTORS];  // the next step of each
  unsigned char list;        // bits of blocks on page.remote
  unsigned char was_empty[FREERS];
  unsigned char noted;            // how often the page is on local.noted
  unsigned char state;            // 0 owned, 1 idle, as others see it
  unsigned char late_state;       // the owner's store is still in its buffer
  unsigned char lock;             // 0, or who has it, from 1
  unsigned char bits;             // blocks that the owner knows to be free
  unsigned char taken[ACTORS];    // notes of the page taken by who collects
  unsigned char seen[ACTORS];     // what a spoilt C2 has loaded
  unsigned char emptied[ACTORS];  // a spoilt order: C2 before the read of next
  unsigned char gone;             // the page was given back
} model;

static struct {
  mutant how;
  bool is_caught;
  unsigned long states;
} check;

enum { R1, R3, R4, LOCK, STILL, COLLECT, UNLOCK = COLLECT + 3, DONE };
enum { FIRST, G_LOCK = FIRST + 3, G1, G2, G_UNLOCK = G2 + 3, LEFT };

static void
touch(const model *m)
{
  if (m->gone)
    check.is_caught = true;
}

/* The steps of who collects, from `first` on: C1, C2, C3.  True when done. */
static bool
collect(model *m, unsigned who, unsigned step)
{
  /* Two at once: somebody else has taken the lock meanwhile, or the owner was
   * still there. */
  const bool is_owner = who == OWNER && m->at[who] == FIRST + step;
  if (!is_owner && m->lock != who + 1)
    check.is_caught = true;
  switch (step) {
  case 0:  // C1
    m->taken[who] = m->noted;
    m->noted = 0;
    if (m->taken[who] > 1)
      check.is_caught = true;  // a list with a cycle
    return m->taken[who] == 0;
  case 1:  // noted_next is read, C2
    touch(m);
    if (check.how == NEXT_AFTER_EMPTYING || check.how == EMPTY_NOT_SWAPPED) {
      m->seen[who] = m->list;
      if (check.how == NEXT_AFTER_EMPTYING)
        m->list = 0;
      return false;
    }
    m->seen[who] = m->list;
    m->list = 0;
    return false;
  default:  // C3
    touch(m);
    if (check.how == EMPTY_NOT_SWAPPED)
      m->list = 0;
    if (check.how == NEXT_AFTER_EMPTYING && m->noted > 0)
      check.is_caught = true;  // next is another list's by now
    if (m->bits & m->seen[who])
      check.is_caught = true;  // one block twice
    m->bits |= m->seen[who];
    if (m->bits == (1 << FREERS) - 1)
      m->gone = 1;
    return true;
  }
}

/* One step of a freer; false when it cannot go on now. */
static bool
step_freer(model *m, unsigned who)
{
  unsigned char *const at = &m->at[who];
  switch (*at) {
  case R1:
    if (check.how == FLAG_FIRST) {
      m->was_empty[who] = m->noted == 0;
      m->noted += m->was_empty[who];
      *at = R3;
      return true;
    }
    touch(m);
    m->was_empty[who] = m->list == 0;  // the CAS's value: R2
    m->list |= (unsigned char)(1 << who);
    *at = m->was_empty[who] || check.how == NOTE_WITHOUT_ASKING ? R3 : DONE;
    return true;
  case R3:
    touch(m);
    if (check.how == FLAG_FIRST)
      m->list |= (unsigned char)(1 << who);
    else
      m->noted++;
    *at = check.how == NO_IDLE_CHECK ? DONE : R4;
    return true;
  case R4: *at = m->state ? LOCK : DONE; return true;
  case LOCK:
    if (m->lock && check.how != COLLECT_WITHOUT_LOCK)
      return false;
    m->lock = (unsigned char)(who + 1);
    *at = STILL;
    return true;
  case STILL: *at = m->state ? COLLECT : UNLOCK; return true;
  case UNLOCK:
    m->lock = 0;
    *at = DONE;
    return true;
  default: *at = collect(m, who, *at - COLLECT) ? UNLOCK : *at + 1; return true;
  }
}

/* The owner: collect once, then leave. */
static bool
step_owner(model *m)
{
  unsigned char *const at = &m->at[OWNER];
  if (*at < G_LOCK) {
    *at = collect(m, OWNER, *at - FIRST) ? G_LOCK : *at + 1;
    return true;
  }
  switch (*at) {
  case G_LOCK:
    if (m->lock)
      return false;
    m->lock = OWNER + 1;
    *at = G1;
    return true;
  case G1:
    if (check.how == STATE_IS_RELEASED)
      m->late_state = 1;
    else
      m->state = 1;
    *at = check.how == NO_SECOND_LOOK ? G_UNLOCK : G2;
    return true;
  case G_UNLOCK:  // a release: the buffer is empty before it
    m->state = 1;
    m->late_state = 0;
    m->lock = 0;
    *at = LEFT;
    return true;
  default:
    /* C1 looks before it swaps: a load, which a store may overtake; the swap
     * itself drains the buffer. */
    if (*at == G2 && m->noted > 0 && m->late_state) {
      m->state = 1;
      m->late_state = 0;
    }
    *at = collect(m, OWNER, *at - G2) ? G_UNLOCK : *at + 1;
    return true;
  }
}

/* States that were seen: what can happen from them was tried. */
enum { SEEN = 1 << 20 };
static model seen[SEEN];
static unsigned char is_used[SEEN];

static bool
is_new(const model *m)
{
  uint64_t hash = 0;
  const unsigned char *const bytes = (const unsigned char *)m;
  for (size_t i = 0; i < sizeof *m; i++)
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  hash ^= hash >> 29;
  for (size_t i = hash % SEEN;; i = (i + 1) % SEEN) {
    if (!is_used[i]) {
      is_used[i] = 1;
      seen[i] = *m;
      check.states++;
      return true;
    }
    if (memcmp(&seen[i], m, sizeof *m) == 0)
      return false;
  }
}

/* All that can happen from here. */
static void
explore(const model *m)
{
  if (check.is_caught || !is_new(m))
    return;
  bool any = false;
  for (unsigned who = 0; who < ACTORS; who++) {
    if (m->at[who] == (who == OWNER ? (unsigned)LEFT : (unsigned)DONE))
      continue;
    model next = *m;
    if (!(who == OWNER ? step_owner(&next) : step_freer(&next, who)))
      continue;
    any = true;
    explore(&next);
  }
  if (any)
    return;
  if (m->bits != (1 << FREERS) - 1)
    check.is_caught = true;  // a block is lost, or everybody waits
}

static bool
is_caught(mutant how)
{
  check.how = how;
  check.is_caught = false;
  check.states = 0;
  memset(is_used, 0, sizeof is_used);
  const model start = {0};
  explore(&start);
  return check.is_caught;
}

int
main(void)
{
  TEST(!is_caught(RIGHT));
  TEST(check.states > 1000 && check.states < SEEN / 2);
  for (mutant how = RIGHT + 1; how < MUTANTS; how++)
    if (!TEST(is_caught(how)))
      fprintf(stderr, "mutant %d lived\n", (int)how);
  return test_done();
}
