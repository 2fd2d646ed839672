/* sample_trace.c -- write a trace for the tests of the reports
 *
 *     sample_trace FILE SITES ROUNDS
 *
 * Each site allocates 16 * (site + 1) bytes a round and frees in the next one;
 * every tenth never frees.  Stacks are 3 deep.  Prints what the totals are:
 * allocs frees bytes peak_bytes left_blocks left_bytes.
 * SPDX-License-Identifier: MIT
 */
#include "writer.h"

enum { HIGH = 0x7000000 };

int
main(int argc, char **argv)
{
  if (argc != 4)
    return 2;
  const uint32_t sites = (uint32_t)atoi(argv[2]);
  const uint64_t rounds = (uint64_t)atoi(argv[3]);
  writer *const w = writer_open(argv[1], 0);
  const uint64_t end = (rounds * 2 * sites + 10) * 100;
  writer_section(w, 4711, 0);
  w->header.last_tick = w->header.last_ns = end;
  writer_program(w, "/opt/sample \"q\" <b>", "sample\0--flag\0</script>\xff",
                 25);
  writer_module(w, "/opt/sample", 0x10000, 0x10000, 0x10000000);
  writer_thread(w, 0, 4711, HIGH - 0x100000, HIGH, "main");
  uint32_t *const stacks = calloc(sites, sizeof *stacks);
  const uint32_t outer = writer_frame(w, 0x10100, 64);
  for (uint32_t i = 0; i < sites; i++) {
    const uint32_t list[] = {
        writer_frame(w, 0x20000 + 0x40 * (uint64_t)i, 64),
        writer_frame(w, 0x800000 + 0x40 * (uint64_t)(i / 20), 64), outer};
    stacks[i] = writer_stack(w, TN_TRACE_API_MALLOC, list, 3, 64, 0);
  }
  uint64_t tick = 0, allocs = 0, frees = 0, bytes = 0, live = 0, peak = 0;
  uint64_t left_blocks = 0, left_bytes = 0;
  for (uint64_t round = 0; round < rounds; round++)
    for (uint32_t i = 0; i < sites; i++) {
      const uint64_t size = 16 * ((uint64_t)i % 500 + 1);
      const uint64_t address = 0x20000000 + 0x4000 * (uint64_t)i;
      if (round > 0 && i % 10 != 0) {
        writer_free(w, 0, tick += 100, stacks[i], address);
        frees++;
        live -= size;
      }
      const uint64_t at = i % 10 ? address : 0x60000000 + 0x4000 * allocs;
      writer_alloc(w, 0, tick += 100, stacks[i], at, size);
      allocs++;
      bytes += size;
      live += size;
      peak = live > peak ? live : peak;
      if (i % 10 == 0 || round + 1 == rounds) {
        left_blocks++;
        left_bytes += size;
      }
    }
  writer_close(w);
  free(stacks);
  printf("%llu %llu %llu %llu %llu %llu\n", (unsigned long long)allocs,
         (unsigned long long)frees, (unsigned long long)bytes,
         (unsigned long long)peak, (unsigned long long)left_blocks,
         (unsigned long long)left_bytes);
  return 0;
}
