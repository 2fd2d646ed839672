/* workers.h -- threads that help to mark
 *
 * They sleep until a collection gives them a function to run, and the
 * collecting thread runs it as well.
 *
 * Threads   start, stop, forget and run: one at a time, the heap's lock held
 *           or nobody else about.
 * Design    doc/design/gc.md      Tests  test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_GC_WORKERS_H
#define TNI_GC_WORKERS_H

#include "gc/core/core.h"

typedef void tni_workers_fn(tn_gc *heap, unsigned worker);

/* Start options.workers - 1 threads; none when that is 0. */
tn_status tni_workers_start(tn_gc *heap);
void tni_workers_stop(tn_gc *heap);
/* In a forked child: they do not exist. */
void tni_workers_forget(tn_gc *heap);
/* Run fn(heap, 0 .. n - 1), each on a thread; return when all have. */
void tni_workers_run(tn_gc *heap, tni_workers_fn *fn);
/* How many there are, the collecting thread included. */
unsigned tni_workers_count(const tn_gc *heap);
/* Whether the thread of that number, which calls, is one of those started. */
bool tni_workers_has(const tn_gc *heap, unsigned thread);

#endif
