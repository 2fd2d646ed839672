/* file.c -- the section's file, mapped once; see record.h
 *
 * The mapping is far larger than the file needs to be and the file is sparse,
 * so that a chunk is claimed by one atomic addition.  `tenure run` cuts off
 * what was not used.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "record/record.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { FILE_SMALLEST = 1 << 24 };
#define FILE_LARGEST ((size_t)1 << 36)

static char *
file_put_number(char *p, uint64_t v)
{
  char digits[20];
  unsigned n = 0;
  do
    digits[n++] = (char)('0' + v % 10);
  while ((v /= 10) != 0);
  while (n != 0)
    *p++ = digits[--n];
  return p;
}

/* DIRECTORY/PID.N.part, the first N that is free. */
static int
file_create(uint32_t pid)
{
  char path[sizeof tni_record.path];
  const size_t length = strlen(tni_record.directory);
  memcpy(path, tni_record.directory, length);
  for (unsigned n = 0; n < 10000; n++) {
    char *p = path + length;
    *p++ = '/';
    p = file_put_number(p, pid);
    *p++ = '.';
    p = file_put_number(p, n);
    memcpy(p, ".part", sizeof ".part");
    const int fd = tni_record_open(path, O_RDWR | O_CREAT | O_EXCL);
    if (fd == -17)  // EEXIST
      continue;
    memcpy(tni_record.path, path, sizeof tni_record.path);
    return fd;
  }
  return -1;
}

/* Map as much as the limits of the process and the file system allow. */
static bool
file_map(int fd)
{
  struct rlimit limit = {0};
  size_t most = FILE_LARGEST;
  if (tni_record_call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) ==
          0 &&
      limit.rlim_cur < most)
    most = (size_t)limit.rlim_cur & ~(size_t)4095;
  for (size_t size = FILE_LARGEST; size >= FILE_SMALLEST; size /= 4) {
    const size_t bytes = size < most ? size : most;
    if (bytes == 0 ||
        tni_record_call(SYS_ftruncate, fd, (long)bytes, 0, 0, 0, 0) != 0)
      continue;
    const long p =
        tni_record_call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (p < 0 && p > -4096)
      continue;
    (void)tni_record_call(SYS_madvise, p, (long)bytes, MADV_DONTFORK, 0, 0, 0);
    (void)tni_record_call(SYS_madvise, p, (long)bytes, MADV_DONTDUMP, 0, 0, 0);
    tni_record.base = (unsigned char *)p;
    tni_record.room = bytes;
    return true;
  }
  return false;
}

/* Make the pages at p writable now; false: the disk is full. */
static bool
file_populate(void *p, size_t size)
{
  const long got = tni_record_call(SYS_madvise, (long)p, (long)size,
                                   MADV_POPULATE_WRITE, 0, 0, 0);
  return got == 0 || got == -22;  // EINVAL: a kernel that cannot
}

/* [record.child] */
bool
tni_record_create_file(void)
{
  record_process *const r = &tni_record;
  const uint64_t parent = r->section;
  r->header = NULL;
  const int fd = file_create(r->pid);
  if (fd < 0)
    return false;
  const bool is_mapped = file_map(fd);
  tni_record_close(fd);
  if (!is_mapped || !file_populate(r->base, TN_TRACE_HEADER))
    return false;
  tn_trace_section *const h = (tn_trace_section *)(void *)r->base;
  const uint64_t ns = tni_record_ns(CLOCK_MONOTONIC);
  *h = (tn_trace_section){
      .version = TN_TRACE_VERSION,
      .header_size = TN_TRACE_HEADER,
      .section = (ns << 22) ^ r->pid,
      .parent = parent,
      .size = TN_TRACE_HEADER,
      .pid = r->pid,
      .parent_pid = (uint32_t)tni_record_call(SYS_getppid, 0, 0, 0, 0, 0, 0),
      .origin = parent ? TN_TRACE_FORKED : TN_TRACE_STARTED,
      .ending = TN_TRACE_CUT_OFF,
      .mode = r->mode,
      .rate = r->rate,
      .depth = r->depth,
      .free_depth = r->free_depth,
      .start_tick = record_ticks(),
      .start_ns = ns,
      .last_ns = ns,
      .wall_ns = tni_record_ns(CLOCK_REALTIME),
  };
  h->last_tick = h->start_tick;
  r->section = h->section;
  __atomic_signal_fence(__ATOMIC_RELEASE);
  h->magic = TN_TRACE_MAGIC;
  r->header = h;
  return true;
}

uint8_t *
tni_record_claim(size_t size)
{
  record_process *const r = &tni_record;
  if (r->header == NULL)
    return NULL;
  const uint64_t at =
      __atomic_fetch_add(&r->header->size, size, __ATOMIC_RELAXED);
  if (at + size > r->room || !file_populate(r->base + at, size)) {
    if (tni_record_is_on)
      tni_record_say("the trace cannot grow; nothing is recorded from here on");
    tni_record_is_on = false;
    __atomic_fetch_sub(&r->header->size, size, __ATOMIC_RELAXED);
    return NULL;
  }
  return r->base + at;
}

void
tni_record_begin_chunk(uint8_t *chunk, size_t size, uint32_t kind,
                       uint32_t thread, uint32_t sequence, unsigned tick_log2,
                       uint64_t tick)
{
  tn_trace_chunk *const c = (tn_trace_chunk *)(void *)chunk;
  *c = (tn_trace_chunk){
      .size = (uint32_t)size,
      .section = tni_record.section,
      .kind = kind,
      .thread = thread,
      .sequence = sequence,
      .tick_log2 = tick_log2,
      .start_tick = tick,
  };
  __atomic_signal_fence(__ATOMIC_RELEASE);
  c->magic = TN_TRACE_CHUNK_MAGIC;
}

void
tni_record_touch_clock(void)
{
  tn_trace_section *const h = tni_record.header;
  if (h == NULL)
    return;
  h->last_ns = tni_record_ns(CLOCK_MONOTONIC);
  h->last_tick = record_ticks();
}
