/* long_trace.c -- a made-up trace of any length, of a run that stays the same
 *
 *     long_trace FILE EVENTS
 *
 * 2 threads, 10,000 stacks 6 to 20 frames deep of 1,000 sites, up to 100,000
 * blocks live at once: half of the events are blocks freed at once, the others
 * take and free blocks at random.  Prints allocs, frees, bytes, peak bytes.
 * SPDX-License-Identifier: MIT
 */
#include "../../test/trace/writer.h"

enum {
  THREADS = 2,
  SITES = 1000,
  STACKS = 10000,
  LIVE = 100000,
  HIGH = 0x7000000,
  DEEP = 20
};

static uint64_t state = 88172645463325252u;

static uint32_t
draw(uint32_t below)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 32) * below >> 32);
}

typedef struct run {
  writer *w;
  uint32_t stacks[STACKS];
  uint32_t size[LIVE];
  uint64_t tick, allocs, frees, bytes, live, peak;
} run;

static void
make_stacks(run *r)
{
  uint32_t outer[DEEP][64];
  for (uint32_t d = 0; d < DEEP; d++)
    for (uint32_t i = 0; i < 64; i++)
      outer[d][i] = writer_frame(r->w, 0x800000 + 0x100 * (64 * d + i), 48);
  uint32_t sites[SITES];
  for (uint32_t i = 0; i < SITES; i++)
    sites[i] = writer_frame(r->w, 0x20000 + 0x40 * i, 64);
  for (uint32_t i = 0; i < STACKS; i++) {
    uint32_t list[DEEP], count = 0;
    const uint32_t depth = 6 + i % (DEEP - 6);
    list[count++] = sites[i % SITES];
    while (count < depth) {
      /* The further out, the fewer different ones. */
      const uint32_t out = depth - count;
      list[count++] = outer[out][out < 4 ? 0 : draw(out < 10 ? 3 : 64)];
    }
    r->stacks[i] = writer_stack(r->w, TN_TRACE_API_MALLOC, list, count, 64, 0);
  }
}

static void
take(run *r, uint32_t thread, uint32_t stack, uint32_t place, uint32_t size)
{
  writer_alloc(r->w, thread, r->tick += 50, r->stacks[stack],
               0x20000000 + (uint64_t)place * 512, size);
  r->allocs++;
  r->bytes += size;
  r->live += size;
  if (r->live > r->peak)
    r->peak = r->live;
}

static void
drop(run *r, uint32_t thread, uint32_t stack, uint32_t place, uint32_t size)
{
  writer_free(r->w, thread, r->tick += 50, r->stacks[stack],
              0x20000000 + (uint64_t)place * 512);
  r->frees++;
  r->live -= size;
}

int
main(int argc, char **argv)
{
  if (argc != 3)
    return 2;
  const uint64_t events = strtoull(argv[2], NULL, 10);
  run *const r = calloc(1, sizeof *r);
  r->w = writer_open(argv[1], 0);
  writer_section(r->w, 4711, 0);
  writer_program(r->w, "/opt/long", "long", 5);
  writer_module(r->w, "/opt/long", 0x10000, 0x10000, 0x10000000);
  for (uint32_t i = 0; i < THREADS; i++)
    writer_thread(r->w, i, 4711 + i, HIGH - 0x100000, HIGH, "long");
  make_stacks(r);
  uint32_t stack = 0, place = 0;
  while (r->allocs + r->frees + 2 < events) {
    const uint32_t thread = draw(THREADS);
    stack = (stack + draw(16)) % STACKS;
    take(r, thread, stack, LIVE + thread, 64);
    drop(r, thread, stack, LIVE + thread, 64);
    place = (place + draw(64)) % LIVE;
    stack = (stack + draw(16)) % STACKS;
    const uint32_t size = r->size[place] ? 0 : 16 + 16 * draw(30);
    if (size == 0)
      drop(r, thread, stack, place, r->size[place]);
    else
      take(r, thread, stack, place, size);
    r->size[place] = size;
  }
  r->w->header.last_tick = r->w->header.last_ns = r->tick;
  writer_close(r->w);
  printf("%llu %llu %llu %llu\n", (unsigned long long)r->allocs,
         (unsigned long long)r->frees, (unsigned long long)r->bytes,
         (unsigned long long)r->peak);
  free(r);
  return 0;
}
