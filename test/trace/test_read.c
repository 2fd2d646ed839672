/* test_read.c -- traces written by hand are read as they were meant
 *
 * [trace.order] threads merge by time, frees last; [trace.end] a killed
 * writer's last record is dropped; [trace.alone], [trace.rest] damage costs
 * itself; [trace.before], [trace.index] numbers that do not exist; [trace.bound]
 * memory; [trace.thread].
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/resource.h>
#include <unistd.h>

#include "test.h"
#include "trace/trace.h"
#include "writer.h"

static char path[64];

static tni_trace *
open_trace(void)
{
  char problem[200] = "";
  tni_trace *t = NULL;
  if (!TEST(tni_trace_open(path, &t, problem, sizeof problem) == TN_OK))
    fprintf(stderr, "  %s\n", problem);
  return t;
}

/* ---- One process, two threads ------------------------------------------------ */

static void
write_two_threads(void)
{
  writer *const w = writer_open(path, 0);
  writer_section(w, 100, 0);
  writer_module(w, "/bin/x", 0x400000, 0x401000, 0x409000);
  writer_program(w, "/bin/x", "x\0-v\0", 5);
  writer_thread(w, 0, 100, 0x700000, 0x7ff000, "main");
  writer_thread(w, 1, 101, 0x600000, 0x6ff000, "worker");
  const uint32_t inner = writer_frame(w, 0x401234, 48);
  const uint32_t outer = writer_frame(w, 0x402000, 0);
  const uint32_t alien = writer_frame(w, 0x12345, 16);
  const uint32_t a[] = {inner, outer};
  const uint32_t b[] = {alien, inner, outer};
  const uint32_t s1 = writer_stack(w, TN_TRACE_API_MALLOC, a, 2, 64, 0);
  const uint32_t s2 = writer_stack(w, TN_TRACE_API_FREE, b, 3, 64, 0);
  writer_alloc(w, 0, 10, s1, 0x10000, 24);
  writer_alloc(w, 1, 15, s1, 0x20000, 100);
  writer_free(w, 0, 20, s2, 0x10000);
  writer_alloc(w, 1, 21, s1, 0x10000, 1ull << 33);
  writer_resize(w, 0, 21, s1, 0x10000, 0x30000, 7);
  const uint64_t odd[] = {s1, 0x30007, 3, 64};
  writer_other(w, 1, 6000, TN_TRACE_ALLOC, odd, 4);
  writer_other(w, 0, 6000, TN_TRACE_FREE, odd, 2);
  const uint64_t unknown[] = {1, 2};
  writer_other(w, 0, 6001, TN_TRACE_RECORDS, unknown, 2);
  writer_alloc(w, 1, 6002, s1, 0x40000, 8);
  writer_free(w, 0, 6002, s2, 0x40000);
  writer_resize(w, 1, 6003, s1, 0x30000, 0x50000, 9);
  writer_free(w, 0, 6003, s2, 0x50000);
  writer_close(w);
}

static void
test_tables(tni_trace *t)
{
  TEST(tni_trace_processes(t) == 1 && tni_trace_threads(t) == 2);
  const tni_trace_process *const p = tni_trace_process_at(t, 0);
  TEST(p->pid == 100 && p->count == 2 && p->parent == TNI_TRACE_NONE);
  TEST_TEXT(p->arguments[1], "-v");
  TEST_TEXT(tni_trace_thread_at(t, 1)->name, "worker");
  TEST(tni_trace_modules(t) == 1);
  TEST_TEXT(tni_trace_module_at(t, 0)->path, "/bin/x");
  TEST(tni_trace_frames(t) == 3);
  TEST(tni_trace_frame_at(t, 0)->offset == 0x1234);
  TEST(tni_trace_frame_at(t, 2)->module == TNI_TRACE_NONE);
  TEST(tni_trace_frame_at(t, 2)->offset == 0x12345);
  TEST(tni_trace_nodes(t) == 4);
}

static void
test_two_threads(void)
{
  static const struct {
    tni_trace_kind kind;
    uint32_t thread;
    uint64_t time_ns, address, size;
  } wanted[] = {
      {TNI_TRACE_PROCESS_OPEN, TNI_TRACE_NONE, 0, 0, 0},
      {TNI_TRACE_ALLOC, 0, 10, 0x10000, 24},
      {TNI_TRACE_ALLOC, 1, 15, 0x20000, 100},
      {TNI_TRACE_FREE, 0, 20, 0x10000, 0},
      {TNI_TRACE_ALLOC, 1, 21, 0x10000, 1ull << 33},
      {TNI_TRACE_RESIZE, 0, 21, 0x30000, 7},
      {TNI_TRACE_ALLOC, 1, 6000, 0x30007, 3},
      {TNI_TRACE_FREE, 0, 6000, 0x30007, 0},
      {TNI_TRACE_ALLOC, 1, 6002, 0x40000, 8},
      {TNI_TRACE_FREE, 0, 6002, 0x40000, 0},
      {TNI_TRACE_RESIZE, 1, 6003, 0x50000, 9},
      {TNI_TRACE_FREE, 0, 6003, 0x50000, 0},
      {TNI_TRACE_PROCESS_CLOSE, TNI_TRACE_NONE, 6003, 0, 0},
  };
  write_two_threads();
  tni_trace *const t = open_trace();
  if (t == NULL)
    return;
  test_tables(t);
  for (int round = 0; round < 2; round++) {
    tni_trace_event e;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
      if (!TEST(tni_trace_next(t, &e)))
        break;
      if (!TEST(e.kind == wanted[i].kind && e.thread == wanted[i].thread &&
                e.time_ns == wanted[i].time_ns &&
                e.address == wanted[i].address && e.size == wanted[i].size))
        fprintf(stderr, "  event %zu: kind %d at %llu\n", i, (int)e.kind,
                (unsigned long long)e.time_ns);
      if (e.kind == TNI_TRACE_FREE && e.time_ns == 20) {
        uint32_t frames[4];
        uint64_t slots[4];
        TEST(e.api == TN_TRACE_API_FREE);
        TEST(tni_trace_stack(t, e.stack, frames, 4) == 3);
        TEST(frames[0] == 2 && frames[1] == 0 && frames[2] == 1);
        TEST(tni_trace_slots(t, &e, slots, 4) == 3);
        TEST(slots[2] == 0x7ff000 - 64 && slots[1] == slots[2] - 48);
        TEST(slots[0] == slots[1] - 16 && slots[0] == e.sp);
      }
    }
    TEST(!tni_trace_next(t, &e));
    TEST(tni_trace_problem(t) == NULL);
    tni_trace_rewind(t);
  }
  tni_trace_close(t);
}

/* ---- Many chunks, random events, against a list -------------------------------- */

enum { MANY = 60000, THREADS = 7 };

typedef struct sample {
  uint64_t tick, address, size;
  uint32_t thread, stack;
  bool is_free;
} sample;

/* Written in the order of time; read back in that order [trace.order]. */
static sample *
write_many(size_t chunk, uint64_t *seed)
{
  sample *const all = calloc(MANY, sizeof *all);
  uint32_t stacks[40];
  writer *const w = writer_open(path, chunk);
  writer_section(w, 7, 0);
  writer_module(w, "/bin/y", 0, 0x1000, 0x900000);
  for (uint32_t i = 0; i < 40; i++) {
    uint32_t f[2] = {writer_frame(w, 0x2000 + i * 8, 32), 0};
    stacks[i] = writer_stack(w, TN_TRACE_API_MALLOC, f, 2, 8, i % 3 == 0);
  }
  uint64_t tick = 0;
  for (size_t i = 0; i < MANY; i++) {
    const uint64_t r = test_random(seed);
    tick += 1 + (r % 5 == 0 ? r % 3000 : r % 9);
    all[i] = (sample){tick,
                      (r >> 20) % (1 << 26) * 16,
                      r >> (r % 60 + 4),
                      (uint32_t)(r >> 9) % THREADS,
                      stacks[(r >> 13) % 40],
                      r & 256};
    const sample *const s = &all[i];
    if (s->is_free)
      writer_free(w, s->thread, tick, s->stack, s->address);
    else
      writer_alloc(w, s->thread, tick, s->stack, s->address, s->size);
  }
  writer_close(w);
  return all;
}

static void
test_many(size_t chunk, uint64_t *seed)
{
  sample *const all = write_many(chunk, seed);
  tni_trace *const t = open_trace();
  tni_trace_event e;
  size_t i = 0;
  TEST(t != NULL && tni_trace_next(t, &e));
  while (t != NULL && tni_trace_next(t, &e) && i < MANY &&
         e.kind != TNI_TRACE_PROCESS_CLOSE) {
    const sample *const s = &all[i++];
    if (!TEST(e.time_ns == s->tick && e.address == s->address &&
              e.thread == s->thread && e.context == s->stack &&
              (s->is_free ? e.kind == TNI_TRACE_FREE
                          : e.kind == TNI_TRACE_ALLOC && e.size == s->size)))
      break;
  }
  TEST(i == MANY && tni_trace_problem(t) == NULL);
  tni_trace_close(t);
  free(all);
}

/* ---- Files that are not whole ---------------------------------------------------- */

static void
refuse(const char *content, size_t size, tn_status wanted, const char *reason)
{
  FILE *const f = fopen(path, "wb");
  fwrite(content, 1, size, f);
  fclose(f);
  char problem[200] = "";
  tni_trace *t = NULL;
  TEST(tni_trace_open(path, &t, problem, sizeof problem) == wanted);
  TEST_TEXT(problem, reason);
}

static void
test_refused(void)
{
  uint32_t head[512] = {0};
  memcpy(head, &(uint64_t){TN_TRACE_MAGIC}, 8);
  head[2] = TN_TRACE_VERSION + 1;
  refuse("", 0, TN_EINVAL, "is empty");
  refuse("heaptrack version 1", 19, TN_EINVAL, "is not a trace");
  refuse((const char *)head, sizeof head, TN_ENOTSUP,
         "is of version 2 of the format; this reads up to 1");
  head[2] = TN_TRACE_VERSION;
  refuse((const char *)head, sizeof head, TN_EINVAL,
         "has a damaged header and nothing after it");
  refuse((const char *)head, 100, TN_EINVAL,
         "has a damaged header and nothing after it");
  char problem[200] = "";
  tni_trace *t = NULL;
  TEST(tni_trace_open("/nowhere", &t, problem, sizeof problem) == TN_ENOENT);
  TEST_TEXT(problem, "no such file");
  TEST(tni_trace_open("/", &t, problem, sizeof problem) == TN_EINVAL);
}

static size_t
count_events(tni_trace *t)
{
  tni_trace_event e;
  size_t count = 0;
  uint64_t last = 0;
  while (tni_trace_next(t, &e)) {
    TEST(e.time_ns >= last && e.stack < tni_trace_nodes(t));
    TEST(e.process < tni_trace_processes(t));
    TEST(e.thread < tni_trace_threads(t) || e.thread == TNI_TRACE_NONE);
    last = e.time_ns;
    count += e.kind <= TNI_TRACE_RESIZE;
  }
  return count;
}

/* Cut anywhere: what is there is delivered, and the cut is told. */
static void
test_cut(uint64_t *seed)
{
  free(write_many(4096, seed));
  FILE *const f = fopen(path, "rb");
  fseek(f, 0, SEEK_END);
  const long size = ftell(f);
  fclose(f);
  size_t before = MANY;
  for (long cut = size - 1; cut > 8192; cut -= 1 + size / 23) {
    TEST(truncate(path, cut) == 0);
    tni_trace *const t = open_trace();
    if (t == NULL)
      return;
    const size_t count = count_events(t);
    TEST(tni_trace_problem(t) != NULL);
    TEST(count <= before && count + MANY / 10 >= before);
    before = count;
    tni_trace_close(t);
  }
}

/* A file that is one chunk of events: cut anywhere in it, all records before the
 * cut come, and those of what is lost do not. */
static void
test_cut_chunk(void)
{
  enum { EVENTS = 100 };
  long ends[EVENTS];
  writer *const w = writer_open(path, 0);
  writer_section(w, 1, 0);
  for (size_t i = 0; i < EVENTS; i++) {
    writer_alloc(w, 0, 10 + 9 * i, 0, 0x1000 + 0x5000 * i, 8 + i);
    ends[i] = w->threads[0]->at - w->threads[0]->data;
  }
  writer_close(w);
  FILE *const f = fopen(path, "rb");
  fseek(f, 0, SEEK_END);
  const long size = ftell(f), begin = size - (ends[EVENTS - 1] + 7) / 8 * 8;
  fclose(f);
  for (long cut = ends[EVENTS - 1] - 1; cut >= (long)sizeof(tn_trace_chunk);
       cut--) {
    TEST(truncate(path, begin + cut) == 0);
    size_t wanted = 0;
    while (ends[wanted] <= cut)
      wanted++;
    tni_trace *const t = open_trace();
    if (t == NULL)
      return;
    if (!TEST(count_events(t) == wanted && tni_trace_problem(t) != NULL))
      fprintf(stderr, "  cut at %ld\n", cut);
    tni_trace_close(t);
  }
}

/* Any bytes anywhere: no crash, no hang, nothing out of range. */
static void
test_fuzz(uint64_t *seed)
{
  for (int round = 0; round < 60; round++) {
    write_two_threads();
    if (round % 4 == 0)
      free(write_many(4096, seed));
    FILE *const f = fopen(path, "r+b");
    fseek(f, 0, SEEK_END);
    const uint64_t size = (uint64_t)ftell(f);
    for (int i = 0; i < 1 + round % 30; i++) {
      const uint64_t r = test_random(seed);
      uint64_t at = (r >> 8) % size;
      if (round % 3 == 0)
        at = 4096 + (r >> 8) % (size - 4096);
      fseek(f, (long)at, SEEK_SET);
      fputc((int)(r & 255), f);
    }
    fclose(f);
    char problem[200];
    tni_trace *t = NULL;
    if (tni_trace_open(path, &t, problem, sizeof problem) == TN_OK)
      (void)count_events(t);
    tni_trace_close(t);
  }
}

/* A writer that is killed leaves a first byte of zero [trace.end]. */
static void
test_killed(void)
{
  writer *const w = writer_open(path, 0);
  writer_section(w, 1, 0);
  writer_alloc(w, 0, 10, 0, 0x1000, 8);
  unsigned char *const last = w->threads[0]->at;
  writer_alloc(w, 0, 20, 0, 0x2000, 8);
  *last = 0;
  writer_close(w);
  tni_trace *const t = open_trace();
  if (t != NULL)
    TEST(count_events(t) == 1 && tni_trace_problem(t) == NULL);
  tni_trace_close(t);
}

/* Bytes that this process has asked to read so far. */
static uint64_t
count_bytes_read(void)
{
  unsigned long long count = 0;
  FILE *const f = fopen("/proc/self/io", "r");
  TEST(f != NULL && fscanf(f, "rchar: %llu", &count) == 1);
  if (f != NULL)
    fclose(f);
  return count;
}

/* As a recorder leaves it: gigabytes of hole between chunks, and behind the
 * last, in the section and after it.  They are passed and not read. */
static void
test_holes(void)
{
  const uint64_t hole = UINT64_C(2) << 30;
  writer *const w = writer_open(path, 0);
  writer_section(w, 1, 0);
  for (uint64_t i = 0; i < 3; i++) {
    writer_alloc(w, 0, 10 + i, 0, 0x1000 * (i + 1), 8);
    writer_flush(w, w->threads[0]);
    fseek(w->file, (long)hole, SEEK_CUR);
    w->header.size += hole;
  }
  writer_close(w);
  TEST(truncate(path, (off_t)(4 * hole)) == 0);
  const uint64_t before = count_bytes_read();
  tni_trace *const t = open_trace();
  if (t != NULL)
    TEST(count_events(t) == 3 && tni_trace_problem(t) == NULL);
  tni_trace_close(t);
  TEST(count_bytes_read() - before < 1 << 20);
}

/* Two processes of the same program: their stacks are the same numbers. */
static void
test_processes(void)
{
  writer *const w = writer_open(path, 0);
  for (uint32_t pid = 5; pid <= 6; pid++) {
    writer_section(w, pid, pid == 6 ? 5 : 0);
    writer_module(w, "/bin/other", 0, 0x1000 * pid, 0x1000 * pid + 0x100);
    writer_module(w, "/bin/z", 0x10000 * pid, 0x10000 * pid,
                  0x10000 * pid + 100);
    const uint32_t f = writer_frame(w, 0x10000 * pid + 16, 0);
    const uint32_t s = writer_stack(w, TN_TRACE_API_MALLOC, &f, 1, 0, 0);
    writer_alloc(w, 0, pid, s, 0x100, 1);
  }
  writer_close(w);
  tni_trace *const t = open_trace();
  tni_trace_event e;
  uint32_t stacks[2];
  for (int i = 0; i < 2 && t != NULL;)
    if (TEST(tni_trace_next(t, &e)) && e.kind == TNI_TRACE_ALLOC)
      stacks[i++] = e.stack;
  TEST(stacks[0] == stacks[1] && stacks[0] != 0);
  TEST(tni_trace_process_at(t, 1)->parent == 0);
  TEST(tni_trace_process_at(t, 1)->origin == TN_TRACE_FORKED);
  TEST(tni_trace_modules(t) == 2);
  tni_trace_close(t);
}

int
main(void)
{
  uint64_t seed = test_seed();
  snprintf(path, sizeof path, "/tmp/test_read.%d.trace", (int)getpid());
  test_two_threads();
  test_many(0, &seed);
  test_many(512, &seed);
  test_refused();
  test_cut(&seed);
  test_cut_chunk();
  test_fuzz(&seed);
  test_killed();
  test_holes();
  test_processes();
  unlink(path);
  return test_done();
}
