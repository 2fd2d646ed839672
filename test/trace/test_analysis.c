/* test_analysis.c -- sums by stack against a dumb model; lives and orders
 *
 * A random run is written as a trace and kept in plain arrays; the model copies
 * everything at each new peak.
 *
 * Covers  [analysis.live] [analysis.peak] [analysis.ends] [blocks.lists]
 * SPDX-License-Identifier: MIT
 */
#include <unistd.h>

#include "test.h"
#include "trace/analysis.h"
#include "writer.h"

enum { STACKS = 12, BLOCKS = 200, STEPS = 20000, HIGH = 0x7000000 };

static char trace_path[64];

/* ---- The model -------------------------------------------------------------- */

typedef struct model_path {
  uint64_t blocks, bytes, live_blocks, live_bytes, peak_blocks, peak_bytes;
  uint64_t most_bytes, left_bytes, frees;
} model_path;

static struct {
  model_path paths[STACKS];
  uint64_t live, peak;
  struct {
    uint64_t size;
    uint32_t path;
    bool is_live;
  } blocks[2][BLOCKS];
} model;

static void
model_change(uint32_t path, uint64_t blocks, uint64_t bytes)
{
  model_path *const p = &model.paths[path];
  p->live_blocks += blocks;
  p->live_bytes += bytes;
  model.live += bytes;
  if ((int64_t)bytes < 0 || (int64_t)blocks < 0)
    return;
  if (p->live_bytes > p->most_bytes)
    p->most_bytes = p->live_bytes;
  if (model.live < model.peak)
    return;
  model.peak = model.live;
  for (size_t i = 0; i < STACKS; i++) {
    model.paths[i].peak_blocks = model.paths[i].live_blocks;
    model.paths[i].peak_bytes = model.paths[i].live_bytes;
  }
}

/* ---- The run ---------------------------------------------------------------- */

static uint64_t
address_of(uint32_t b)
{
  return 0x100000 + 0x1000 * (uint64_t)b;
}

static void
step(writer *w, uint32_t process, uint64_t *seed, uint64_t tick,
     const uint32_t *stacks)
{
  const uint32_t b = (uint32_t)(test_random(seed) % BLOCKS);
  const uint32_t s = (uint32_t)(test_random(seed) % STACKS);
  const uint32_t thread = (uint32_t)(test_random(seed) % 2);
  const uint64_t size = test_random(seed) % 2000;
  if (!model.blocks[process][b].is_live) {
    writer_alloc(w, thread, tick, stacks[s], address_of(b), size);
    model.blocks[process][b].is_live = true;
    model.blocks[process][b].size = size;
    model.blocks[process][b].path = s;
    model.paths[s].blocks++;
    model.paths[s].bytes += size;
    model_change(s, 1, size);
    return;
  }
  const uint64_t old = model.blocks[process][b].size;
  const uint32_t path = model.blocks[process][b].path;
  if (test_random(seed) % 4 == 0) {
    writer_resize(w, thread, tick, stacks[s], address_of(b), address_of(b),
                  size);
    model.blocks[process][b].size = size;
    model.paths[path].blocks++;
    model.paths[path].bytes += size;
    model_change(path, 0, size - old);
  } else {
    writer_free(w, thread, tick, stacks[s], address_of(b));
    model.blocks[process][b].is_live = false;
    model.paths[path].frees++;
    model_change(path, (uint64_t)-1, 0 - old);
  }
}

/* Stacks of 1 to 4 frames, some sharing their outer ones. */
static void
make_stacks(writer *w, uint32_t *stacks)
{
  uint32_t frames[8], list[4];
  for (uint32_t i = 0; i < 8; i++)
    frames[i] = writer_frame(w, 0x10100 + 0x100 * i, 64);
  for (uint32_t i = 0; i < STACKS; i++) {
    const uint32_t depth = 1 + i % 4;
    for (uint32_t j = 0; j < depth; j++)
      list[j] = frames[(i / 4 + (depth - 1 - j)) % 8];
    stacks[i] = writer_stack(w, TN_TRACE_API_MALLOC, list, depth, 128, 0);
  }
}

static uint64_t
begin_section(writer *w, uint32_t pid, uint32_t parent, uint32_t *stacks)
{
  writer_section(w, pid, parent);
  w->header.origin = parent ? TN_TRACE_EXECED : TN_TRACE_STARTED;
  w->header.last_tick = w->header.last_ns = 2000000;
  writer_program(w, "/bin/none", "none", 5);
  writer_module(w, "/no/such/program", 0x10000, 0x10000, 0x20000);
  writer_thread(w, 0, pid, HIGH - 0x100000, HIGH, "main");
  writer_thread(w, 1, pid + 1, HIGH - 0x300000, HIGH - 0x200000, "other");
  make_stacks(w, stacks);
  return 0;
}

/* Innermost frame of stack i, as its offset in the module. */
static const tni_path *
find_path(const tni_analysis *a, uint32_t i)
{
  const uint32_t depth = 1 + i % 4;
  for (size_t p = 1; p < a->path_count; p++) {
    uint32_t node = a->paths[p].node, at = 0;
    if (tni_trace_node_at(a->trace, node)->depth != depth)
      continue;
    for (; node != 0; node = tni_trace_node_at(a->trace, node)->parent, at++) {
      const uint32_t f = tni_trace_node_at(a->trace, node)->frame;
      if (tni_trace_frame_at(a->trace, f)->offset !=
          0x100 + 0x100 * ((i / 4 + (depth - 1 - at)) % 8))
        break;
    }
    if (node == 0)
      return &a->paths[p];
  }
  return NULL;
}

static void
compare(const tni_analysis *a)
{
  TEST(tni_analysis_is_valid(a));
  TEST(a->totals.peak_bytes == model.peak);
  TEST(a->totals.live_bytes == 0 && a->blocks.live == 0);
  for (uint32_t i = 0; i < STACKS; i++) {
    const model_path *const m = &model.paths[i];
    const tni_path *const p = find_path(a, i);
    if (!TEST(p != NULL))
      continue;
    TEST(p->blocks == m->blocks && p->bytes == m->bytes);
    TEST(p->peak_blocks == m->peak_blocks && p->peak_bytes == m->peak_bytes);
    TEST(p->most_bytes == m->most_bytes);
    TEST(p->left_blocks == m->live_blocks && p->left_bytes == m->live_bytes);
  }
}

static tni_analysis *
analyse(void)
{
  char problem[200];
  tni_analysis *a = NULL;
  TEST(tni_analysis_open(&a, trace_path, NULL, problem, sizeof problem) ==
       TN_OK);
  if (a == NULL) {
    fprintf(stderr, "%s\n", problem);
    exit(1);
  }
  TEST(tni_trace_problem(a->trace) == NULL);
  return a;
}

static void
test_model(uint64_t seed)
{
  memset(&model, 0, sizeof model);
  writer *const w = writer_open(trace_path, 2048);
  uint32_t stacks[STACKS];
  begin_section(w, 100, 0, stacks);
  for (uint64_t i = 1; i <= STEPS; i++)
    step(w, 0, &seed, i * 100, stacks);
  writer_close(w);
  tni_analysis *const a = analyse();
  compare(a);
  tni_analysis_close(a);
}

/* ---- Lives ------------------------------------------------------------------ */

enum { AT = 0x400000 };

static struct {
  writer *w;
  uint64_t tick;
  uint32_t outer, inner, middle;  // stacks: main; main>f; main>f>g
} life;

/* main calls f at slot 0x40 below the top, f calls g 0x40 further in. */
static void
life_begin(void)
{
  life.w = writer_open(trace_path, 0);
  life.tick = 0;
  writer_section(life.w, 100, 0);
  life.w->header.last_tick = life.w->header.last_ns = 100000;
  writer_program(life.w, "/bin/none", "none", 5);
  writer_module(life.w, "/no/such/program", 0x10000, 0x10000, 0x20000);
  writer_thread(life.w, 0, 100, HIGH - 0x100000, HIGH, "main");
  writer_thread(life.w, 1, 101, HIGH - 0x300000, HIGH - 0x200000, "other");
  const uint32_t m0 = writer_frame(life.w, 0x10100, 0);
  const uint32_t m1 = writer_frame(life.w, 0x10110, 0);
  const uint32_t f0 = writer_frame(life.w, 0x10200, 64);
  const uint32_t f1 = writer_frame(life.w, 0x10210, 64);
  const uint32_t g0 = writer_frame(life.w, 0x10300, 64);
  const uint32_t outer[] = {m0}, middle[] = {f0, m1}, inner[] = {g0, f1, m1};
  life.outer = writer_stack(life.w, TN_TRACE_API_MALLOC, outer, 1, 64, 0);
  life.middle = writer_stack(life.w, TN_TRACE_API_MALLOC, middle, 2, 64, 0);
  life.inner = writer_stack(life.w, TN_TRACE_API_MALLOC, inner, 3, 64, 0);
}

static void
life_alloc(uint32_t stack, uint32_t b, uint64_t size)
{
  writer_alloc(life.w, 0, ++life.tick, stack, AT + 64 * (uint64_t)b, size);
}

static void
life_free(uint32_t thread, uint32_t stack, uint32_t b)
{
  writer_free(life.w, thread, ++life.tick, stack, AT + 64 * (uint64_t)b);
}

static const tni_site *
life_site(const tni_analysis *a, uint64_t offset)
{
  for (size_t i = 1; i < a->site_count; i++)
    if (tni_trace_frame_at(a->trace, a->sites[i].frame)->offset == offset)
      return &a->sites[i];
  test_check(false, "the site is there", __FILE__, __LINE__);
  return &a->sites[0];
}

static void
test_escapes(void)
{
  life_begin();
  life_alloc(life.inner, 0, 10);  // held by g
  life_free(0, life.inner, 0);
  life_alloc(life.inner, 1, 10);  // g has returned: held by f
  life_free(0, life.middle, 1);
  life_alloc(life.inner, 2, 10);  // f has returned: held by the thread
  life_free(0, life.outer, 2);
  life_alloc(life.inner, 3, 10);  // f returned in between
  life_alloc(life.outer, 4, 10);
  life_free(0, life.inner, 3);
  life_free(0, life.outer, 4);
  life_alloc(life.inner, 5, 10);
  life_free(1, life.outer, 5);    // by another thread
  life_alloc(life.inner, 6, 10);  // never
  writer_close(life.w);
  tni_analysis *const a = analyse();
  const tni_site *const g = life_site(a, 0x300);
  TEST(g->blocks == 6 && g->frees == 5 && g->left_blocks == 1);
  TEST(g->escapes[0] == 1 && g->escapes[1] == 1);
  TEST(g->escapes[TNI_ESCAPE_THREAD] == 2);
  TEST(g->escapes[TNI_ESCAPE_OTHER] == 1);
  TEST(g->escapes[TNI_ESCAPE_LEFT] == 1);
  TEST(life_site(a, 0x100)->escapes[TNI_ESCAPE_THREAD] == 1);
  TEST(g->temporary == 3);
  tni_analysis_close(a);
}

static void
test_orders(void)
{
  life_begin();
  for (uint32_t i = 0; i < 4; i++)  // newest first: a stack
    life_alloc(life.inner, i, 10);
  for (uint32_t i = 4; i-- > 0;)
    life_free(0, life.inner, i);
  for (uint32_t i = 0; i < 20; i++) {  // oldest first, two at a time: a queue
    life_alloc(life.middle, 100 + i, 20);
    if (i >= 2)
      life_free(0, life.outer, 100 + i - 2);
  }
  for (uint32_t i = 0; i < 10; i++)  // together, in no order
    life_alloc(life.outer, 200 + i, 30);
  for (uint32_t i = 0; i < 10; i++)
    life_free(0, life.outer, 200 + i * 3 % 10);
  life_alloc(life.inner, 300, 10);
  writer_close(life.w);
  tni_analysis *const a = analyse();
  TEST(life_site(a, 0x300)->orders[TNI_ORDER_LIFO] == 4);
  TEST(life_site(a, 0x300)->orders[TNI_ORDER_LEFT] == 1);
  TEST(life_site(a, 0x200)->orders[TNI_ORDER_FIFO] == 18);
  TEST(life_site(a, 0x200)->left_blocks == 2);
  TEST(life_site(a, 0x200)->oldest_first == 18);
  const tni_site *const m = life_site(a, 0x100);
  /* In 0 3 6 9 2 5 8 1 4 7 three were the newest when they went. */
  TEST(m->orders[TNI_ORDER_LIFO] == 3 && m->orders[TNI_ORDER_TOGETHER] == 7);
  TEST(m->generations == 1);
  TEST(m->most_generation == 300 && m->least_size == 30 && m->most_size == 30);
  tni_analysis_close(a);
}

static void
test_resizes(void)
{
  life_begin();
  life_alloc(life.inner, 0, 10);
  writer_resize(life.w, 0, ++life.tick, life.middle, AT, AT, 20);
  writer_resize(life.w, 0, ++life.tick, life.middle, AT, AT + 640, 40);
  writer_resize(life.w, 0, ++life.tick, life.middle, AT + 640, 0, 1 << 20);
  life_free(0, life.middle, 10);
  writer_close(life.w);
  tni_analysis *const a = analyse();
  const tni_site *const g = life_site(a, 0x300);
  TEST(g->resizes == 2 && g->moves == 1 && g->resize_bytes == 20);
  TEST(g->grown == 1 && g->final_sizes[6] == 1 && g->frees == 1);
  TEST(g->blocks == 1 && g->escapes[1] == 1);
  TEST(a->totals.peak_bytes == 40 && a->totals.bytes == 70);
  TEST(a->totals.blocks == 3 && a->totals.resizes == 3);
  tni_analysis_close(a);
}

/* Of two samples in one moment the larger counts; parts are of that. */
static void
test_samples(void)
{
  life_begin();
  life_alloc(life.inner, 0, 100);
  const uint64_t sizes[] = {5000, 9000, 4000};
  for (uint32_t i = 0; i < 3; i++) {
    const uint64_t fields[] = {sizes[i], 1000, 500, 10 + i};
    writer_other(life.w, 0, 1000, TN_TRACE_SAMPLE, fields, 4);
  }
  life_alloc(life.inner, 1, 100);
  writer_close(life.w);
  tni_analysis *const a = analyse();
  for (uint32_t i = 0; i < TNI_BUCKETS; i++) {
    const tni_resident_parts *const p = &a->buckets[i].resident;
    /* What a sample said holds until the next one. */
    TEST(p->resident != 4000 || p->heap == 100);
  }
  TEST(a->totals.peak_resident.resident == 9000 && a->totals.faults == 12);
  TEST(a->totals.peak_resident.heap == 100);
  TEST(a->totals.peak_resident.rest == 9000 - 1000 - 500 - 100);
  uint64_t most = 0;
  for (uint32_t i = 0; i < TNI_BUCKETS; i++)
    if (a->buckets[i].resident.resident > most)
      most = a->buckets[i].resident.resident;
  TEST(most == 9000);
  tni_analysis_close(a);
}

static void
test_marks(void)
{
  life_begin();
  for (uint32_t i = 0; i < 4; i++) {
    life_alloc(life.inner, i, 100);
    const uint64_t fields[] = {AT + 64 * (uint64_t)i, 100, i};
    writer_other(life.w, 0, 1000 + i, TN_TRACE_LEFT, fields, 3);
  }
  writer_close(life.w);
  tni_analysis *const a = analyse();
  TEST(a->totals.has_marks && a->totals.left_blocks == 4);
  TEST(life_site(a, 0x300)->lost_blocks == 1);
  TEST(life_site(a, 0x300)->indirect_bytes == 100);
  TEST(a->totals.lost_blocks == 1 && a->totals.lost_bytes == 100);
  TEST(a->totals.indirect_blocks == 1 && a->totals.indirect_bytes == 100);
  tni_analysis_close(a);
}

int
main(void)
{
  snprintf(trace_path, sizeof trace_path, "/tmp/tenure-analysis-%ld.trace",
           (long)getpid());
  const uint64_t seed = test_seed();
  for (uint64_t i = 0; i < 5; i++)
    test_model(seed + i);
  test_escapes();
  test_orders();
  test_resizes();
  test_samples();
  test_marks();
  unlink(trace_path);
  return test_done();
}
