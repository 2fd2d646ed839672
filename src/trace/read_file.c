/* read_file.c -- where the sections and chunks of a trace are; see read.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "trace/read.h"

enum {
  READ_BLOCK = 1 << 16,
  READ_SCAN = 1 << 13,
};

void
tni_read_complain(tni_trace *t, const char *format, ...)
{
  if (t->problem[0] != '\0')
    return;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(t->problem, sizeof t->problem, format, args);
  va_end(args);
}

bool
tni_read_bytes(tni_trace *t, uint64_t offset, void *to, size_t size)
{
  char *p = to;
  while (size != 0) {
    const ssize_t got = pread(t->file, p, size, (off_t)offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    p += got;
    offset += (uint64_t)got;
    size -= (size_t)got;
  }
  return true;
}

/* The next offset in [from, end) at which a chunk of the section or any section
 * begins; end when there is none.  *blank: only zeros were passed. */
static uint64_t  // [trace.rest]
read_resync(tni_trace *t, uint64_t from, uint64_t end, bool *blank)
{
  uint64_t words[READ_SCAN / 8];
  *blank = true;
  while (from < end) {
    /* A recorder's file is 64 GiB, nearly all of it a hole. */
    const off_t data = *blank ? lseek(t->file, (off_t)from, SEEK_DATA) : -1;
    if (data < 0 && *blank && errno == ENXIO)
      return end;
    if (data > (off_t)from)
      from = (uint64_t)data & ~UINT64_C(7);
    if (from >= end)
      return end;
    const uint64_t left = end - from;
    const size_t size =
        left < READ_SCAN ? (size_t)left & ~(size_t)7 : READ_SCAN;
    if (size == 0 || !tni_read_bytes(t, from, words, size))
      return end;
    for (size_t i = 0; i < size / 8; i++) {
      if ((uint32_t)words[i] == TN_TRACE_CHUNK_MAGIC ||
          words[i] == TN_TRACE_MAGIC)
        return from + i * 8;
      if (words[i] != 0)
        *blank = false;
    }
    from += size;
  }
  return end;
}

static bool
read_chunk_is_sound(const tn_trace_chunk *c, const read_section *s)
{
  return c->magic == TN_TRACE_CHUNK_MAGIC && c->section == s->header.section &&
         c->size >= sizeof *c && c->size <= READ_CHUNK_MOST &&
         c->size % 8 == 0 && c->tick_log2 < 32 && c->thread < 1u << 24 &&
         (c->kind == TN_TRACE_CHUNK_EVENTS || c->kind == TN_TRACE_CHUNK_TABLES);
}

/* Note what is wrong with the chunk c at *at, and go on to where the next one
 * may be: the size of what lies between. */
static uint32_t
read_skip(tni_trace *t, const tn_trace_chunk *c, uint64_t *at, uint64_t end)
{
  bool blank;
  const uint64_t damaged = *at;
  *at = read_resync(t, damaged + 8, end, &blank);
  if (c->magic == TN_TRACE_CHUNK_MAGIC && c->size > end - damaged)
    tni_read_complain(t, "the file ends in the middle of a chunk");
  else if (c->magic != 0 || !blank)
    tni_read_complain(t, "damaged at byte %llu", (unsigned long long)damaged);
  return *at - damaged < c->size ? (uint32_t)(*at - damaged) : c->size;
}

/* Note the chunks of section i, from its header to its end.  Of a chunk that is
 * cut, what is there: its records are read up to the cut. */
static tn_status
read_chunks(tni_trace *t, uint32_t i)
{
  read_section *const s = read_section_at(t, i);
  uint64_t at = s->offset + s->header.header_size;
  while (at + sizeof(tn_trace_chunk) <= s->end) {
    tn_trace_chunk c;
    const uint64_t begin = at;
    if (!tni_read_bytes(t, at, &c, sizeof c))
      break;
    const bool sound = read_chunk_is_sound(&c, s);
    if (sound && c.size <= s->end - at)
      at += c.size;
    else
      c.size = read_skip(t, &c, &at, s->end);
    if (!sound || c.size < sizeof c)
      continue;
    read_chunk *const chunk = tni_read_push(&t->chunks, sizeof *chunk);
    if (chunk == NULL)
      return TN_ENOMEM;
    *chunk = (read_chunk){begin,  c.start_tick, c.size,     i,
                          c.kind, c.thread,     c.sequence, c.tick_log2};
  }
  return TN_OK;
}

/* Read the section at offset; *next is where another may be. */
static tn_status
read_one_section(tni_trace *t, uint64_t offset, uint64_t *next)
{
  tn_trace_section header;
  *next = t->size;
  if (!tni_read_bytes(t, offset, &header, sizeof header)) {
    tni_read_complain(t, "the file ends in the middle of a header");
    return TN_OK;
  }
  bool blank;
  if (header.magic == 0 && read_resync(t, offset, t->size, &blank) == t->size &&
      blank)
    return TN_OK;
  if (header.magic != TN_TRACE_MAGIC || header.version != TN_TRACE_VERSION ||
      header.header_size < sizeof header || header.header_size > READ_BLOCK ||
      header.header_size % 8 != 0) {
    tni_read_complain(t, "damaged at byte %llu", (unsigned long long)offset);
    *next = read_resync(t, offset + 8, t->size, &blank);
    return TN_OK;
  }
  uint64_t end = offset + header.size;
  if (header.size < header.header_size || end > t->size || end < offset) {
    tni_read_complain(t, "the file ends before its last chunk");
    end = t->size;
  }
  read_section *const s = tni_read_pages(sizeof *s);
  read_section **const slot =
      s ? tni_read_push(&t->sections, sizeof(void *)) : NULL;
  if (slot == NULL) {
    tni_read_unpages(s, sizeof *s);
    return TN_ENOMEM;
  }
  *slot = s;
  s->header = header;
  s->offset = offset;
  s->end = *next = end;
  return read_chunks(t, (uint32_t)t->sections.count - 1);
}

tn_status
tni_read_index(tni_trace *t, char *problem, size_t size)
{
  uint64_t head[2] = {0};
  if (!tni_read_bytes(t, 0, head, sizeof head) || head[0] != TN_TRACE_MAGIC) {
    (void)snprintf(problem, size, t->size ? "is not a trace" : "is empty");
    return TN_EINVAL;
  }
  if ((uint32_t)head[1] > TN_TRACE_VERSION) {
    (void)snprintf(problem, size,
                   "is of version %u of the format; this reads up to %u",
                   (unsigned)head[1], TN_TRACE_VERSION);
    return TN_ENOTSUP;
  }
  tn_status status = TN_OK;
  for (uint64_t at = 0; status == TN_OK && at < t->size;)
    status = read_one_section(t, at, &at);
  if (status == TN_OK && t->sections.count == 0) {
    (void)snprintf(problem, size, "has a damaged header and nothing after it");
    status = TN_EINVAL;
  }
  return status;
}
