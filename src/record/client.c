/* client.c -- what a program says of itself through <tenure/record.h>
 *
 * SPDX-License-Identifier: MIT
 */
#include <tenure/record.h>

#include "record/record.h"

/* The caller's stack, as the first field of a record. */
#define CLIENT_WHERE(t)                                                        \
  tni_record_where(t, RECORD_SLOT, RECORD_BP, TN_TRACE_API_CLIENT,             \
                   tni_record.depth)

/* Write a record with the caller's stack and these fields. */
#define CLIENT_SAY(kind, ...)                                                  \
  do {                                                                         \
    record_thread *const t = tni_record_enter(RECORD_SLOT);                    \
    if (t != NULL) {                                                           \
      const uint64_t fields[] = {CLIENT_WHERE(t), __VA_ARGS__};                \
      tni_record_other(t, kind, fields, sizeof fields / sizeof *fields);       \
      tni_record_leave(t);                                                     \
    }                                                                          \
  } while (0)

/* What a watcher wished before and was not obeyed yet is out of date. */
void
tni_client_switch(bool on)
{
  const bool is_started = tni_record_start();
  if (!on)
    tni_record_dump_tallies();
  if (is_started)
    tni_record_hear(
        __atomic_load_n(&tni_record.header->wish, __ATOMIC_RELAXED));
  tni_record_is_on = on;
}

void
tni_client_dump(void)
{
  (void)tni_record_start();
  tni_record_dump_tallies();
  if (tni_record_is_mine())
    __atomic_fetch_add(&tni_record.header->dumps, 1, __ATOMIC_RELAXED);
}

bool
tni_client_is_on(void)
{
  return tni_record_start() && tni_record_check_on();
}

void
tni_client_mark(const char *text)
{
  CLIENT_SAY(TN_TRACE_MARK, tni_record_add_text(text));
}

void
tni_client_pool_open(const void *pool, const char *name, const void *parent)
{
  CLIENT_SAY(TN_TRACE_POOL_OPEN, (uintptr_t)pool, tni_record_add_text(name),
             (uintptr_t)parent);
}

void
tni_client_pool_close(const void *pool)
{
  CLIENT_SAY(TN_TRACE_POOL_CLOSE, (uintptr_t)pool);
}

void
tni_client_pool_reset(const void *pool)
{
  CLIENT_SAY(TN_TRACE_POOL_RESET, (uintptr_t)pool);
}

void
tni_client_pool_alloc(const void *pool, const void *block, size_t size)
{
  CLIENT_SAY(TN_TRACE_POOL_ALLOC, (uintptr_t)pool, (uintptr_t)block, size);
}

void
tni_client_pool_free(const void *pool, const void *block)
{
  CLIENT_SAY(TN_TRACE_POOL_FREE, (uintptr_t)pool, (uintptr_t)block);
}
