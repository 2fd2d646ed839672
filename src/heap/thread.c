/* thread.c -- which handles a thread has; see local.h */
#include <string.h>

#include "heap/local.h"
#include "heap/purge.h"
#include "heap/remote.h"
#include "heap/window.h"

#define THREAD_HANDLES 8u  // in a thread's table at first
#define THREAD_LOCAL   _Thread_local __attribute__((tls_model("initial-exec")))
#define THREAD_AT_ONCE 8u  // handles that are carved from one record

/* Stacks without room and without blocks, for whoever has no handle yet. */
static void *thread_nothing[1];
#define NOTHING_4  thread_nothing, thread_nothing, thread_nothing, thread_nothing
#define NOTHING_20 NOTHING_4, NOTHING_4, NOTHING_4, NOTHING_4, NOTHING_4
#define NOTHING_92                                                             \
  NOTHING_20, NOTHING_20, NOTHING_20, NOTHING_20, NOTHING_4, NOTHING_4,        \
      NOTHING_4
#define NOTHING                                                                \
  {                                                                            \
    .top = {NOTHING_92}, .limit = { NOTHING_92 }                               \
  }
_Static_assert(TN_HEAP_CLASSES == 92, "NOTHING_92 names every class");

tni_heap_local tni_heap_nobody = {
    .here = NOTHING,
#if TNI_HEAP_CHECKED
    .checked = NOTHING,
#endif
    .stack = {NOTHING_92},
};

uint32_t tni_local_sizes[TN_HEAP_CLASSES + TN_HEAP_WINDOWS];

THREAD_LOCAL tn_heap_local *tni_heap_here = &tni_heap_nobody.here;

/* A handle of another heap than the process's. */
typedef struct thread_handle {
  tn_heap *heap;
  uint64_t id;  // of the heap when the handle was adopted
  tni_heap_local *local;
} thread_handle;

typedef struct thread_table {
  size_t count;
  size_t capacity;
  thread_handle handle[];
} thread_table;

static THREAD_LOCAL thread_table *thread_mine;
static THREAD_LOCAL bool thread_is_ending;

static struct {
  tni_os_lock lock;
  tni_heap_local *unused;    // lock; by next
  tni_heap_local *fresh;     // lock: never used, and not touched
  size_t fresh_count;        // lock: of those
  _Atomic uint32_t has_key;  // 0 not asked, 1 being made, 2 there, 3 refused
  tni_os_tls key;            // const once has_key is 2
  tn_heap_local template;    // lock: const once its first top is set
  uint32_t epoch;            // lock: forks between this process and the first
} thread_state = {.lock.rank = TNI_RANK_HEAP};

void
tni_heap_lock(void)
{
  tni_os_lock_acquire(&thread_state.lock);
}

void
tni_heap_unlock(void)
{
  tni_os_lock_release(&thread_state.lock);
}

/* ---- Making handles -------------------------------------------------------------- */

/* What every new handle begins as. */
static const tn_heap_local *
thread_template(void)
{
  tn_heap_local *const template = &thread_state.template;
  if (template->top[0])
    return template;
  *template = tni_heap_nobody.here;
  for (size_t i = 0; i <= TN_HEAP_TABLE_MAX / 16; i++)
    template->class_of[i] = (unsigned char)tn_heap_class(i * 16);
  for (unsigned c = 1; c < TN_HEAP_CLASSES; c++)
    tni_local_sizes[c] = (uint32_t)tni_class_size(c);
  for (unsigned c = 1; c < TN_HEAP_WINDOWS; c++)
    tni_local_sizes[TN_HEAP_CLASSES + c] = tni_local_sizes[c];
  return template;
}

void
tni_local_fill_table(tni_heap_local *local)
{
  memcpy(local->here.class_of, thread_state.template.class_of,
         sizeof local->here.class_of);
  tni_window_attach(local);
}

/* A record for a handle, lock held; NULL: out of memory.  Those that were never
 * used are not even linked: a page of each would become resident. */
static tni_heap_local *
thread_take_record(void)
{
  tni_heap_local *const unused = thread_state.unused;
  if (unused) {
    thread_state.unused = unused->next;
    return unused;
  }
  if (thread_state.fresh_count == 0) {
    thread_state.fresh = tni_meta_allocate(THREAD_AT_ONCE * sizeof *unused);
    thread_state.fresh_count = thread_state.fresh ? THREAD_AT_ONCE : 0;
    if (!thread_state.fresh)
      return NULL;
  }
  thread_state.fresh_count--;
  return thread_state.fresh++;
}

/* A fresh handle, lock held; NULL: out of memory. */
static tni_heap_local *
thread_make_local(tn_heap *heap)
{
  tni_heap_local *const local = thread_take_record();
  if (!local)
    return NULL;
  /* Through the library: what compilers make of constant sizes is slower. */
  const size_t first = offsetof(tni_heap_local, stack_log2);
  size_t size = sizeof *local - first;
  size_t cache_size = sizeof local->here;
  size_t stack_size = sizeof local->stack;
  TNI_OPAQUE(size);
  TNI_OPAQUE(cache_size);
  TNI_OPAQUE(stack_size);
  memset((unsigned char *)local + first, 0, size);
  memcpy(tni_local_cache(local), thread_template(), cache_size);
#if TNI_HEAP_CHECKED
  local->here = tni_heap_nobody.here;
  memcpy(local->here.class_of, thread_template()->class_of,
         sizeof local->here.class_of);
#endif
#if TN_HARDEN >= 2
  memset(local->quarantine, 0, sizeof local->quarantine);
#endif
  memcpy(local->stack, tni_heap_nobody.stack, stack_size);
  local->heap = heap;
  local->next = heap->locals;
  heap->locals = local;
  tni_window_attach(local);
  return local;
}

/* Free the stacks of a handle that nobody will use again. */
static void
thread_free_stacks(tni_heap_local *local)
{
  for (unsigned w = 0; w < 2; w++)
    for (uint64_t left = local->stacked[w]; left; left &= left - 1) {
      const unsigned c = w * 64 + (unsigned)__builtin_ctzll(left);
      tni_meta_free(local->stack[c], sizeof(void *) << local->stack_log2[c]);
    }
}

void
tni_local_forget(tni_heap_local *locals)
{
  while (locals) {
    tni_heap_local *const next = locals->next;
    thread_free_stacks(locals);
    locals->next = thread_state.unused;
    thread_state.unused = locals;
    locals = next;
  }
}

/* After a fork, in the child: this thread's handles are all that have an
 * owner. */
static void
thread_in_child(void)
{
  tni_heap_lock();
  const uint32_t epoch = ++thread_state.epoch;
  ((tni_heap_local *)tni_heap_here)->epoch = epoch;
  const thread_table *const table = thread_mine;
  for (size_t i = 0; table && i < table->count; i++)
    if (tni_load_relaxed(&table->handle[i].heap->id) == table->handle[i].id)
      table->handle[i].local->epoch = epoch;
  tni_heap_unlock();
}

/* Let go of the handles of threads that fork left behind, lock held. */
static void
thread_sweep(tn_heap *heap)
{
  heap->epoch = thread_state.epoch;
  for (tni_heap_local *local = heap->locals; local; local = local->next) {
    if (tni_load_relaxed(&local->state) == TNI_LOCAL_IDLE ||
        local->epoch == heap->epoch || tni_load_relaxed(&local->is_busy))
      continue;
    tni_remote_leave(local);
    local->idle_next = heap->idle;
    heap->idle = local;
  }
}

static tni_heap_local *
thread_adopt(tn_heap *heap)
{
  tni_os_fork_child(thread_in_child);
  tni_os_fork_lock(&thread_state.lock);
  tni_heap_lock();
  if (heap->epoch != thread_state.epoch)
    thread_sweep(heap);
  tni_heap_local *local = heap->idle;
  if (local) {
    TN_CHECK(tni_load_relaxed(&local->state) == TNI_LOCAL_IDLE, "local.owned");
    heap->idle = local->idle_next;
    tni_store_relaxed(&local->state, TNI_LOCAL_OWNED);  // A1; the lock orders
  } else {
    local = thread_make_local(heap);
  }
  if (local)
    local->epoch = thread_state.epoch;
  tni_heap_unlock();
  return local;
}

static void
thread_give_back(tni_heap_local *local)
{
  tn_heap *const heap = local->heap;
  tni_local_begin(local);
  tni_local_flush_all(local);
  tni_purge_empty(local);
  tni_heap_lock();
  tni_remote_leave(local);
  local->idle_next = heap->idle;
  heap->idle = local;
  tni_local_end(local);
  tni_heap_unlock();
}

/* ---- The end of a thread ------------------------------------------------------------ */

static void
thread_at_exit(void *unused)
{
  (void)unused;
  thread_is_ending = true;
  tni_local_give_back_all();
}

/* Have thread_at_exit called for this thread.  Where that cannot be, its handles
 * are never given back: benign. */
static void
thread_watch(void)
{
  uint32_t state = 0;
  if (tni_cas_acq_rel(&thread_state.has_key, &state, 1)) {
    const bool ok =
        tni_os_tls_create(&thread_state.key, thread_at_exit) == TN_OK;
    /* Pairs with the acquire below: the key is seen. */
    tni_store_release(&thread_state.has_key, ok ? 2 : 3);
  }
  do  // a moment, while another thread is making it
    state = tni_load_acquire(&thread_state.has_key);
  while (state == 1);
  if (state == 2)
    (void)tni_os_tls_store(thread_state.key, &thread_state);
}

void
tni_local_give_back_all(void)
{
  tni_heap_local *const local = (tni_heap_local *)tni_heap_here;
  tni_heap_here = &tni_heap_nobody.here;
  if (local != &tni_heap_nobody)
    thread_give_back(local);
  thread_table *const table = thread_mine;
  thread_mine = NULL;
  if (!table)
    return;
  for (size_t i = 0; i < table->count; i++) {
    const thread_handle *const handle = &table->handle[i];
    if (tni_load_relaxed(&handle->heap->id) == handle->id)
      thread_give_back(handle->local);
  }
  tni_meta_free(table,
                sizeof *table + table->capacity * sizeof table->handle[0]);
}

/* ---- Finding a thread's handle --------------------------------------------------------- */

/* Room for one more handle in the table: stale ones go first. */
static bool
thread_make_room(void)
{
  thread_table *table = thread_mine;
  size_t count = 0;
  for (size_t i = 0; table && i < table->count; i++)
    if (tni_load_relaxed(&table->handle[i].heap->id) == table->handle[i].id)
      table->handle[count++] = table->handle[i];
  if (table)
    table->count = count;
  if (table && count < table->capacity)
    return true;
  const size_t capacity = table ? 2 * table->capacity : THREAD_HANDLES;
  thread_table *const larger =
      tni_meta_allocate(sizeof *larger + capacity * sizeof larger->handle[0]);
  if (!larger)
    return false;
  larger->capacity = capacity;
  larger->count = count;
  if (table) {
    memcpy(larger->handle, table->handle, count * sizeof table->handle[0]);
    tni_meta_free(table,
                  sizeof *table + table->capacity * sizeof table->handle[0]);
  }
  thread_mine = larger;
  return true;
}

/* A handle of a heap that is not the process's. */
static tni_heap_local *
thread_find(tn_heap *heap)
{
  thread_table *const table = thread_mine;
  const uint64_t id = tni_load_relaxed(&heap->id);
  if (TN_LIKELY(table && table->handle[0].heap == heap &&
                table->handle[0].id == id && table->count > 0))
    return table->handle[0].local;
  for (size_t i = 0; table && i < table->count; i++) {
    if (table->handle[i].heap != heap || table->handle[i].id != id)
      continue;
    const thread_handle found = table->handle[i];
    table->handle[i] = table->handle[0];  // the one used last comes first
    table->handle[0] = found;
    return found.local;
  }
  return NULL;
}

tni_heap_local *
tni_local_of(tn_heap *heap)
{
  tni_heap_local *local = (tni_heap_local *)tni_heap_here;
  if (heap->is_default && local != &tni_heap_nobody)
    return local;
  if (!heap->is_default) {
    local = thread_find(heap);
    if (local)
      return local;
  }
  if (thread_is_ending || (!heap->is_default && !thread_make_room()))
    return NULL;
  local = thread_adopt(heap);
  if (!local)
    return NULL;
  if (heap->is_default) {
    tni_heap_here = &local->here;
  } else {
    thread_mine->handle[thread_mine->count++] =
        (thread_handle){heap, tni_load_relaxed(&heap->id), local};
  }
  thread_watch();
  return local;
}

tni_heap_local *
tni_local_enter(tn_heap *heap)
{
  tni_heap_local *local = tni_local_of(heap);
  if (!local && thread_is_ending)
    local = thread_adopt(heap);
  if (local)
    tni_local_begin(local);
  return local;
}

void
tni_local_leave(tni_heap_local *local)
{
  if (TN_UNLIKELY(thread_is_ending))
    thread_give_back(local);
  else
    tni_local_end(local);
}
