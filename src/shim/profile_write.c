/* profile_write.c -- profile.proto in gzip; see profile.h
 *
 * For signal handlers: no lock, no allocation, system calls only.  gzip is what
 * readers expect; its blocks are stored, not packed.
 *
 * Source  RFC 1951, 1952.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "record/record.h"
#include "shim/profile.h"

/* Numbers of strings; behind them the files of mappings. */
enum {
  WRITE_NOTHING,
  WRITE_ALLOC_OBJECTS,
  WRITE_COUNT,
  WRITE_ALLOC_SPACE,
  WRITE_BYTES,
  WRITE_INUSE_OBJECTS,
  WRITE_INUSE_SPACE,
  WRITE_SPACE,
  WRITE_FILES,
};
static const char *const write_strings[WRITE_FILES] = {
    "",      "alloc_objects", "count",       "alloc_space",
    "bytes", "inuse_objects", "inuse_space", "space",
};

#define WRITE_MAPS TNI_MIB(1)  // of /proc/self/maps, and of what is found there

/* Code that is mapped. */
typedef struct write_mapping {
  uintptr_t start;
  uintptr_t end;
  uintptr_t offset;
  const char *file;  // not ended by a NUL
  size_t length;
} write_mapping;

/* One writer at a time has all this. */
static struct {
  _Atomic uint32_t is_busy;  // atomic: acquire, release
  uint32_t written;          // profiles so far
  int fd;
  bool is_wrong;
  uint32_t crcs[256];  // of each byte
  uint32_t crc;
  uint32_t size;
  size_t used;
  unsigned char block[4096];
  tni_proto message;
  unsigned char room[1024];  // the longest has 64 places and 4 values
  write_mapping *mappings;
  size_t count;
} write_state;

/* ---- gzip ------------------------------------------------------------------------ */

static void
write_raw(const void *data, size_t size)
{
  const unsigned char *at = data;
  while (size > 0 && !write_state.is_wrong) {
    const long n = tni_record_call(SYS_write, write_state.fd, (long)at,
                                   (long)size, 0, 0, 0);
    if (n > 0) {
      at += n;
      size -= (size_t)n;
    } else if (n != -EINTR) {
      write_state.is_wrong = true;
    }
  }
}

static void
write_little(uint32_t value, unsigned bytes)
{
  unsigned char out[4];
  for (unsigned i = 0; i < bytes; i++)
    out[i] = (unsigned char)(value >> 8 * i);
  write_raw(out, bytes);
}

/* End a stored block. */
static void
write_block(bool is_last)
{
  const uint32_t used = (uint32_t)write_state.used;
  write_little(is_last, 1);
  write_little(used, 2);
  write_little(~used, 2);
  write_raw(write_state.block, used);
  write_state.used = 0;
}

/* Of the reflected polynomial 0xedb88320, a byte at a time: first of single
 * bits, then of their sums. */
static void
write_make_crcs(void)
{
  uint32_t *const crcs = write_state.crcs;
  crcs[128] = 0xedb88320;
  for (size_t i = 64; i > 0; i /= 2)
    crcs[i] = crcs[2 * i] >> 1 ^ (crcs[2 * i] & 1 ? crcs[128] : 0);
  for (size_t i = 1; i < 256; i++)
    crcs[i] = crcs[i & (i - 1)] ^ crcs[i & -i];
}

static uint32_t
write_crc(uint32_t crc, const unsigned char *data, size_t size)
{
  crc = ~crc;
  for (size_t i = 0; i < size; i++)
    crc = write_state.crcs[(crc ^ data[i]) & 255] ^ crc >> 8;
  return ~crc;
}

static void
write_bytes(const void *data, size_t size)
{
  const unsigned char *at = data;
  write_state.crc = write_crc(write_state.crc, at, size);
  write_state.size += (uint32_t)size;
  while (size > 0) {
    const size_t room = sizeof write_state.block - write_state.used;
    const size_t n = tni_min(size, room);
    memcpy(write_state.block + write_state.used, at, n);
    write_state.used += n;
    at += n;
    size -= n;
    if (write_state.used == sizeof write_state.block)
      write_block(false);
  }
}

/* ---- profile.proto ------------------------------------------------------------------ */

/* A field of the profile that is a text or a message. */
static void
write_text(unsigned field, const void *text, size_t size)
{
  unsigned char head[TNI_PROTO_HEAD];
  write_bytes(head, tni_proto_head(head, field, size));
  write_bytes(text, size);
}

/* A field that is a number. */
static void
write_number(unsigned field, uint64_t value)
{
  tni_proto_number(&write_state.message, field, value);
  write_bytes(write_state.room, write_state.message.size);
  write_state.message.size = 0;
}

/* The message, whole now. */
static void
write_message(unsigned field)
{
  write_text(field, write_state.room, write_state.message.size);
  write_state.message.size = 0;
}

static void
write_type(unsigned field, unsigned type, unsigned unit)
{
  tni_proto_number(&write_state.message, 1, type);
  tni_proto_number(&write_state.message, 2, unit);
  write_message(field);
}

static void
write_sample(const tni_profile_site *site)
{
  uint64_t values[4];
  uint64_t places[TNI_PROFILE_DEPTH];
  const int64_t freed[2] = {tni_load_relaxed(&site->blocks[1]),
                            tni_load_relaxed(&site->bytes[1])};
  const int64_t blocks = tni_load_relaxed(&site->blocks[0]);
  const int64_t bytes = tni_load_relaxed(&site->bytes[0]);
  const int64_t half = (int64_t)TNI_PROFILE_UNIT / 2;
  const int64_t unit = (int64_t)TNI_PROFILE_UNIT;
  values[0] = (uint64_t)((blocks + half) / unit);
  values[1] = (uint64_t)bytes;
  values[2] = (uint64_t)((blocks - freed[0] + half) / unit);
  values[3] = (uint64_t)(bytes - freed[1]);
  for (unsigned i = 0; i < site->depth; i++)
    places[i] = site->place[i]->number;
  tni_proto_packed(&write_state.message, 1, places, site->depth);
  tni_proto_packed(&write_state.message, 2, values, 4);
  write_message(TNI_PROFILE_SAMPLE);
}

static void
write_place(const tni_profile_place *place)
{
  tni_proto_number(&write_state.message, 1, place->number);
  for (size_t i = 0; i < write_state.count; i++)
    if (place->pc >= write_state.mappings[i].start &&
        place->pc < write_state.mappings[i].end)
      tni_proto_number(&write_state.message, 2, i + 1);
  tni_proto_number(&write_state.message, 3, place->pc);
  write_message(TNI_PROFILE_LOCATION);
}

/* ---- Mappings ------------------------------------------------------------------------- */

/* A line of /proc/self/maps: start-end rwxp offset device inode file; whether
 * it is code of a file. */
static bool
write_parse_map(const char *line, const char *end, write_mapping *out)
{
  out->start = tni_record_hex(&line);
  line++;
  out->end = tni_record_hex(&line);
  const bool is_code = end - line > 4 && line[3] == 'x';
  line = memchr(line + 1, ' ', (size_t)(end - line - 1));
  if (!is_code || !line)
    return false;
  line++;
  out->offset = tni_record_hex(&line);
  out->file = memchr(line, '/', (size_t)(end - line));
  out->length = out->file ? (size_t)(end - out->file) : 0;
  return out->file != NULL;
}

static void
write_find_mappings(char *text)
{
  const size_t size = tni_record_read_file("/proc/self/maps", text, WRITE_MAPS);
  const char *line = text;
  const char *end;
  write_state.mappings = (write_mapping *)(void *)(text + WRITE_MAPS);
  write_state.count = 0;
  while ((end = memchr(line, '\n', size - (size_t)(line - text))) != NULL) {
    if (write_state.count < WRITE_MAPS / sizeof(write_mapping) &&
        write_parse_map(line, end, &write_state.mappings[write_state.count]))
      write_state.count++;
    line = end + 1;
  }
}

static void
write_mappings(void)
{
  for (size_t i = 0; i < write_state.count; i++) {
    const write_mapping *const m = &write_state.mappings[i];
    tni_proto_number(&write_state.message, 1, i + 1);
    tni_proto_number(&write_state.message, 2, m->start);
    tni_proto_number(&write_state.message, 3, m->end);
    tni_proto_number(&write_state.message, 4, m->offset);
    tni_proto_number(&write_state.message, 5, WRITE_FILES + i);
    write_message(TNI_PROFILE_MAPPING);
  }
}

/* ---- The profile ---------------------------------------------------------------------- */

static void
write_profile(void)
{
  write_type(TNI_PROFILE_SAMPLE_TYPE, WRITE_ALLOC_OBJECTS, WRITE_COUNT);
  write_type(TNI_PROFILE_SAMPLE_TYPE, WRITE_ALLOC_SPACE, WRITE_BYTES);
  write_type(TNI_PROFILE_SAMPLE_TYPE, WRITE_INUSE_OBJECTS, WRITE_COUNT);
  write_type(TNI_PROFILE_SAMPLE_TYPE, WRITE_INUSE_SPACE, WRITE_BYTES);
  write_type(TNI_PROFILE_PERIOD_TYPE, WRITE_SPACE, WRITE_BYTES);
  write_number(TNI_PROFILE_PERIOD, tni_window_rate);
  write_number(TNI_PROFILE_TIME, tni_record_ns(CLOCK_REALTIME));
  write_number(TNI_PROFILE_DEFAULT_TYPE, WRITE_INUSE_SPACE);
  /* Pair with the releases of who adds: a site's places are seen. */
  for (const tni_profile_site *site = tni_load_acquire(&tni_profile_sites);
       site; site = site->older)
    write_sample(site);
  write_mappings();
  for (const tni_profile_place *at = tni_load_acquire(&tni_profile_places); at;
       at = at->older)
    write_place(at);
  for (unsigned i = 0; i < WRITE_FILES; i++)
    write_text(TNI_PROFILE_STRING, write_strings[i], strlen(write_strings[i]));
  for (size_t i = 0; i < write_state.count; i++)
    write_text(TNI_PROFILE_STRING, write_state.mappings[i].file,
               write_state.mappings[i].length);
}

static bool
write_file(const char *prefix)
{
  static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
  static char path[4200];
  (void)tni_format(path, sizeof path, "%s.%u.%u.pb.gz", prefix,
                   (unsigned)tni_record_call(SYS_getpid, 0, 0, 0, 0, 0, 0),
                   write_state.written++);
  char *const text = tni_record_inherited_pages(2 * WRITE_MAPS);
  if (!text)
    return false;
  write_state.fd = tni_record_open(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_state.is_wrong = write_state.fd < 0;
  write_state.crc = write_state.size = 0;
  write_state.message =
      (tni_proto){.data = write_state.room, .room = sizeof write_state.room};
  if (!write_state.is_wrong) {
    write_make_crcs();
    write_find_mappings(text);
    write_raw(head, sizeof head);
    write_profile();
    write_block(true);
    write_little(write_state.crc, 4);
    write_little(write_state.size, 4);
    tni_record_close(write_state.fd);
  }
  tni_record_unpages(text, 2 * WRITE_MAPS);
  return !write_state.is_wrong;
}

bool
tni_profile_write(const char *prefix)
{
  uint32_t is_busy = 0;
  if (!tni_cas_acq_rel(&write_state.is_busy, &is_busy, 1))
    return false;
  const bool ok = write_file(prefix);
  tni_store_release(&write_state.is_busy, 0);
  return ok;
}
