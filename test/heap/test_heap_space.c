/* test_heap_space.c -- runs of slices, taken and given back at random
 *
 * Covers  [space.run] [space.clean]
 * SPDX-License-Identifier: MIT
 */
#include "heap/space.h"
#include "test.h"

enum { RUNS = 60, STEPS = 6000 };

typedef struct run {
  tni_heap_page *page;
  size_t slices;
  unsigned char fill;
} run;

static size_t
run_bytes(const run *r)
{
  return r->slices << r->page->space->slice_log2;
}

/* Both ends of each slice: what overlaps changes one of them. */
static bool
run_is(const run *r, unsigned char fill)
{
  const unsigned char *const start = tni_page_start(r->page);
  const size_t slice = (size_t)1 << r->page->space->slice_log2;
  for (size_t at = 0; at < run_bytes(r); at += slice)
    if (start[at] != fill || start[at + slice - 1] != fill)
      return false;
  return true;
}

static void
run_fill(run *r)
{
  unsigned char *const start = tni_page_start(r->page);
  const size_t slice = (size_t)1 << r->page->space->slice_log2;
  for (size_t at = 0; at < run_bytes(r); at += slice)
    start[at] = start[at + slice - 1] = r->fill;
}

static void
step(run *r, tni_heap_space *own, uint64_t *random)
{
  const uint64_t n = test_random(random);
  if (r->page) {
    TEST(run_is(r, r->fill));
    tni_heap_space *const space = r->page->space;
    if (n % 4 == 0 && r->slices > 1) {
      const size_t keep = 1 + n / 4 % (r->slices - 1);
      tni_slices_trim(space, r->page, keep, r->slices);
      r->slices = keep;
      return;
    }
    bool is_clean;
    if (n % 4 == 1 && tni_slices_extend(space, r->page, 2, &is_clean)) {
      run more = {r->page + r->slices, 2, 0};
      more.page->space = space;
      TEST(!is_clean || run_is(&more, 0));
      r->slices += 2;
      run_fill(r);
      return;
    }
    tni_slices_give(space, r->page, r->slices, true);
    r->page = NULL;
    return;
  }
  const size_t align = (size_t)1 << n % 3;
  bool is_clean = false;
  r->slices = 1 + n / 8 % (n / 512 % 8 == 0 ? 40 : 4);
  r->page = tni_slices_take(own, r->slices, align, n & 4, &is_clean);
  if (!r->page)
    return;
  TEST((tni_address(tni_page_start(r->page)) >> r->page->space->slice_log2) %
           align ==
       0);
  TEST(!is_clean || run_is(r, 0));
  r->fill = (unsigned char)(1 + n / 1024 % 255);
  run_fill(r);
}

static void
churn(tni_heap_space *own)
{
  static run runs[RUNS];
  memset(runs, 0, sizeof runs);
  uint64_t random = test_seed();
  for (int i = 0; i < STEPS; i++) {
    step(&runs[test_random(&random) % RUNS], own, &random);
    if (i % 500 == 0)
      (void)tni_slices_purge(TNI_MIB(1));
    if (i % 100 == 0)
      for (tni_heap_space *s = own ? own : tni_slices_first(); s; s = s->next)
        TEST(tni_slices_is_valid(s));
  }
  for (int i = 0; i < RUNS; i++)
    if (runs[i].page)
      tni_slices_give(runs[i].page->space, runs[i].page, runs[i].slices, true);
  if (!own) {
    (void)tni_slices_purge(SIZE_MAX);
    TEST(tni_slices_dirty() == 0);
    TEST(tni_slices_first()->used == 0);
    TEST(tni_slices_first()->frontier == tni_slices_first()->first);
  }
}

/* What nobody needed since the last tick is surplus: all but what was taken of
 * a dirty run, not the run. */
static void
test_surplus(void)
{
  enum { RUN = 64 };
  const uint64_t tick = 1000;
  bool is_clean;
  (void)tni_slices_purge(SIZE_MAX);
  tni_heap_page *const many = tni_slices_take(NULL, RUN, 1, false, &is_clean);
  tni_slices_give(many->space, many, RUN, true);
  const size_t dirty = tni_slices_dirty();
  TEST(dirty == (size_t)RUN << TNI_HEAP_SLICE_LOG2);
  (void)tni_slices_surplus(10 * tick, tick);
  tni_heap_page *const one = tni_slices_take(NULL, 1, 1, false, &is_clean);
  const size_t left = tni_slices_dirty();
  TEST(!is_clean && left == dirty - ((size_t)1 << TNI_HEAP_SLICE_LOG2));
  tni_slices_give(one->space, one, 1, true);
  TEST(tni_slices_surplus(11 * tick, tick) == left / 2);
  TEST(tni_slices_surplus(12 * tick, tick) == dirty / 2);
}

int
main(void)
{
  churn(NULL);
  test_surplus();
  static unsigned char buffer[1 << 20];
  tni_heap_space *const own =
      tni_slices_in(buffer + 16, sizeof buffer - 16, 12, NULL, NULL);
  if (TEST(own != NULL)) {
    churn(own);
    TEST(own->used == 0 && tni_slices_is_valid(own));
  }
  TEST(tni_slices_in(buffer, 4096, 12, NULL, NULL) == NULL);
  return test_done();
}
