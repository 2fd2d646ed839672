/* test_grant.c -- one grant: joined gaps, the same places again, several threads
 * Covers [grant.order] [grant.once] [grant.block]
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <tenure/grant.h>

#include <pthread.h>

#include "../stack/resident.h"
#include "conform.h"

#define MIB ((size_t)1 << 20)
enum { BLOCKS = 64, THREADS = 3, ROUNDS = 3000 };

static void
test_gaps(void)
{
  tn_grant g;
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = MIB}) == TN_OK);
  tn_provider *const p = tn_grant_provider(&g);
  unsigned char *const a = tn_allocate(p, 100, 1).pointer;
  unsigned char *const b = tn_allocate(p, 100, 1).pointer;
  unsigned char *const c = tn_allocate(p, 100, 1).pointer;
  unsigned char *const d = tn_allocate(p, 100, 1).pointer;
  TEST(b == a + 128 && c == b + 128 && d == c + 128);
  tn_release(p, a, 100, 1);
  tn_release(p, c, 100, 1);
  TEST(tn_allocate(p, 129, 1).pointer == d + 128);  // no gap is so large
  tn_release(p, d + 128, 129, 1);
  tn_release(p, b, 100, 1);  // joins a and c
  TEST(tn_allocate(p, 3 * 128, 1).pointer == a);
  TEST(tn_resize(p, a, 3 * 128, 100, 1) == 128);
  TEST(tn_resize(p, a, 100, 2 * 128, 1) == 256);
  TEST(tn_resize(p, a, 256, 4 * 128, 1) == 0);  // d is there
  TEST(tn_resize(p, d, 100, 1000, 1) == 1024);
  const tn_block wide = tn_allocate(p, 10, 4096);
  TEST(((uintptr_t)wide.pointer & 4095) == 0);
  tn_release(p, wide.pointer, 10, 4096);
  tn_release(p, d, 1000, 1);
  tn_release(p, a, 256, 1);
  TEST(g.top == 0 && g.gaps == NULL);
  /* Exceeding it is a value. */
  TEST(tn_allocate(p, MIB, 1).pointer == a);
  TEST(tn_allocate(p, 1, 1).pointer == NULL);
  tn_release(p, a, MIB, 1);
  TEST(tn_allocate(p, MIB + 1, 1).pointer == NULL);
  tn_grant_destroy(&g);
}

/* A random run of requests; returns the sum of the places of its blocks. */
static size_t
run(tn_grant *g, bool *refused)
{
  tn_provider *const p = tn_grant_provider(g);
  struct {
    unsigned char *start;
    size_t size, align;
  } live[BLOCKS] = {{0}};
  uint64_t random = 99;
  size_t sum = 0;
  const unsigned char *first = NULL;
  *refused = false;
  for (int i = 0; i < 4000; i++) {
    const size_t slot = test_random(&random) % BLOCKS;
    if (live[slot].start) {
      tn_release(p, live[slot].start, live[slot].size, live[slot].align);
      live[slot].start = NULL;
      continue;
    }
    const size_t size = 1 + test_random(&random) % 20000;
    const size_t align = (size_t)1 << test_random(&random) % 13;
    unsigned char *const start = tn_allocate(p, size, align).pointer;
    if (start == NULL) {
      *refused = true;
      continue;
    }
    memset(start, (int)slot, size);
    first = first ? first : start;
    sum += (size_t)(start - first) * (size_t)(i + 1);
    live[slot].start = start;
    live[slot].size = size;
    live[slot].align = align;
  }
  for (size_t i = 0; i < BLOCKS; i++)
    if (live[i].start)
      tn_release(p, live[i].start, live[i].size, live[i].align);
  TEST(g->top == 0 && g->gaps == NULL);
  return sum;
}

/* What a recording says is enough for the same run, and is needed. */
static void
test_record(void)
{
  tn_grant recording, grant;
  bool refused;
  TEST(tn_grant_create(&recording, NULL) == TN_OK);
  const size_t sum = run(&recording, &refused);
  TEST(!refused);
  const size_t peak = tn_grant_get_peak(&recording);
  tn_grant_destroy(&recording);
  TEST(peak > 100000 && peak < 2 * MIB);
  TEST(tn_grant_create(&grant, &(tn_grant_options){.size = peak}) == TN_OK);
  TEST(run(&grant, &refused) == sum && !refused);
  TEST(tn_grant_get_peak(&grant) == peak);
  tn_grant_destroy(&grant);
  TEST(tn_grant_create(&grant, &(tn_grant_options){.size = peak - 64}) ==
       TN_OK);
  (void)run(&grant, &refused);
  TEST(refused);
  tn_grant_destroy(&grant);
}

/* The peak is the most there ever was, not the last: what is taken after a fall
 * does not lower it. */
static void
test_peak(void)
{
  tn_grant g;
  TEST(tn_grant_create(&g, NULL) == TN_OK);
  tn_provider *const p = tn_grant_provider(&g);
  void *const large = tn_allocate(p, 300000, 16).pointer;
  const size_t peak = tn_grant_get_peak(&g);
  TEST(large != NULL && peak >= 300000);
  tn_release(p, large, 300000, 16);
  TEST(tn_allocate(p, 1000, 16).pointer != NULL);
  TEST(tn_grant_get_peak(&g) == peak);
  tn_grant_destroy(&g);
}

enum { STACK = 4 << 20, DEEP = 1 << 20 };

/* Run on a stack of which nothing has been touched below: DEEP bytes of it are
 * resident when the grant says so, and not before. */
static void *
measure_stack(void *low)
{
  const size_t page = tni_os_get_config()->page_size;
  char *const here = (char *)__builtin_frame_address(0);
  const size_t used = (size_t)((char *)low + STACK - here);
  char *const from = (char *)low + STACK - (used + DEEP) / page * page + page;
  tn_grant g;
  TEST(resident_pages(from, DEEP / 2) == 0);
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = MIB}) == TN_OK);
  tn_grant_destroy(&g);
  TEST(resident_pages(from, DEEP / 2) == 0);
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = MIB, .stack = DEEP}) ==
       TN_OK);
  TEST(resident_pages(from, DEEP / 2) == DEEP / 2 / page);
  tn_grant_destroy(&g);
  return NULL;
}

static void
test_stack(void)
{
  pthread_attr_t attributes;
  pthread_t thread;
  void *const low = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TEST(low != MAP_FAILED);
  (void)madvise(low, STACK, MADV_NOHUGEPAGE);
  TEST(pthread_attr_init(&attributes) == 0);
  TEST(pthread_attr_setstack(&attributes, low, STACK) == 0);
  TEST(pthread_create(&thread, &attributes, measure_stack, low) == 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  TEST(munmap(low, STACK) == 0);
}

static void *
work(void *argument)
{
  tn_provider *const p = argument;
  uint64_t random = (uint64_t)(uintptr_t)&random;
  for (int i = 0; i < ROUNDS; i++) {
    const size_t size = 1 + test_random(&random) % 3000;
    unsigned char *const q = tn_allocate(p, size, 16).pointer;
    if (q == NULL)
      continue;
    memset(q, i, size);
    TEST(q[size / 2] == (unsigned char)i);
    tn_release(p, q, size, 16);
  }
  return NULL;
}

static void
test_threads(void)
{
  tn_grant g;
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = MIB}) == TN_OK);
  pthread_t thread[THREADS];
  for (int i = 0; i < THREADS; i++)
    TEST(pthread_create(&thread[i], NULL, work, tn_grant_provider(&g)) == 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
  TEST(g.top == 0 && g.gaps == NULL && g.peak > 0);
  tn_grant_destroy(&g);
}

static void
test_conform(size_t size)
{
  tn_grant g;
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = size, .stack = 10000}) ==
       TN_OK);
  conform_provider(&(conform_case){.provider = tn_grant_provider(&g),
                                   .capacity = size,
                                   .max_align_log2 = 12,
                                   .steps = 4000});
  tn_grant_destroy(&g);
}

int
main(void)
{
  tn_grant g;
  TEST(tn_grant_create(&g, &(tn_grant_options){.size = SIZE_MAX}) != TN_OK);
  TEST(tn_grant_create(&g, &(tn_grant_options){
                               .size = MIB, .stack = SIZE_MAX}) == TN_ERANGE);
  test_gaps();
  test_record();
  test_peak();
  test_stack();
  test_threads();
  test_conform(MIB);
  test_conform(0);
  return test_done();
}
