#include "heap/heap.h"

#include <string.h>

#include "heap/large.h"
#include "heap/purge.h"
#include "heap/remote.h"

#define HEAP_OWN_SLICE_LOG2 12u           // in buffers and providers' memory
#define HEAP_CHUNK          TNI_KIB(256)  // from a provider, at least

static tn_block heap_face_allocate(tn_provider *face, size_t size,
                                   size_t align);
static void heap_face_free(tn_provider *face, void *pointer, size_t size,
                           size_t align);
static size_t heap_face_resize(tn_provider *face, void *pointer, size_t size,
                               size_t new_size, size_t align);

#define HEAP_FACE                                                              \
  {                                                                            \
    .allocate = heap_face_allocate, .free = heap_face_free,                    \
    .resize = heap_face_resize,                                                \
    .capabilities =                                                            \
        TN_PROVIDER_FREE | TN_PROVIDER_RESIZE | TN_PROVIDER_THREADS,           \
    .name = "heap"                                                             \
  }

tn_heap tni_heap_default = {
    .id = 1,
    .how = {.limit = SIZE_MAX},
    .is_default = true,
    .face = HEAP_FACE,
};

_Atomic size_t tni_heap_apart;

static struct {
  uint64_t last_id;  // lock: ids given so far, but for the first
  tn_heap *all;      // lock: heaps but the process's
  tn_heap *unused;   // lock: records, which stay records of heaps for ever, so
                     // that a stale id is never taken for another
} heap_state = {.last_id = 1};

/* ---- What heaps are made of ---------------------------------------------------- */

bool
tni_heap_charge(tn_heap *heap, size_t bytes)
{
  const size_t before = tni_add_relaxed(&heap->taken, bytes);
  if (before > heap->how.limit || bytes > heap->how.limit - before) {
    tni_sub_relaxed(&heap->taken, bytes);
    return false;  // [heap.limit]
  }
  size_t peak = tni_load_relaxed(&heap->peak);
  while (peak < before + bytes &&
         !atomic_compare_exchange_weak_explicit(
             &heap->peak, &peak, before + bytes, memory_order_relaxed,
             memory_order_relaxed))
    continue;
  return true;
}

void
tni_heap_uncharge(tn_heap *heap, size_t bytes)
{
  tni_sub_relaxed(&heap->taken, bytes);
}

unsigned
tni_heap_slice_log2(const tn_heap *heap)
{
  return tni_heap_is_apart(heap) ? HEAP_OWN_SLICE_LOG2 : TNI_HEAP_SLICE_LOG2;
}

/* One more space from the heap's provider. */
static bool
heap_add_space(tn_heap *heap, size_t slices, size_t align)
{
  tn_provider *const provider = heap->how.provider;
  const size_t slice = (size_t)1 << HEAP_OWN_SLICE_LOG2;
  const size_t need = (slices + align) * (slice + sizeof(tni_heap_page) + 96);
  const size_t size = tni_max(HEAP_CHUNK, need + slice);
  tn_block block = tn_allocate(provider, size, TN_ALIGN);
  if (!block.pointer)
    return false;
  tni_heap_space *const space =
      tni_slices_in(block.pointer, block.granted, HEAP_OWN_SLICE_LOG2,
                    &tni_heap_owner_ops, heap->how.name);
  if (space && tni_registry_add(&space->owner) == TN_OK) {
    space->heap = heap;
    space->provider = provider;
    space->block = block;
    tni_slices_lock();
    space->next = tni_load_relaxed(&heap->spaces);
    /* Pairs with the acquires of who takes from it or looks for a block. */
    tni_store_release(&heap->spaces, space);
    tni_slices_unlock();
    tni_add_relaxed(&tni_heap_apart, 1);
    return true;
  }
  tn_release(provider, block.pointer, block.granted, TN_ALIGN);
  return false;
}

tni_heap_page *
tni_heap_take_slices(tn_heap *heap, size_t slices, size_t align,
                     bool prefer_clean, bool *is_clean)
{
  if (!tni_heap_is_apart(heap))
    return tni_slices_take(NULL, slices, align, prefer_clean, is_clean);
  for (bool again = true;; again = false) {
    tni_heap_space *const spaces = tni_load_acquire(&heap->spaces);
    tni_heap_page *const page =
        spaces ? tni_slices_take(spaces, slices, align, prefer_clean, is_clean)
               : NULL;
    if (page || !again || !heap->how.provider || slices >= SIZE_MAX >> 16 ||
        align >= SIZE_MAX >> 16 || !heap_add_space(heap, slices, align))
      return page;
  }
}

/* ---- Creating and destroying ----------------------------------------------------- */

static tn_heap *
heap_make(const tn_heap_options *options)
{
  tni_heap_lock();
  tn_heap *heap = heap_state.unused;
  if (heap)
    heap_state.unused = heap->next;
  tni_heap_unlock();
  if (!heap)
    heap = tni_meta_allocate(sizeof *heap);
  if (!heap)
    return NULL;
  memset(heap, 0, sizeof *heap);
  heap->how = *options;
  heap->face = (tn_provider)HEAP_FACE;
  if (options->name)
    heap->face.name = options->name;
  return heap;
}

static void
heap_unmake(tn_heap *heap)
{
  tni_heap_lock();
  heap->next = heap_state.unused;
  heap_state.unused = heap;
  tni_heap_unlock();
}

tn_heap *
tn_heap_create(const tn_heap_options *options, tn_status *status)
{
  const tn_heap_options defaults = TN_HEAP_DEFAULTS;
  tn_status ignored;
  status = status ? status : &ignored;
  options = options ? options : &defaults;
  const bool is_right =
      options->limit > 0 &&
      (!options->buffer || options->buffer_size >= TN_HEAP_BUFFER_MIN);
  TN_REQUIRE(is_right, "heap.options", "limit 0, or a buffer too small");
  *status = TN_EINVAL;
  if (!is_right)
    return NULL;
  *status = TN_ENOMEM;
  tn_heap *const heap = heap_make(options);
  if (!heap)
    return NULL;
  if (options->buffer) {
    tni_heap_space *const space =
        tni_slices_in(options->buffer, options->buffer_size,
                      HEAP_OWN_SLICE_LOG2, &tni_heap_owner_ops, options->name);
    if (!space || tni_registry_add(&space->owner) != TN_OK) {
      heap_unmake(heap);
      return NULL;
    }
    space->heap = heap;
    tni_store_relaxed(&heap->spaces, space);
    tni_add_relaxed(&tni_heap_apart, 1);
  }
  tni_heap_lock();
  tni_store_relaxed(&heap->id, ++heap_state.last_id);
  heap->next = heap_state.all;
  heap_state.all = heap;
  tni_heap_unlock();
  *status = TN_OK;
  return heap;
}

/* Give back the pages of the shared spaces. */
static void
heap_give_pages(tn_heap *heap)
{
  for (tni_heap_local *local = heap->locals; local; local = local->next)
    while (local->all)
      tni_local_drop_page(local, local->all);
  while (heap->large)
    tni_heap_large_free(heap->large, tni_page_start(heap->large));
}

void
tn_heap_destroy(tn_heap *heap)
{
  if (!heap || heap->is_default)
    return;
  tni_heap_lock();
  tni_store_relaxed(&heap->id, 0);  // handles are stale: [heap.destroy]
  tn_heap **at = &heap_state.all;
  while (*at != heap)
    at = &(*at)->next;
  *at = heap->next;
  tni_heap_unlock();
  if (!tni_heap_is_apart(heap))
    heap_give_pages(heap);
  for (tni_heap_space *space = tni_load_relaxed(&heap->spaces); space;) {
    tni_heap_space *const next = space->next;
    tn_provider *const provider = space->provider;
    const tn_block block = space->block;
    tni_registry_remove(&space->owner);
    tni_annotate_give(space->owner.base, space->owner.size);
    tni_sub_relaxed(&tni_heap_apart, 1);
    if (provider)
      tn_release(provider, block.pointer, block.granted, TN_ALIGN);
    space = next;
  }
  tni_heap_lock();
  tni_local_forget(heap->locals);
  tni_heap_unlock();
  heap_unmake(heap);
}

tn_heap *
tn_heap_default(void)
{
  return &tni_heap_default;
}

tn_heap_local *
tn_heap_here(tn_heap *heap)
{
  tni_heap_local *const local = tni_local_of(heap);
  return local ? &local->here : NULL;
}

/* ---- Allocating -------------------------------------------------------------------- */

/* The class of a request in this heap; 0: large. */
static unsigned
heap_class_of(const tn_heap *heap, size_t size, size_t align)
{
  return tni_class_of(size, align, (size_t)1 << tni_heap_slice_log2(heap));
}

/* A block of a class; zeroed where that is asked for. */
static tn_block
heap_take_small(tni_heap_local *local, unsigned size_class, unsigned flags)
{
  const size_t granted = tni_class_size(size_class);
  void *block = NULL;
  if (!(flags & TN_HEAP_ZERO)) {
    block = tni_local_take(local, size_class);
  } else if (granted < TNI_KIB(4) || tni_local_count(local, size_class) > 0) {
    block = tni_local_take(local, size_class);
    if (block) {
      tni_annotate_give(block, granted);
      memset(block, 0, granted);
    }
  } else {
    size_t untouched;
    tni_purge_step(local);
    block = tni_local_take_zero(local, size_class, &untouched);
    tni_store_relaxed(&local->untouched,
                      tni_load_relaxed(&local->untouched) + untouched);
  }
  /* Granted bytes, not only those that were asked for: [heap.zero]. */
  return (tn_block){block, granted, (flags & TN_HEAP_ZERO) && block};
}

static tn_block
heap_allocate(tn_heap *heap, size_t size, size_t align, unsigned flags)
{
  TN_REQUIRE(tn_is_power_of_two(align), "heap.align",
             "alignment is not a power of two");
  const unsigned size_class = heap_class_of(heap, size, align);
  tn_block block;
  if (size_class == 0) {
    block = tni_heap_large_allocate(heap, size, align, flags);
  } else {
    tni_heap_local *const local = tni_local_enter(heap);
    if (!local)
      return (tn_block){0};
    block = heap_take_small(local, size_class, flags);
    tni_local_leave(local);
    if (!block.pointer && tni_reclaim((size_t)1 << tni_heap_slice_log2(heap))) {
      tni_heap_local *const again = tni_local_enter(heap);
      if (again) {
        block = heap_take_small(again, size_class, flags);
        tni_local_leave(again);
      }
    }
  }
  if (!block.pointer)
    return (tn_block){0};  // [heap.same]
  if (TNI_HEAP_CHECKED)
    tni_live_set(tni_heap_page_of(heap, block.pointer)->space, block.pointer);
  tni_annotate_give(block.pointer, block.granted);
  return block;
}

/* A block from this thread's stack, refilled when it is empty; none where it
 * may have to be a sample, or there is no memory. */
static inline tn_block
heap_take_quick(tn_heap *heap, size_t size)
{
  tni_heap_local *const local = tni_local_of(heap);
  if (!local)
    return (tn_block){0};
  tn_heap_local *const here = &local->here;
  unsigned size_class = here->class_of[(size + 15) / 16];
  void **const top = here->top[size_class];
  if (*top) {
    here->top[size_class] = top - 1;
    return (tn_block){*top, tni_local_sizes[size_class], false};
  }
  if (size_class >= TN_HEAP_CLASSES || tni_window_rate != 0)
    return (tn_block){0};
  if (size_class == 0)  // trapped: purge.h
    size_class = tn_heap_class(size);
  tni_local_begin(local);
  void *const block = tni_local_take(local, size_class);
  tni_local_end(local);
  return (tn_block){block, tni_local_sizes[size_class], false};
}

tn_block
tn_heap_allocate(tn_heap *heap, size_t size, size_t align, unsigned flags)
{
  /* Checked libraries keep their stacks elsewhere. */
  if (!TNI_HEAP_CHECKED && size <= TN_HEAP_TABLE_MAX && align == TN_ALIGN &&
      flags == 0) {
    const tn_block block = heap_take_quick(heap, size);
    if (TN_LIKELY(block.pointer != NULL)) {
      tni_annotate_give(block.pointer, block.granted);
      return block;
    }
  }
  return heap_allocate(heap, size, align, flags);
}

void *
tni_heap_take_refilled(size_t size)
{
  tni_heap_local *const local = (tni_heap_local *)tni_heap_here;
  if (TNI_HEAP_CHECKED || size > TN_HEAP_TABLE_MAX ||
      local == &tni_heap_nobody || tni_window_rate != 0)
    return NULL;
  tni_local_begin(local);
  void *const block = tni_local_take(local, tn_heap_class(size));
  tni_local_end(local);
  return block;
}

void *
tn_heap_take_slow(tn_heap_local *here, size_t size)
{
  tni_heap_local *const local = (tni_heap_local *)here;
  return heap_allocate(local->heap, size, TN_ALIGN, 0).pointer;
}

size_t
tn_heap_allocate_batch(tn_heap *heap, size_t size, size_t align, size_t n,
                       void **out)
{
  const unsigned size_class = heap_class_of(heap, size, align);
  size_t done = 0;
  if (size_class != 0) {
    tni_heap_local *const local = tni_local_enter(heap);
    if (!local)
      return 0;
    done = tni_local_take_batch(local, size_class, out, n);
    tni_local_leave(local);
    for (size_t i = 0; TNI_HEAP_CHECKED && i < done; i++) {
      tni_live_set(tni_heap_page_of(heap, out[i])->space, out[i]);
      tni_annotate_give(out[i], tni_class_size(size_class));
    }
  }
  while (done < n) {
    out[done] = tn_heap_allocate(heap, size, align, 0).pointer;
    if (!out[done])
      return done;
    done++;
  }
  return done;
}

size_t
tn_heap_good_size(size_t size, size_t align)
{
  const unsigned size_class =
      heap_class_of(&tni_heap_default, size, tni_max(align, 1));
  size_t granted;
  if (size_class != 0)
    return tni_class_size(size_class);
  return tni_round_up_checked(size, tni_os_get_config()->page_size, &granted) &&
                 granted <= (size_t)PTRDIFF_MAX
             ? granted
             : 0;
}

/* ---- As a provider -------------------------------------------------------------------- */

static tn_heap *
heap_of_face(tn_provider *face)
{
  return (tn_heap *)(void *)((unsigned char *)face - offsetof(tn_heap, face));
}

static tn_block
heap_face_allocate(tn_provider *face, size_t size, size_t align)
{
  return tn_heap_allocate(heap_of_face(face), size, tni_max(align, TN_ALIGN),
                          0);
}

static void
heap_face_free(tn_provider *face, void *pointer, size_t size, size_t align)
{
  tn_heap_free(heap_of_face(face), pointer, size, tni_max(align, TN_ALIGN));
}

static size_t
heap_face_resize(tn_provider *face, void *pointer, size_t size, size_t new_size,
                 size_t align)
{
  (void)face, (void)size, (void)align;
  return tn_heap_resize(pointer, new_size, new_size);
}

tn_provider *
tn_heap_provider(tn_heap *heap)
{
  return &heap->face;
}
