/* test_resident.c -- parts of what is resident, ranges against a bitmap
 *
 * Tags: [resident.order] [resident.sum]
 * SPDX-License-Identifier: MIT
 */
#include <unistd.h>

#include "test.h"
#include "trace/resident.h"
#include "writer.h"

enum { PAGE = 4096, PAGES = 256, BASE = 0x10000000, ANONYMOUS = 0x22 };

static tni_trace *
open_two_processes(const char *path, bool is_exec)
{
  writer *const w = writer_open(path, 0);
  for (uint32_t pid = 100; pid < 102; pid++) {
    writer_section(w, pid, is_exec && pid == 101 ? 100 : 0);
    if (is_exec && pid == 101)
      w->header.origin = TN_TRACE_EXECED;
    writer_thread(w, 0, pid, 0, 0, "main");
    writer_end_section(w);
  }
  writer_close(w);
  tni_trace *t;
  char problem[200];
  TEST(tni_trace_open(path, &t, problem, sizeof problem) == TN_OK);
  TEST(tni_trace_processes(t) == 2);
  return t;
}

static void
map(tni_resident *r, uint32_t process, uint64_t page, uint64_t pages,
    uint64_t protection, uint64_t flags)
{
  tni_resident_add(r, &(tni_trace_event){.kind = TNI_TRACE_MAP,
                                         .process = process,
                                         .address = BASE + page * PAGE,
                                         .size = pages * PAGE,
                                         .extra = {protection, flags}});
}

static void
unmap(tni_resident *r, uint32_t process, uint64_t page, uint64_t pages)
{
  tni_resident_add(r, &(tni_trace_event){.kind = TNI_TRACE_UNMAP,
                                         .process = process,
                                         .address = BASE + page * PAGE,
                                         .size = pages * PAGE});
}

static void
sample(tni_resident *r, uint32_t process, uint64_t resident, uint64_t files,
       uint64_t stacks, uint64_t faults)
{
  tni_resident_add(r, &(tni_trace_event){.kind = TNI_TRACE_SAMPLE,
                                         .process = process,
                                         .size = resident,
                                         .extra = {files, stacks, faults}});
}

/* Random mappings over one another, in two processes. */
static void
test_ranges(const tni_trace *t, uint64_t seed)
{
  static uint8_t state[2][PAGES];
  tni_resident r;
  tni_resident_init(&r, t);
  memset(state, 0, sizeof state);
  for (int i = 0; i < 3000; i++) {
    const uint32_t process = (uint32_t)(test_random(&seed) % 2);
    const uint64_t page = test_random(&seed) % (PAGES - 20);
    const uint64_t pages = 1 + test_random(&seed) % 20;
    const unsigned kind = (unsigned)(test_random(&seed) % 4);
    if (kind == 0)
      unmap(&r, process, page, pages);
    else
      map(&r, process, page, pages, kind == 3 ? 0 : 3, kind == 1 ? 2 : 0x22);
    memset(&state[process][page], kind == 0 ? 0 : kind == 2 ? 2 : 1, pages);
    uint64_t mapped = 0, anonymous = 0;
    for (int k = 0; k < 2 * PAGES; k++) {
      mapped += state[k / PAGES][k % PAGES] != 0;
      anonymous += state[k / PAGES][k % PAGES] == 2;
    }
    TEST(r.mapped == mapped * PAGE && r.anonymous == anonymous * PAGE);
    TEST(tni_resident_is_valid(&r));
  }
  tni_resident_drop(&r, 0);
  tni_resident_drop(&r, 1);
  TEST(r.mapped == 0 && r.anonymous == 0 && r.count == 0);
  tni_resident_fini(&r);
}

static void
test_break_and_move(const tni_trace *t)
{
  tni_resident r;
  tni_resident_init(&r, t);
  map(&r, 0, 64, 4, 3, ANONYMOUS);  // above the data segment
  tni_trace_event e = {.kind = TNI_TRACE_BREAK, .address = BASE};
  for (int i = 0; i < 5; i++) {
    e.size = (uint64_t)(i == 4 ? 1 : 10 * i) * PAGE;
    tni_resident_add(&r, &e);
    TEST(r.anonymous == e.size + 4 * PAGE);
  }
  map(&r, 0, 100, 8, 1, 2);  // of a file
  tni_resident_add(&r, &(tni_trace_event){.kind = TNI_TRACE_REMAP,
                                          .old = BASE + 100 * PAGE,
                                          .old_size = 8 * PAGE,
                                          .address = BASE + 200 * PAGE,
                                          .size = 16 * PAGE});
  TEST(r.mapped == 21 * PAGE && r.anonymous == 5 * PAGE);
  tni_resident_fini(&r);
}

/* The kernel counts page faults on through an exec. */
static void
test_faults(const char *path)
{
  tni_trace *const t = open_two_processes(path, true);
  TEST(tni_trace_process_at(t, 1)->origin == TN_TRACE_EXECED);
  tni_resident r;
  tni_resident_init(&r, t);
  sample(&r, 0, PAGE, 0, 0, 7);
  tni_resident_drop(&r, 0);
  sample(&r, 1, PAGE, 0, 0, 9);
  TEST(tni_resident_faults(&r) == 9);
  tni_resident_fini(&r);
  tni_trace_close(t);
}

static void
test_parts(const tni_trace *t)
{
  tni_resident r;
  tni_resident_init(&r, t);
  map(&r, 0, 0, 10, 3, ANONYMOUS);
  sample(&r, 0, 100 * PAGE, 20 * PAGE, 5 * PAGE, 7);
  tni_resident_parts p = tni_resident_now(&r, 30 * PAGE);
  TEST(p.resident == 100 * PAGE && p.files == 20 * PAGE &&
       p.stacks == 5 * PAGE && p.heap == 30 * PAGE && p.mappings == 10 * PAGE &&
       p.rest == 35 * PAGE);
  sample(&r, 1, 10 * PAGE, 1 * PAGE, 1 * PAGE, 5);
  p = tni_resident_now(&r, 80 * PAGE);  // more than can lie in memory
  TEST(p.resident == 110 * PAGE && p.heap == 80 * PAGE &&
       p.mappings == 3 * PAGE && p.rest == 0);
  TEST(p.heap + p.stacks + p.mappings + p.files + p.rest == p.resident);
  TEST(tni_resident_faults(&r) == 12);
  tni_resident_drop(&r, 0);
  p = tni_resident_now(&r, 0);
  TEST(p.resident == 10 * PAGE && p.rest == 8 * PAGE);
  TEST(tni_resident_faults(&r) == 12);
  tni_resident_fini(&r);
}

int
main(void)
{
  const uint64_t seed = test_seed();
  char path[64];
  snprintf(path, sizeof path, "/tmp/tenure-resident-%ld.trace", (long)getpid());
  tni_trace *const t = open_two_processes(path, false);
  test_ranges(t, seed);
  test_break_and_move(t);
  test_parts(t);
  test_faults(path);
  tni_trace_close(t);
  unlink(path);
  return test_done();
}
