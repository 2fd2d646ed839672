/* sample.c -- one allocation in so many bytes; see record.h
 *
 * An allocation of n bytes is recorded with probability 1 - exp(-n / rate):
 * base/chance.h.  What is recorded goes into a set of addresses without locks,
 * so that frees of other blocks cost one look.
 *
 * SPDX-License-Identifier: MIT
 */
#include "record/record.h"

enum {
  SAMPLE_SLOTS = 1 << 20,
  SAMPLE_PROBES = 64,
  SAMPLE_GONE = 1,  // a slot that was used: not the end of a search
};

static uintptr_t *sample_set;  // wiped; made when the mode is chosen

bool
tni_record_begin_samples(void)
{
  if (sample_set == NULL)
    sample_set = tni_record_pages(SAMPLE_SLOTS * sizeof *sample_set);
  return sample_set != NULL;
}

bool
tni_record_is_sample(record_thread *t, size_t size)
{
  if (t->random == 0) {
    t->random = record_ticks() | 1;
    t->until_sample =
        (int64_t)tni_chance_gap(&t->random, (double)tni_record.rate);
  }
  t->until_sample -= size < INT64_MAX / 2 ? (int64_t)size : INT64_MAX / 2;
  if (t->until_sample > 0)
    return false;
  t->until_sample =
      (int64_t)tni_chance_gap(&t->random, (double)tni_record.rate) + 1;
  return true;
}

static uintptr_t *
sample_slot(uintptr_t p, unsigned probe)
{
  const size_t at = (size_t)(p * 0x9e3779b97f4a7c15u >> 40) + probe;
  return &sample_set[at & (SAMPLE_SLOTS - 1)];
}

bool
tni_record_add_sample(uintptr_t p)
{
  for (unsigned i = 0; i < SAMPLE_PROBES; i++) {
    uintptr_t *const slot = sample_slot(p, i);
    uintptr_t seen = __atomic_load_n(slot, __ATOMIC_RELAXED);
    /* Released: whoever frees the block got its address from us. */
    if (seen <= SAMPLE_GONE &&
        __atomic_compare_exchange_n(slot, &seen, p, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED))
      return true;
  }
  return false;
}

bool
tni_record_take_sample(uintptr_t p)
{
  for (unsigned i = 0; i < SAMPLE_PROBES; i++) {
    uintptr_t *const slot = sample_slot(p, i);
    uintptr_t seen = __atomic_load_n(slot, __ATOMIC_RELAXED);
    if (seen == 0)
      return false;
    if (seen == p)
      return __atomic_compare_exchange_n(slot, &seen, SAMPLE_GONE, false,
                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
  }
  return false;
}
