/* test_pools.c -- pools against a dumb model: every block in one array
 *
 * Tags: [pools.live]
 * SPDX-License-Identifier: MIT
 */
#include <unistd.h>

#include "test.h"
#include "trace/pools.h"
#include "writer.h"

enum { POOLS = 6, PLACES = 40, PROCESSES = 2 };

static char path[64];

static void
write_trace(void)
{
  writer *const w = writer_open(path, 0);
  for (uint32_t pid = 100; pid < 100 + PROCESSES; pid++) {
    writer_section(w, pid, 0);
    writer_module(w, "/opt/x", 0x10000, 0x10000, 0x10000000);
    writer_thread(w, 0, pid, 0x6000000, 0x7000000, "main");
    for (uint32_t i = 0; i < 3; i++) {
      const uint32_t list[] = {writer_frame(w, 0x20000 + 0x100 * i, 32),
                               writer_frame(w, 0x40000, 32)};
      writer_stack(w, TN_TRACE_API_CLIENT, list, 2, 64, 0);
    }
    writer_end_section(w);
  }
  writer_close(w);
}

static uint64_t size_at[PROCESSES][POOLS][PLACES];
static bool is_open[PROCESSES][POOLS];

static uint64_t
drop_all(uint32_t process, uint32_t pool, uint64_t *blocks)
{
  uint64_t bytes = 0;
  for (int i = 0; i < PLACES; i++) {
    bytes += size_at[process][pool][i];
    *blocks += size_at[process][pool][i] != 0;
    size_at[process][pool][i] = 0;
  }
  return bytes;
}

static const char *const names[] = {"nodes", "texts", "nodes",
                                    "",      "inner", "texts"};

static tni_trace_event
event(tni_trace_kind kind, uint32_t process, uint32_t pool)
{
  return (tni_trace_event){
      .kind = kind, .process = process, .pool = 0x1000 * (pool + 1)};
}

static void
step(tni_pools *p, uint64_t *seed, uint32_t nodes, uint64_t *allocs)
{
  const uint32_t process = (uint32_t)(test_random(seed) % PROCESSES);
  const uint32_t pool = (uint32_t)(test_random(seed) % POOLS);
  const uint32_t place = (uint32_t)(test_random(seed) % PLACES);
  const unsigned kind = (unsigned)(test_random(seed) % 40);
  uint64_t *const size = &size_at[process][pool][place];
  uint64_t unused = 0;
  tni_trace_event e = event(TNI_TRACE_POOL_ALLOC, process, pool);
  e.address = 0x100000 + 256 * place;
  e.size = 1 + test_random(seed) % 200;
  e.stack = (uint32_t)(1 + test_random(seed) % (nodes - 1));
  if (kind == 0) {
    e = event(TNI_TRACE_POOL_OPEN, process, pool);
    e.text = names[pool];
    e.old = pool == 4 ? 0x1000 : 0;
    is_open[process][pool] = true;
    (void)drop_all(process, pool, &unused);
  } else if (kind == 1) {
    e = event(TNI_TRACE_POOL_CLOSE, process, pool);
    is_open[process][pool] = false;
    (void)drop_all(process, pool, &unused);
  } else if (kind == 2) {
    e = event(TNI_TRACE_POOL_RESET, process, pool);
    (void)drop_all(process, pool, &unused);
  } else if (kind < 18) {
    e.kind = TNI_TRACE_POOL_FREE;
    *size = 0;
  } else if (is_open[process][pool]) {
    *size = e.size;
    ++*allocs;
  }
  tni_pools_add(p, &e);
}

static void
compare(const tni_pools *p)
{
  for (size_t k = 0; k < p->kind_count; k++) {
    uint64_t bytes = 0, blocks = 0, open = 0;
    for (uint32_t i = 0; i < PROCESSES * POOLS; i++) {
      if (strcmp(names[i % POOLS], p->kinds[k].name) != 0)
        continue;
      open += is_open[i / POOLS][i % POOLS];
      for (int at = 0; at < PLACES; at++) {
        bytes += size_at[i / POOLS][i % POOLS][at];
        blocks += size_at[i / POOLS][i % POOLS][at] != 0;
      }
    }
    TEST(p->kinds[k].sum.live_bytes == bytes);
    TEST(p->kinds[k].sum.live_blocks == blocks);
    TEST(p->kinds[k].open == open);
  }
}

static void
test_model(tni_names *n, uint32_t nodes, uint64_t seed)
{
  tni_pools p;
  tni_pools_init(&p, n);
  memset(is_open, 0, sizeof is_open);
  uint64_t allocs = 0, sum = 0, left = 0, bytes = 0, blocks = 0;
  for (int i = 0; i < 20000; i++) {
    step(&p, &seed, nodes, &allocs);
    if (i % 100 == 0) {
      compare(&p);
      TEST(tni_pools_is_valid(&p));
    }
  }
  for (uint32_t i = 0; i < PROCESSES * POOLS; i++)
    bytes += drop_all(i / POOLS, i % POOLS, &blocks);
  for (uint32_t i = 0; i < PROCESSES; i++)
    tni_pools_drop(&p, i);
  uint64_t left_blocks = 0;
  for (size_t k = 0; k < p.kind_count; k++) {
    sum += p.kinds[k].sum.allocs;
    left += p.kinds[k].sum.left_bytes;
    left_blocks += p.kinds[k].sum.left_blocks;
    TEST(p.kinds[k].sum.live_bytes == 0 && p.kinds[k].open == 0);
    TEST(p.kinds[k].sum.most_bytes > 0 && p.kinds[k].most_open > 0);
    if (strcmp(p.kinds[k].name, "inner") == 0)
      TEST(p.kinds[k].parent == 0 ||
           strcmp(p.kinds[p.kinds[k].parent - 1].name, "nodes") == 0);
  }
  TEST(sum == allocs && left == bytes && left_blocks == blocks);
  TEST(p.kind_count == 4 && p.by_block.count == 0 && p.open.count == 0);
  tni_pools_fini(&p);
}

/* Names without end are a bounded number of kinds. */
static void
test_many_names(tni_names *n)
{
  tni_pools p;
  tni_pools_init(&p, n);
  for (uint32_t i = 0; i < 4 * TNI_POOL_KINDS; i++) {
    char name[32];
    snprintf(name, sizeof name, "pool %u", i % (3 * TNI_POOL_KINDS));
    tni_trace_event e = event(TNI_TRACE_POOL_OPEN, 0, i);
    e.text = name;
    tni_pools_add(&p, &e);
  }
  TEST(p.kind_count == TNI_POOL_KINDS + 1);
  TEST(p.kinds[TNI_POOL_KINDS].opened == 2 * TNI_POOL_KINDS);
  TEST(p.kinds[TNI_POOL_KINDS - 1].opened == 2);  // known names stay known
  tni_trace_event e = event(TNI_TRACE_POOL_ALLOC, 1, 0);
  tni_pools_add(&p, &e);
  TEST(p.unknown == 1);  // no pool of that process
  tni_pools_fini(&p);
}

int
main(void)
{
  snprintf(path, sizeof path, "/tmp/tenure-pools-%ld.trace", (long)getpid());
  const uint64_t seed = test_seed();
  write_trace();
  tni_trace *t;
  char problem[200] = "";
  TEST(tni_trace_open(path, &t, problem, sizeof problem) == TN_OK);
  tni_names n;
  tni_names_init(&n, t);
  TEST(tni_trace_nodes(t) > 3);
  for (uint64_t i = 0; i < 3; i++)
    test_model(&n, tni_trace_nodes(t), seed + i);
  test_many_names(&n);
  tni_names_fini(&n);
  tni_trace_close(t);
  unlink(path);
  return test_done();
}
