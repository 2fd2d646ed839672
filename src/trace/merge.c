/* merge.c -- see merge.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "trace/merge.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  MERGE_CHUNK = 1 << 20,  // bytes of the largest chunk
  MERGE_PATH = 4096 + 64,
  MERGE_TAIL = 24,  // zeros that may belong to a chunk's last record
};

typedef struct merge_section {
  tn_trace_section header;
  char name[64];
} merge_section;

typedef struct merge_list {
  merge_section *items;
  size_t count;
} merge_list;

static int
merge_compare(const void *a, const void *b)
{
  const tn_trace_section *const x = &((const merge_section *)a)->header;
  const tn_trace_section *const y = &((const merge_section *)b)->header;
  if (x->start_ns != y->start_ns)
    return x->start_ns < y->start_ns ? -1 : 1;
  return x->section < y->section ? -1 : x->section > y->section;
}

static bool
merge_is_section(const char *name)
{
  const size_t length = strlen(name);
  return length > 5 && length < sizeof((merge_section *)0)->name &&
         strcmp(name + length - 5, ".part") == 0;
}

/* The headers of all sections in the folder, by time. */
static tn_status
merge_list_sections(const char *folder, merge_list *list)
{
  DIR *const dir = opendir(folder);
  *list = (merge_list){0};
  if (dir == NULL)
    return TN_ENOENT;
  tn_status status = TN_OK;
  const struct dirent *entry;
  while (status == TN_OK && (entry = readdir(dir)) != NULL) {
    merge_section s = {0};
    if (!merge_is_section(entry->d_name))
      continue;
    const int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &s.header, sizeof s.header) != sizeof s.header)
      s.header.magic = 0;
    if (fd >= 0)
      (void)close(fd);
    if (s.header.magic != TN_TRACE_MAGIC)
      continue;
    merge_section *const more =
        realloc(list->items, (list->count + 1) * sizeof *more);
    if (more == NULL) {
      status = TN_ENOMEM;
      continue;
    }
    memcpy(s.name, entry->d_name, strlen(entry->d_name) + 1);
    list->items = more;
    more[list->count++] = s;
  }
  (void)closedir(dir);
  if (list->count > 1)
    qsort(list->items, list->count, sizeof *list->items, merge_compare);
  return status;
}

tn_status
tni_merge_look(const char *folder, tni_merge_state *state)
{
  merge_list list;
  const tn_status status = merge_list_sections(folder, &list);
  *state = (tni_merge_state){.sections = list.count};
  for (size_t i = 0; i < list.count; i++) {
    const tn_trace_section *const h = &list.items[i].header;
    state->bytes += h->size;
    state->lost += h->lost;
    state->dumps += h->dumps;
    state->alive +=
        h->ending == TN_TRACE_CUT_OFF && kill((pid_t)h->pid, 0) == 0;
    state->marking += h->marker != 0 && kill((pid_t)h->marker, 0) == 0;
  }
  free(list.items);
  return status;
}

static bool
merge_write_wish(const char *folder, const char *name, int flags, off_t at,
                 uint32_t wish)
{
  char path[MERGE_PATH];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
  const bool ok = fd >= 0 && pwrite(fd, &wish, sizeof wish, at) == sizeof wish;
  if (fd >= 0)
    (void)close(fd);
  return ok;
}

/* First for those to come: they look after their section can be seen. */
tn_status
tni_merge_wish(const char *folder, uint32_t wish)
{
  merge_list list;
  if (!merge_write_wish(folder, TN_TRACE_WISH_FILE, O_CREAT, 0, wish))
    return TN_EIO;
  const tn_status status = merge_list_sections(folder, &list);
  for (size_t i = 0; i < list.count; i++)
    (void)merge_write_wish(folder, list.items[i].name, 0,
                           offsetof(tn_trace_section, wish), wish);
  free(list.items);
  return status;
}

/* A section that began a program has the last one of the same process before
 * it as its parent (exec), or the last one of its parent process (spawn). */
static void
merge_find_parents(const merge_list *list)
{
  for (size_t i = 1; i < list->count; i++) {
    tn_trace_section *const s = &list->items[i].header;
    for (size_t j = i; j-- != 0 && s->parent == 0;) {
      const tn_trace_section *const before = &list->items[j].header;
      if (before->pid == s->pid) {
        s->parent = before->section;
        s->origin = TN_TRACE_EXECED;
      }
    }
    for (size_t j = i; j-- != 0 && s->parent == 0;)
      if (list->items[j].header.pid == s->parent_pid)
        s->parent = list->items[j].header.section;
  }
}

/* ---- Copying ----------------------------------------------------------------------- */

/* Bytes of a chunk that are used, as a multiple of 8. */
static uint32_t
merge_used(const unsigned char *chunk, uint32_t size)
{
  uint32_t used = size;
  while (used > sizeof(tn_trace_chunk) && chunk[used - 1] == 0)
    used--;
  used = (used + MERGE_TAIL + 7) / 8 * 8;
  return used < size ? used : size;
}

static bool
merge_copy_chunks(const tn_trace_section *h, int from, FILE *to,
                  unsigned char *chunk, uint64_t *size)
{
  uint64_t at = h->header_size;
  while (at + sizeof(tn_trace_chunk) <= h->size) {
    tn_trace_chunk c;
    if (pread(from, &c, sizeof c, (off_t)at) != sizeof c)
      break;
    if (c.magic != TN_TRACE_CHUNK_MAGIC || c.size < sizeof c ||
        c.size > MERGE_CHUNK || c.section != h->section) {
      at += 4096;  // claimed, and not begun
      continue;
    }
    if (pread(from, chunk, c.size, (off_t)at) != (ssize_t)c.size)
      break;
    at += c.size;
    const uint32_t used = merge_used(chunk, c.size);
    ((tn_trace_chunk *)(void *)chunk)->size = used;
    if (fwrite(chunk, 1, used, to) != used)
      return false;
    *size += used;
  }
  return true;
}

static tn_status
merge_copy(const char *folder, const merge_section *s, FILE *to,
           unsigned char *chunk)
{
  char path[MERGE_PATH];
  (void)snprintf(path, sizeof path, "%s/%s", folder, s->name);
  const int from = open(path, O_RDONLY | O_CLOEXEC);
  if (from < 0)
    return TN_EIO;
  static const unsigned char zeros[TN_TRACE_HEADER];
  const long start = ftell(to);
  uint64_t size = TN_TRACE_HEADER;
  tn_trace_section header = s->header;
  bool ok = fwrite(zeros, 1, sizeof zeros, to) == sizeof zeros &&
            merge_copy_chunks(&s->header, from, to, chunk, &size);
  header.size = size;
  ok = ok && fseek(to, start, SEEK_SET) == 0 &&
       fwrite(&header, 1, sizeof header, to) == sizeof header &&
       fseek(to, 0, SEEK_END) == 0;
  (void)close(from);
  return ok ? TN_OK : TN_EIO;
}

/* Remove the sections, also those that never began, and the wish. */
static void
merge_remove(const char *folder)
{
  DIR *const dir = opendir(folder);
  const struct dirent *entry;
  while (dir != NULL && (entry = readdir(dir)) != NULL)
    if (merge_is_section(entry->d_name) ||
        strcmp(entry->d_name, TN_TRACE_WISH_FILE) == 0)
      (void)unlinkat(dirfd(dir), entry->d_name, 0);
  if (dir != NULL)
    (void)closedir(dir);
}

tn_status
tni_merge(const char *folder, const char *path, uint32_t pid,
          tn_trace_ending ending, int status, bool is_running)
{
  merge_list list;
  tn_status result = merge_list_sections(folder, &list);
  unsigned char *const chunk = malloc(MERGE_CHUNK);
  FILE *to = NULL;
  if (result == TN_OK && list.count == 0)
    result = TN_ENOENT;
  if (result == TN_OK && chunk == NULL)
    result = TN_ENOMEM;
  if (result == TN_OK && (to = fopen(path, "wbe")) == NULL)
    result = TN_EIO;
  if (result == TN_OK)
    merge_find_parents(&list);
  for (size_t i = 0; result == TN_OK && i < list.count; i++) {
    tn_trace_section *const h = &list.items[i].header;
    if (h->pid == pid && h->ending != TN_TRACE_REPLACED) {
      h->ending = ending;
      h->status = (uint32_t)status;
    }
    result = merge_copy(folder, &list.items[i], to, chunk);
  }
  if (to != NULL && fclose(to) != 0)
    result = TN_EIO;
  if (to != NULL && result != TN_OK)
    (void)unlink(path);
  if (!is_running && (result == TN_OK || result == TN_ENOENT))
    merge_remove(folder);
  free(chunk);
  free(list.items);
  return result;
}
