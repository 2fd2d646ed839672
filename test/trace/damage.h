/* damage.h -- traces that are damaged in every way, read to the end
 *
 * A sound trace with each kind of record is cut, flipped, overwritten, shifted,
 * repeated, or claims another version; then it is opened, analysed, advised
 * upon and written as JSON.  It must end, say what is wrong in one line, and
 * count no more events than there were.
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TEST_DAMAGE_H
#define TENURE_TEST_DAMAGE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <unistd.h>

#include "test.h"
#include "trace/report.h"
#include "writer.h"

enum {
  DAMAGE_EVENTS = 400,
  DAMAGE_SECONDS = 20,
  DAMAGE_SLACK = 4096,
};

typedef struct damage_file {
  unsigned char *data;
  size_t size;
  char path[64];
} damage_file;

static inline uint64_t
damage_below(uint64_t *random, uint64_t limit)
{
  return (test_random(random) >> 11) % limit;
}

static inline void
damage_odd_records(writer *w, uint64_t tick, uint32_t stack)
{
  const uint32_t text = writer_text(w, "a phase");
  const uint64_t fields[] = {stack, text, 4096, 8192, 3, 1, 2, 5};
  for (unsigned kind = 1; kind < TN_TRACE_RECORDS; kind++)
    writer_other(w, 0, tick + kind, kind, fields, kind % 8 + 1);
}

static inline void
damage_section(writer *w, uint32_t pid, uint32_t parent, uint64_t *random)
{
  uint32_t stacks[20];
  writer_section(w, pid, parent);
  w->header.last_tick = w->header.last_ns = DAMAGE_EVENTS * 100;
  writer_program(w, "/nowhere/x", "x\0-v\0", 5);
  writer_module(w, "/nowhere/x", 0x10000, 0x10000, 0x90000);
  for (uint32_t i = 0; i < 3; i++)
    writer_thread(w, i, pid + i, 0x600000 + 0x10000 * i, 0x610000 + 0x10000 * i,
                  "thread");
  for (uint32_t i = 0; i < 20; i++) {
    const uint32_t list[] = {writer_frame(w, 0x20000 + 0x40 * i, 64),
                             writer_frame(w, 0x30000 + 0x40 * (i / 4), 64)};
    stacks[i] = writer_stack(w, TN_TRACE_API_MALLOC, list, 2, 64, i % 7 == 6);
  }
  for (uint64_t i = 0; i < DAMAGE_EVENTS; i++) {
    const uint32_t thread = (uint32_t)damage_below(random, 3);
    const uint32_t stack = stacks[damage_below(random, 20)];
    const uint64_t address = 0x700000 + 64 * damage_below(random, 40);
    const uint64_t size = 1 + damage_below(random, 60), tick = i * 100;
    switch (damage_below(random, 5)) {
    case 0: writer_free(w, thread, tick, stack, address); break;
    case 1:
      writer_resize(w, thread, tick, stack, address, address + 4096, size);
      break;
    default: writer_alloc(w, thread, tick, stack, address, size); break;
    }
  }
  damage_odd_records(w, DAMAGE_EVENTS * 100, stacks[0]);
}

static inline void
damage_write(const damage_file *f)
{
  FILE *const to = fopen(f->path, "wb");
  fwrite(f->data, 1, f->size, to);
  fclose(to);
}

/* A sound trace of two processes, in chunks of a few records. */
static inline damage_file
damage_begin(uint64_t *random)
{
  damage_file f = {0};
  snprintf(f.path, sizeof f.path, "/tmp/damage.%d.trace", (int)getpid());
  writer *const w = writer_open(f.path, 900);
  damage_section(w, 100, 0, random);
  damage_section(w, 200, 100, random);
  writer_close(w);
  FILE *const from = fopen(f.path, "rb");
  fseek(from, 0, SEEK_END);
  f.size = (size_t)ftell(from);
  rewind(from);
  f.data = malloc(f.size + DAMAGE_SLACK);
  if (!TEST(f.data && fread(f.data, 1, f.size, from) == f.size))
    exit(test_done());
  fclose(from);
  return f;
}

/* Sizes of every class: none, less than a word, in the header, at its end, in
 * the head of the first chunk, anywhere, one byte less. */
static inline size_t
damage_cut(uint64_t *random, size_t size)
{
  const size_t header = sizeof(tn_trace_section);
  const size_t sizes[] = {0,
                          damage_below(random, 8),
                          8 + damage_below(random, 8),
                          damage_below(random, header),
                          header,
                          header + damage_below(random, sizeof(tn_trace_chunk)),
                          damage_below(random, size),
                          damage_below(random, size),
                          size - 1};
  return sizes[damage_below(random, sizeof sizes / sizeof *sizes)];
}

static inline void
damage_once(uint64_t *random, damage_file *f)
{
  const size_t at = damage_below(random, f->size);
  const size_t most = f->size - at < DAMAGE_SLACK ? f->size - at : DAMAGE_SLACK;
  const size_t some = 1 + damage_below(random, most);
  const size_t from = damage_below(random, f->size - some + 1);
  static const uint64_t odd[] = {0, 1, 0x7f, 0xff, UINT32_MAX, UINT64_MAX};
  switch (damage_below(random, 8)) {
  case 0: f->size = damage_cut(random, f->size); break;
  case 1: f->data[at] ^= (unsigned char)(1u << damage_below(random, 8)); break;
  case 2: f->data[at] = (unsigned char)test_random(random); break;
  case 3: memset(f->data + at, (int)odd[damage_below(random, 4)], some); break;
  case 4: memmove(f->data + at, f->data + from, some); break;
  case 5:
    memmove(f->data + at, f->data + at + some, f->size - at - some);
    f->size -= some;
    break;
  case 6: memcpy(f->data + at / 8 * 8, &odd[damage_below(random, 6)], 8); break;
  default: f->data[damage_below(random, 200) % f->size] ^= 0x81; break;
  }
}

static inline uint64_t
damage_count(const char *path, char *problem, size_t size)
{
  tni_trace *t;
  tni_trace_event e;
  uint64_t count = 0;
  if (tni_trace_open(path, &t, problem, size) != TN_OK)
    return 0;
  while (tni_trace_next(t, &e))
    count += e.kind <= TNI_TRACE_RESIZE;
  tni_trace_close(t);
  return count;
}

/* Read what the file is now, as `tenure report` does. */
static inline bool
damage_read(const damage_file *f)
{
  char problem[256] = "";
  tni_analysis *a;
  (void)alarm(DAMAGE_SECONDS);
  if (tni_analysis_open(&a, f->path, NULL, problem, sizeof problem) != TN_OK) {
    TEST(problem[0] != '\0' && strchr(problem, '\n') == NULL);
    return false;
  }
  const char *const said = tni_trace_problem(a->trace);
  TEST(said == NULL || strchr(said, '\n') == NULL);
  tni_advices advices;
  tni_advices_init(&advices, a, NULL, NULL);
  char *text = NULL;
  size_t size = 0;
  FILE *const to = open_memstream(&text, &size);
  tni_report_write_text(to, a, &advices);
  tni_report_write_json(to, a, &advices);
  fclose(to);
  TEST(size != 0);
  free(text);
  tni_advices_fini(&advices);
  tni_analysis_close(a);
  return true;
}

/* A cut loses no record that is wholly before it in its thread's chunk. */
static inline void
damage_test_cuts(damage_file *f, size_t step)
{
  char problem[256];
  const size_t whole = f->size;
  damage_write(f);
  uint64_t before = damage_count(f->path, problem, sizeof problem);
  TEST(before > DAMAGE_EVENTS);
  while (f->size > step) {
    f->size -= step;
    damage_write(f);
    const uint64_t count = damage_count(f->path, problem, sizeof problem);
    TEST(count <= before && count + step >= before);
    before = count;
  }
  f->size = whole;
}

static inline void
damage_test(uint64_t *random, unsigned rounds)
{
  unsigned read = 0;
  damage_file whole = damage_begin(random);
  TEST(damage_read(&whole));
  damage_test_cuts(&whole, 97);
  damage_file f = whole;
  f.data = malloc(whole.size + DAMAGE_SLACK);
  for (unsigned i = 0; i < rounds; i++) {
    f.size = whole.size;
    memcpy(f.data, whole.data, whole.size);
    for (unsigned n = 1 + i % 4; n != 0 && f.size > 8; n--)
      damage_once(random, &f);
    damage_write(&f);
    read += damage_read(&f);
  }
  TEST(read > rounds / 2 && read < rounds);
  unlink(f.path);
  free(f.data);
  free(whole.data);
}

#endif
