/* record.h -- talk to the recorder of `tenure run`, if there is one
 *
 * Start and stop recording, ask for a report, mark moments, and say what your
 * own arenas and pools do: their blocks then appear in the report as any other.
 * A program that calls these needs no library: without a recorder each is a
 * test of a weak symbol, and nothing happens.
 *
 *     tn_record_pool_open(pool, "nodes", NULL);
 *     tn_record_pool_alloc(pool, p, size);
 *     ...
 *     tn_record_pool_close(pool);
 *
 * From outside: `tenure run --signals` reports at SIGUSR1, and stops and starts
 * recording at SIGUSR2.
 *
 * Threads   any, also in signal handlers.
 * Cost      without a recorder one load and branch.
 * Design    doc/design/record.md      Tests  test/record/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_RECORD_H
#define TENURE_RECORD_H

#include <tenure/base.h>

TN_BEGIN_DECLS

#define TNI_RECORD_WEAK __attribute__((weak, visibility("default")))

/* The recorder's side; call the functions below. */
TNI_RECORD_WEAK void tni_client_switch(bool on);
TNI_RECORD_WEAK bool tni_client_is_on(void);
TNI_RECORD_WEAK void tni_client_dump(void);
TNI_RECORD_WEAK void tni_client_mark(const char *text);
TNI_RECORD_WEAK void tni_client_pool_open(const void *pool, const char *name,
                                          const void *parent);
TNI_RECORD_WEAK void tni_client_pool_close(const void *pool);
TNI_RECORD_WEAK void tni_client_pool_reset(const void *pool);
TNI_RECORD_WEAK void tni_client_pool_alloc(const void *pool, const void *block,
                                           size_t size);
TNI_RECORD_WEAK void tni_client_pool_free(const void *pool, const void *block);

/* Record from now on, on all threads.  Blocks that were allocated while nothing
 * was recorded are unknown to the report. */
TN_INLINE void
tn_record_start(void)
{
  if (tni_client_switch)
    tni_client_switch(true);
}

/* Record nothing from now on. */
TN_INLINE void
tn_record_stop(void)
{
  if (tni_client_switch)
    tni_client_switch(false);
}

/* Ask whether there is a recorder that records now.
 *
 *   returns false also when the program runs by itself
 */
TN_INLINE bool
tn_record_is_on(void)
{
  return tni_client_is_on && tni_client_is_on();
}

/* Write the sums of `tenure run --tallies` now, and ask `tenure run --signals`
 * for a report of what there is, which it makes soon, beside the program.
 */
TN_INLINE void
tn_record_dump(void)
{
  if (tni_client_dump)
    tni_client_dump();
}

/* Put a moment with a name into the recording.
 *
 *   text    a few words; copied
 */
TN_INLINE void
tn_record_mark(const char *text)
{
  if (tni_client_mark)
    tni_client_mark(text);
}

/* A pool, arena or cache of the program's own begins.
 *
 *   pool    any address that is unlike those of other pools that are open
 *   name    a few words; copied
 *   parent  the pool whose block this one is carved from; NULL: none
 */
TN_INLINE void
tn_record_pool_open(const void *pool, const char *name, const void *parent)
{
  if (tni_client_pool_open)
    tni_client_pool_open(pool, name, parent);
}

/* It ends; all of its blocks are gone.
 *
 *   pool    as it was opened
 */
TN_INLINE void
tn_record_pool_close(const void *pool)
{
  if (tni_client_pool_close)
    tni_client_pool_close(pool);
}

/* All of its blocks are free at once, and the pool goes on.
 *
 *   pool    as it was opened
 */
TN_INLINE void
tn_record_pool_reset(const void *pool)
{
  if (tni_client_pool_reset)
    tni_client_pool_reset(pool);
}

/* A block was taken from it.
 *
 *   pool    as it was opened
 *   block   its start
 *   size    bytes
 */
TN_INLINE void
tn_record_pool_alloc(const void *pool, const void *block, size_t size)
{
  if (tni_client_pool_alloc)
    tni_client_pool_alloc(pool, block, size);
}

/* A block is about to be given back to it.
 *
 *   pool    as it was opened
 *   block   its start
 */
TN_INLINE void
tn_record_pool_free(const void *pool, const void *block)
{
  if (tni_client_pool_free)
    tni_client_pool_free(pool, block);
}

#undef TNI_RECORD_WEAK

TN_END_DECLS
#endif
