/* workers.c -- the code of workers.h */
#include "gc/core/workers.h"

#include "os/os.h"

struct tni_workers {
  tn_gc *heap;               // const
  unsigned count;            // const: threads
  tni_workers_fn *fn;        // before go; NULL: end
  _Atomic uint32_t go;       // atomic: bumped for each run
  _Atomic uint32_t at_work;  // atomic: threads that have not come back
  _Atomic uint32_t next;     // atomic: numbers given out
  _Atomic unsigned id[TN_GC_WORKERS];  // atomic: relaxed; by number
  tni_os_thread *thread[TN_GC_WORKERS];
};

static void
workers_main(void *argument)
{
  tni_workers *const w = argument;
  const unsigned number = tni_add_relaxed(&w->next, 1) + 1;
  tni_store_relaxed(&w->id[number], tni_os_thread_id());
  for (uint32_t seen = 0;;) {
    /* Pairs with the release of go in workers_send: fn is seen. */
    while (tni_load_acquire(&w->go) == seen)
      tni_os_wait(&w->go, seen);
    seen++;
    tni_workers_fn *const fn = w->fn;
    if (fn)
      fn(w->heap, number);
    if (tni_sub_acq_rel(&w->at_work, 1) == 1)
      tni_os_wake(&w->at_work, true);
    if (!fn)
      return;
  }
}

static void
workers_send(tni_workers *w, tni_workers_fn *fn)
{
  w->fn = fn;
  tni_store_release(&w->at_work, w->count);
  (void)tni_add_acq_rel(&w->go, 1);
  tni_os_wake(&w->go, true);
}

static void
workers_wait(tni_workers *w)
{
  for (uint32_t n; (n = tni_load_acquire(&w->at_work)) != 0;)
    tni_os_wait(&w->at_work, n);
}

tn_status
tni_workers_start(tn_gc *heap)
{
  if (heap->options.workers < 2)
    return TN_OK;
  tni_workers *const w = tni_meta_allocate(sizeof *w);
  if (!w)
    return TN_ENOMEM;
  w->heap = heap;
  heap->workers = w;
  const tni_os_thread_options options = {.name = "gc-mark"};
  for (unsigned i = 0; i + 1 < heap->options.workers; i++) {
    const tn_status status =
        tni_os_thread_start(&w->thread[i], workers_main, w, &options);
    if (status != TN_OK)
      return status;  // tni_workers_stop ends those that run
    w->count++;
  }
  return TN_OK;
}

void
tni_workers_stop(tn_gc *heap)
{
  tni_workers *const w = heap->workers;
  if (!w)
    return;
  workers_send(w, NULL);
  for (unsigned i = 0; i < w->count; i++)
    tni_os_thread_join(w->thread[i]);
  tni_workers_forget(heap);
}

void
tni_workers_forget(tn_gc *heap)
{
  if (heap->workers)
    tni_meta_free(heap->workers, sizeof *heap->workers);
  heap->workers = NULL;
}

unsigned
tni_workers_count(const tn_gc *heap)
{
  return heap->workers ? heap->workers->count + 1 : 1;
}

bool
tni_workers_has(const tn_gc *heap, unsigned thread)
{
  for (unsigned i = 1; i < tni_workers_count(heap); i++)
    if (tni_load_relaxed(&heap->workers->id[i]) == thread)
      return true;
  return false;
}

void
tni_workers_run(tn_gc *heap, tni_workers_fn *fn)
{
  if (heap->workers)
    workers_send(heap->workers, fn);
  fn(heap, 0);
  if (heap->workers)
    workers_wait(heap->workers);
}
