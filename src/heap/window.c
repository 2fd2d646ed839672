#include "heap/window.h"

#include <string.h>

#include "heap/purge.h"
#include "os/os.h"

size_t tni_window_rate;

static void *window_nothing[1];  // no blocks, for who has no windows yet

void
tni_window_attach(tni_heap_local *local)
{
  tn_heap_local *const cache = tni_local_cache(local);
  if (tni_window_rate == 0 || !local->heap->is_default)
    return;
  for (unsigned c = 0; !local->window && c < TN_HEAP_WINDOWS; c++) {
    local->here.top[TN_HEAP_CLASSES + c] = window_nothing;
    cache->top[TN_HEAP_CLASSES + c] = window_nothing;
  }
  for (size_t i = 0; i <= TN_HEAP_TABLE_MAX / 16; i++)
    local->here.class_of[i] += TN_HEAP_CLASSES;
}

void
tni_window_start(size_t rate)
{
  tni_heap_local *const local = tni_local_of(&tni_heap_default);
  tni_window_rate = rate;
  if (local && !local->is_trapped)
    tni_window_attach(local);
}

/* ---- Gaps ------------------------------------------------------------------------- */

static int64_t
window_gap(tni_heap_window *window)
{
  const double gap = tni_chance_gap(&window->random, (double)tni_window_rate);
  return gap < (double)(INT64_MAX / 2) ? (int64_t)gap : INT64_MAX / 2;
}

/* Blocks of a class that pass before the next sample. */
static size_t
window_wait(tni_heap_window *window, unsigned size_class)
{
  return (size_t)window_gap(window) / tni_class_size(size_class);
}

/* The handle's windows, made at first use; NULL: out of memory, or it is no
 * thread's. */
static tni_heap_window *
window_of(tni_heap_local *local)
{
  if (TN_LIKELY(local->window != NULL))
    return local->window;
  tni_heap_window *const window =
      local == &tni_heap_nobody ? NULL : tni_meta_allocate(sizeof *window);
  if (!window)
    return NULL;
  tni_os_entropy(&window->random, sizeof window->random);
  window->left = window_gap(window);
  for (unsigned c = 1; c < TN_HEAP_WINDOWS; c++) {
    window->wait[c] = window_wait(window, c);
    tni_local_cache(local)->top[TN_HEAP_CLASSES + c] = window->blocks[c];
  }
  local->window = window;
  return window;
}

bool
tni_window_renew(tni_heap_local *local, size_t size)
{
  tni_heap_window *const window = local->window;
  if (!window)
    return window_of(local) && tni_window_is_due(local, size);
  window->left = window_gap(window);
  return true;
}

/* ---- Blocks ------------------------------------------------------------------------- */

size_t
tni_window_count(tni_heap_local *local, unsigned size_class, void ***blocks)
{
  if (!local->window || size_class >= TN_HEAP_WINDOWS)
    return 0;
  *blocks = local->window->blocks[size_class];
  return (size_t)(tni_local_cache(local)->top[TN_HEAP_CLASSES + size_class] -
                  *blocks);
}

/* Fill an empty window with what there is on the stack.  Where blocks come and
 * go few are on it each time; then more come from pages, and go round from then
 * on. */
static void
window_fill(tni_heap_local *local, unsigned size_class)
{
  tni_heap_window *const window = local->window;
  const size_t *const wait = &window->wait[size_class];
  const size_t n = tni_min(tni_local_count(local, size_class), *wait);
  tni_window_move(local, size_class, tni_min(n, TNI_WINDOW_BLOCKS));
  if (n >= TNI_WINDOW_FEW)
    return;
  void *more[TNI_WINDOW_TOP];
  const size_t got = tni_local_take_batch(local, size_class, more,
                                          tni_min(TNI_WINDOW_TOP - n, *wait));
  void ***const top =
      &tni_local_cache(local)->top[TN_HEAP_CLASSES + size_class];
  memcpy(*top + 1, more, got * sizeof *more);
  *top += got;
  window->wait[size_class] -= got;
}

void *
tni_window_take(tni_heap_local *local, unsigned size_class, bool *is_due)
{
  tni_heap_window *const window = window_of(local);
  *is_due = false;
  if (!window)
    return NULL;
  if (local->is_trapped)
    tni_purge_step(local);  // which may empty it
  void ***const top =
      &tni_local_cache(local)->top[TN_HEAP_CLASSES + size_class];
  if (**top)
    return *(*top)--;
  if (window->wait[size_class] == 0) {
    window->wait[size_class] = window_wait(window, size_class);
    *is_due = true;
    return NULL;
  }
  void *const block = tni_local_take(local, size_class);
  if (!block)
    return NULL;
  window->wait[size_class]--;
  if (!local->is_trapped)
    window_fill(local, size_class);
  return block;
}

void
tni_window_flush(tni_heap_local *local)
{
  for (unsigned c = 1; local->window && c < TN_HEAP_WINDOWS; c++) {
    void **blocks;
    const size_t n = tni_window_count(local, c, &blocks);
    tni_local_cache(local)->top[TN_HEAP_CLASSES + c] = blocks;
    local->window->wait[c] += n;  // [window.count]
    for (size_t i = 1; i <= n; i++)
      tni_local_return(local, blocks[i]);
  }
}
