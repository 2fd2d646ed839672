/* world.c -- threads: attach, stop, go on, block, fork
 *
 *            attach            stop asked: poll, slow path
 *   (none) ---------> RUNNING ------------------------------> BLOCKED
 *            detach      ^  '--- tn_gc_block_begin ---------->  |
 *                        '---- world goes on, block_end --------'
 *
 * A collection needs running == 1, its own thread.  The lock is held from then
 * until the world goes on, so that attach, detach and block_end wait for it.
 */
#include "gc/core/core.h"

#include "gc/core/workers.h"
#include "os/os.h"

void
tni_world_lock(tn_gc *heap)
{
  /* Only the holder itself can read its own number here; a worker runs while
   * the collecting thread holds the lock. */
  TN_REQUIRE(tni_load_relaxed(&heap->holder) != tni_os_thread_id() &&
                 !tni_workers_has(heap, tni_os_thread_id()),
             "gc.reenter", "a heap is used inside one of its own calls");
  tni_os_lock_acquire(&heap->lock);
  tni_store_relaxed(&heap->holder, tni_os_thread_id());
}

void
tni_world_unlock(tn_gc *heap)
{
  tni_store_relaxed(&heap->holder, 0u);
  tni_os_lock_release(&heap->lock);
}

static void
world_set_polls(tn_gc *heap, uint32_t value)
{
  for (tni_mutator *m = heap->mutators; m; m = m->next)
    __atomic_store_n(&m->public.poll, value, __ATOMIC_RELAXED);
}

/* With the lock: wait until nobody stops the world. */
static void
world_wait(tn_gc *heap)
{
  while (heap->is_stopping) {
    const uint32_t word = tni_load_acquire(&heap->restart_word);
    tni_world_unlock(heap);
    tni_os_wait(&heap->restart_word, word);
    tni_world_lock(heap);
  }
}

static void
world_leave(tni_mutator *m)
{
  tn_gc *const heap = m->heap;
  m->state = TNI_BLOCKED;
  heap->running--;
  (void)tni_add_acq_rel(&heap->stopped_word, 1);
  if (heap->is_stopping)
    tni_os_wake(&heap->stopped_word, true);
}

static void
world_enter(tni_mutator *m)
{
  world_wait(m->heap);
  m->state = TNI_RUNNING;
  m->heap->running++;
}

bool
tni_world_stop(tni_mutator *m)
{
  tn_gc *const heap = m->heap;
  tni_roots_save(m);
  if (heap->is_stopping) {
    world_leave(m);
    world_enter(m);
    return false;
  }
  heap->is_stopping = true;
  world_set_polls(heap, 1);
  while (heap->running > 1) {
    const uint32_t word = tni_load_acquire(&heap->stopped_word);
    tni_world_unlock(heap);
    tni_os_wait(&heap->stopped_word, word);
    tni_world_lock(heap);
  }
  return true;
}

void
tni_world_restart(tn_gc *heap)
{
  world_set_polls(heap, 0);
  heap->is_stopping = false;
  (void)tni_add_acq_rel(&heap->restart_word, 1);
  tni_os_wake(&heap->restart_word, true);
}

void
tni_gc_poll(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  TNI_GC_REQUIRE(public->thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is used on another thread", );
  tni_world_lock(m->heap);
  if (m->heap->is_stopping) {
    tni_roots_save(m);
    world_leave(m);
    world_enter(m);
  }
  tni_world_unlock(m->heap);
}

static void
world_link(tn_gc *heap, tni_mutator *m)
{
  world_wait(heap);
  m->next = heap->mutators;
  heap->mutators = m;
  m->state = TNI_RUNNING;
  heap->running++;
}

tn_mutator *
tn_gc_attach(tn_gc *heap, tn_status *status)
{
  tn_status ignored;
  tn_status *const out = status ? status : &ignored;
  *out = TN_ENOMEM;
  tni_mutator *const m = tni_meta_allocate(sizeof *m);
  if (!m)
    return NULL;
  m->heap = heap;
  m->public.thread = tni_os_thread_id();
  void *low = NULL;
  void *high = NULL;
  const tn_status bounds = tni_os_stack_bounds(&low, &high);
  m->stack_base = high;
  if (bounds != TN_OK && heap->options.scans_stacks) {
    *out = TN_ENOTSUP;
    tni_meta_free(m, sizeof *m);
    return NULL;
  }
  tni_piece_clear(m);
  tni_world_lock(heap);
  const bool ok = !heap->collector->attach || heap->collector->attach(m);
  if (ok)
    world_link(heap, m);
  tni_world_unlock(heap);
  if (!ok) {
    tni_meta_free(m, sizeof *m);
    return NULL;
  }
  *out = TN_OK;
  return &m->public;
}

static void
world_unlink(tni_mutator *m)
{
  tni_mutator **link = &m->heap->mutators;
  while (*link != m)
    link = &(*link)->next;
  *link = m->next;
}

static void
world_keep_log(tn_gc *heap, tni_vector *kept, const tni_vector *log)
{
  for (size_t i = 0; i < log->count; i++)
    if (!tni_vector_push(kept, log->at[i]))
      tni_store_relaxed(&heap->logs_lost, 1);  // the next one looks at all
}

/* What m still knows goes to another mutator or to the heap's memory of it. */
static void
world_drop(tni_mutator *m)
{
  tn_gc *const heap = m->heap;
  heap->collector->retire(m);
  if (heap->collector->detach)
    heap->collector->detach(m);
  world_keep_log(heap, &heap->logged, &m->logged);
  world_keep_log(heap, &heap->cards, &m->cards);
  tni_vector_free(&m->logged);
  tni_vector_free(&m->cards);
}

void
tn_gc_detach(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  tn_gc *const heap = m->heap;
  TNI_GC_REQUIRE(public->thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is detached on another thread", );
  TNI_GC_REQUIRE(!public->frames && !(m->coroutine && m->own.frames),
                 "gc.frames", "a mutator is detached inside its roots", );
  tni_world_lock(heap);
  if (heap->is_stopping) {
    tni_roots_save(m);
    world_leave(m);
    world_enter(m);
  }
  world_unlink(m);
  world_drop(m);
  world_leave(m);
  tni_world_unlock(heap);
  tni_meta_free(m, sizeof *m);
}

__attribute__((noinline)) void
tn_gc_block_begin(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  TNI_GC_REQUIRE(public->thread == tni_os_thread_id(), "gc.thread",
                 "a mutator is used on another thread", );
  TNI_GC_REQUIRE(m->state == TNI_RUNNING, "gc.block",
                 "blocking regions do not nest", );
  tni_roots_save(m);
  tni_roots_save_caller(&m->registers, &m->stack_top,
                        __builtin_frame_address(0));
  tni_world_lock(m->heap);
  world_leave(m);
  tni_world_unlock(m->heap);
}

void
tn_gc_block_end(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  TNI_GC_REQUIRE(m->state == TNI_BLOCKED, "gc.block",
                 "no blocking region was begun", );
  tni_world_lock(m->heap);
  world_enter(m);
  tni_world_unlock(m->heap);
}

/* ---- Fork ------------------------------------------------------------------------ */

void
tn_gc_fork_begin(tn_mutator *public)
{
  tni_mutator *const m = tni_mutator_of(public);
  tni_world_lock(m->heap);
  while (!tni_world_stop(m)) {
  }
  for (tni_mutator *other = m->heap->mutators; other; other = other->next)
    m->heap->collector->retire(other);
}

void
tn_gc_fork_end(tn_mutator *public, bool is_child)
{
  tni_mutator *const m = tni_mutator_of(public);
  tn_gc *const heap = m->heap;
  if (is_child) {
    while (heap->mutators) {  // the others' threads are not in this process
      tni_mutator *const other = heap->mutators;
      heap->mutators = other->next;
      if (other != m) {
        world_drop(other);
        tni_meta_free(other, sizeof *other);
      }
    }
    m->next = NULL;
    heap->mutators = m;
    heap->running = 1;
    m->public.thread = tni_os_thread_id();
    tni_workers_forget(heap);
  }
  tni_world_restart(heap);
  tni_world_unlock(heap);
}
