/* test_tape.c -- what is written is what is read
 *
 * [tape.same] every record of random sequences comes back; [tape.bound] none is
 * longer than promised.
 * SPDX-License-Identifier: MIT
 */
#include "tape/tape.h"
#include "test.h"

enum { RECORDS = 200000 };

static unsigned char data[RECORDS * 40 + 2 * TNI_TAPE_MOST];

/* A number of any magnitude. */
static uint64_t
any(uint64_t *seed)
{
  const uint64_t r = test_random(seed);
  return test_random(seed) >> (r & 63);
}

/* Fill r from the seed and write it, unless p is NULL. */
static unsigned char *
step(tni_tape *t, unsigned char *p, uint64_t *seed, uint64_t *tick,
     tni_tape_record *r)
{
  *tick += test_random(seed) % 4 ? 0 : any(seed) >> 20;
  *r = (tni_tape_record){.op = test_random(seed) % 4, .tick = *tick};
  r->stack = (uint32_t)any(seed) % 300;
  r->address = any(seed) << 4;
  r->old = r->op == TNI_TAPE_RESIZE ? any(seed) << 4 : 0;
  r->size = r->op == TNI_TAPE_FREE ? 0 : any(seed);
  if (p == NULL)
    return NULL;
  switch (r->op) {
  case TNI_TAPE_ALLOC:
    return tni_tape_alloc(t, p, *tick, r->stack, r->address, r->size);
  case TNI_TAPE_FREE: return tni_tape_free(t, p, *tick, r->stack, r->address);
  case TNI_TAPE_RESIZE:
    return tni_tape_resize(t, p, *tick, r->stack, r->old, r->address, r->size);
  case TNI_TAPE_OTHER: break;
  }
  const uint64_t fields[2] = {r->address, r->size};
  r->kind = 1 + r->stack % 63;
  return tni_tape_other(t, p, *tick, r->kind, fields, r->stack % 3 ? 2 : 0);
}

static void
test_random_records(uint64_t seed)
{
  static tni_tape writer, reader;
  uint64_t from = seed;
  uint64_t tick = 1000;
  unsigned char *end = data;
  tni_tape_record wanted, got = {0};
  tni_tape_begin(&writer, tick);
  size_t count = 0;
  for (; count < RECORDS && end < data + sizeof data - 2 * TNI_TAPE_MOST;
       count++) {
    unsigned char *const next = step(&writer, end, &from, &tick, &wanted);
    TEST(next > end && next - end <= TNI_TAPE_MOST && *end != 0);
    end = next;
  }
  TEST(count > RECORDS / 2);
  from = seed;
  tick = 1000;
  tni_tape_begin(&reader, tick);
  const unsigned char *p = data;
  for (size_t i = 0; i < count; i++) {
    (void)step(NULL, NULL, &from, &tick, &wanted);
    p = tni_tape_read(&reader, p, &got);
    bool same = p != NULL && got.op == wanted.op && got.tick == wanted.tick;
    if (same && got.op == TNI_TAPE_OTHER)
      same = got.kind == 1 + wanted.stack % 63 &&
             (wanted.stack % 3
                  ? got.count == 2 && got.fields[0] == wanted.address &&
                        got.fields[1] == wanted.size
                  : got.count == 0);
    else
      same = same && got.stack == wanted.stack && got.old == wanted.old &&
             got.address == wanted.address && got.size == wanted.size;
    if (!TEST(same))
      return;
  }
  TEST(p == end &&
       memcmp(writer.guess, reader.guess, sizeof writer.guess) == 0);
  TEST(tni_tape_read(&reader, p, &got) == NULL);
}

/* Blocks that come and go at the same places cost two to three bytes. */
static void
test_loop_is_short(void)
{
  static tni_tape t;
  unsigned char *p = data;
  memset(data, 0, sizeof data);
  tni_tape_begin(&t, 0);
  for (uint64_t i = 0; i < 10000; i++) {
    p = tni_tape_alloc(&t, p, i * 2, 5, 0x10000 + i % 8 * 32, 24);
    p = tni_tape_free(&t, p, i * 2 + 1, 6, 0x10000 + i % 8 * 32);
  }
  TEST(p - data < 20000 * 5 / 2);
}

int
main(void)
{
  test_random_records(test_seed());
  memset(data, 0, sizeof data);
  test_random_records(test_state.seed + 12345);
  test_loop_is_short();
  return test_done();
}
