/* large.c -- the code of large.h */
#include "gc/space/large.h"

#include "os/os.h"

#define LARGE_PAGE_LOG2 12u
#define LARGE_PAGE      ((size_t)1 << LARGE_PAGE_LOG2)
#define LARGE_CARDED    TNI_KIB(32)  // arrays from here have cards watched
#define LARGE_NONE      UINT32_MAX

typedef struct large_object {
  size_t page;   // first; while free: the next free record
  size_t pages;  // 0: the record is free
  uint8_t mark;  // atomic
  bool is_young;
} large_object;

typedef struct tni_large {
  tni_region *region;   // const
  tni_region *table;    // const
  uint32_t *page;       // const: an object's record plus 1
  unsigned char *card;  // const
  size_t pages;         // const: reserved
  size_t rover;         // no page below is free
  large_object *object;
  size_t count;  // records in use or free
  size_t room;
  uint32_t free;  // record
} tni_large;

static tni_large *
large_of(const tn_gc *heap)
{
  return heap->spaces;
}

tn_status
tni_large_init(tn_gc *heap)
{
  tn_status status = TN_OK;
  tni_large *const large = tni_meta_allocate(sizeof *large);
  if (!large)
    return TN_ENOMEM;
  heap->spaces = large;
  large->free = LARGE_NONE;
  large->pages = (heap->options.heap_size * 2 + TNI_MIB(1)) >> LARGE_PAGE_LOG2;
  large->region = tni_region_create(
      &(tni_region_options){.size = large->pages << LARGE_PAGE_LOG2,
                            .guard = TN_VM_GRAIN,
                            .commit = TNI_COMMIT_ASK,
                            .ops = &tni_gc_owner,
                            .name = heap->options.name},
      &status);
  if (!large->region)
    return status;
  large->table = tni_region_create(
      &(tni_region_options){
          .size =
              large->pages * (sizeof(uint32_t) + (LARGE_PAGE >> TNI_CARD_LOG2)),
          .guard = TN_VM_GRAIN,
          .commit = TNI_COMMIT_TOUCH,
          .ops = &tni_gc_owner},
      &status);
  if (!large->table)
    return status;
  large->page = (uint32_t *)(void *)large->table->low;
  large->card = (unsigned char *)(large->page + large->pages);
  return TN_OK;
}

void
tni_large_fini(tn_gc *heap)
{
  tni_large *const large = large_of(heap);
  if (!large)
    return;
  if (large->table)
    tni_region_destroy(large->table);
  if (large->region)
    tni_region_destroy(large->region);
  if (large->object)
    tni_meta_free(large->object, large->room * sizeof *large->object);
  tni_meta_free(large, sizeof *large);
  heap->spaces = NULL;
}

/* ---- Finding ------------------------------------------------------------------------ */

static unsigned char *
large_start(const tni_large *large, const large_object *o)
{
  return large->region->low + (o->page << LARGE_PAGE_LOG2);
}

/* The record of what lies at address; NULL when nothing does. */
static large_object *
large_find(const tni_large *large, uintptr_t address)
{
  const size_t offset = address - tni_address(large->region->low);
  if (offset >= large->pages << LARGE_PAGE_LOG2)
    return NULL;
  const uint32_t index = large->page[offset >> LARGE_PAGE_LOG2];
  return index ? &large->object[index - 1] : NULL;
}

bool
tni_large_has(const tn_gc *heap, const void *object)
{
  const tni_large *const large = large_of(heap);
  return tni_address(object) - tni_address(large->region->low) <
         large->pages << LARGE_PAGE_LOG2;
}

void *
tni_large_resolve(const tn_gc *heap, uintptr_t word)
{
  const tni_large *const large = large_of(heap);
  const large_object *const o = large_find(large, word);
  if (!o)
    return NULL;
  unsigned char *const object = large_start(large, o) + TN_GC_HEADER;
  return *tni_header(object) != 0 &&
                 word - tni_address(object) < tni_bytes(object)
             ? object
             : NULL;
}

/* ---- Allocating ----------------------------------------------------------------------- */

/* The first of a run of free pages; SIZE_MAX when there is none. */
static size_t
large_find_run(tni_large *large, size_t pages)
{
  size_t run = 0;
  bool is_first = true;
  for (size_t p = large->rover; p < large->pages;) {
    if (large->page[p] != 0) {
      run = 0;
      p += large->object[large->page[p] - 1].pages;
      continue;
    }
    if (is_first)
      large->rover = p;
    is_first = false;
    p++;
    if (++run == pages)
      return p - pages;
  }
  return SIZE_MAX;
}

static large_object *
large_take_record(tni_large *large)
{
  if (large->free != LARGE_NONE) {
    large_object *const o = &large->object[large->free];
    large->free = (uint32_t)o->page;
    return o;
  }
  if (large->count == large->room) {
    const size_t room = large->room ? 2 * large->room : 64;
    large_object *const at = tni_meta_allocate(room * sizeof *at);
    if (!at)
      return NULL;
    if (large->object) {
      memcpy(at, large->object, large->count * sizeof *at);
      tni_meta_free(large->object, large->room * sizeof *large->object);
    }
    large->object = at;
    large->room = room;
  }
  return &large->object[large->count++];
}

static void
large_give_record(tni_large *large, large_object *o)
{
  *o = (large_object){.page = large->free};
  large->free = (uint32_t)(o - large->object);
}

void *
tni_large_allocate(tni_mutator *m, size_t bytes)
{
  tn_gc *const heap = m->heap;
  tni_large *const large = large_of(heap);
  if (bytes > SIZE_MAX - LARGE_PAGE)
    return NULL;
  const size_t pages = (bytes + LARGE_PAGE - 1) >> LARGE_PAGE_LOG2;
  if (!tni_has_room(heap, pages << LARGE_PAGE_LOG2))
    return NULL;
  const size_t page = large_find_run(large, pages);
  if (page == SIZE_MAX ||
      tni_region_ensure(large->region, (page + pages) << LARGE_PAGE_LOG2) !=
          TN_OK)
    return NULL;
  large_object *const o = large_take_record(large);
  if (!o)
    return NULL;
  *o = (large_object){.page = page, .pages = pages, .is_young = true};
  const uint32_t name = (uint32_t)(o - large->object) + 1;  // [large.page]
  for (size_t p = page; p < page + pages; p++)
    large->page[p] = name;
  (void)tni_add_relaxed(&heap->used, pages << LARGE_PAGE_LOG2);
  heap->stats.allocated_bytes += bytes;
  unsigned char *const object = large_start(large, o) + TN_GC_HEADER;
  *tni_header(object) = (uint64_t)TNI_FLAG_LARGE << TNI_FLAGS_SHIFT;
  return object;
}

static void
large_free(tn_gc *heap, large_object *o)
{
  tni_large *const large = large_of(heap);
  const size_t bytes = o->pages << LARGE_PAGE_LOG2;
  unsigned char *const start = large_start(large, o);
  if (bytes < TNI_KIB(64) || tni_os_purge(start, bytes) != TN_OK)
    memset(start, 0, bytes);  // [large.zero]
  memset(&large->page[o->page], 0, o->pages * sizeof large->page[0]);
  const size_t cards = LARGE_PAGE >> TNI_CARD_LOG2;
  memset(&large->card[o->page * cards], 0, o->pages * cards);
  large->rover = tni_min(large->rover, o->page);
  (void)tni_sub_relaxed(&heap->used, bytes);
  large_give_record(large, o);
}

/* ---- Collecting ------------------------------------------------------------------------ */

bool
tni_large_mark(tn_gc *heap, void *object)
{
  large_object *const o = large_find(large_of(heap), tni_address(object));
  return __atomic_exchange_n(&o->mark, 1, __ATOMIC_ACQ_REL) == 0;
}

bool
tni_large_is_marked(const tn_gc *heap, const void *object)
{
  const large_object *const o = large_find(large_of(heap), tni_address(object));
  return __atomic_load_n(&o->mark, __ATOMIC_RELAXED) != 0;
}

bool
tni_large_is_young(const tn_gc *heap, const void *object)
{
  return large_find(large_of(heap), tni_address(object))->is_young;
}

static unsigned
large_log_byte(const void *object)
{
  const tni_type *const type = tni_type_of(object);
  return type->shape == TNI_ARRAY && tni_bytes(object) >= LARGE_CARDED
             ? TNI_LOG_SLOTS
             : TNI_LOG_OBJECT;
}

void
tni_large_sweep(tn_gc *heap, bool young, bool logs)
{
  tni_large *const large = large_of(heap);
  for (size_t i = 0; i < large->count; i++) {
    large_object *const o = &large->object[i];
    if (o->pages == 0 || (young && !o->is_young))
      continue;
    if (o->mark == 0) {
      large_free(heap, o);
      continue;
    }
    void *const object = large_start(large, o) + TN_GC_HEADER;
    o->mark = 0;
    o->is_young = false;
    if (logs)
      *tni_logged(object) = (unsigned char)large_log_byte(object);
  }
}

bool
tni_large_walk(tn_gc *heap, tn_walk_fn *fn, void *argument)
{
  const tni_large *const large = large_of(heap);
  for (size_t i = 0; i < large->count; i++) {
    const large_object *const o = &large->object[i];
    void *const object = large_start(large, o) + TN_GC_HEADER;
    if (o->pages != 0 && tni_type_of(object) && !fn(argument, (tn_ref){object}))
      return false;
  }
  return true;
}

/* ---- Cards ------------------------------------------------------------------------------- */

static size_t
large_card(const tni_large *large, const void *slot)
{
  return (tni_address(slot) - tni_address(large->region->low)) >> TNI_CARD_LOG2;
}

bool
tni_large_dirty_card(tn_gc *heap, const void *slot)
{
  tni_large *const large = large_of(heap);
  return __atomic_exchange_n(&large->card[large_card(large, slot)], 1,
                             __ATOMIC_ACQ_REL) == 0;
}

void
tni_large_trace_card(tn_tracer *tracer, void *start, tni_visit_fn *visit)
{
  tni_large *const large = large_of(tracer->heap);
  const size_t card = large_card(large, start);
  large->card[card] = 0;
  const large_object *const o = large_find(large, tni_address(start));
  unsigned char *const object = large_start(large, o) + TN_GC_HEADER;
  const tni_type *const type = tni_type_of(object);
  const size_t low = card << TNI_CARD_LOG2;
  const size_t first_element =
      (size_t)(object - large->region->low) + type->public.size;
  if (low < first_element)
    tni_trace_map(tracer, object, type->map, visit);
  const size_t high = low + ((size_t)1 << TNI_CARD_LOG2);
  if (high <= first_element)
    return;
  const size_t first =
      low > first_element ? (low - first_element) / type->element_size : 0;
  const size_t last = tni_min((high - first_element) / type->element_size + 1,
                              tni_count(type, object));
  tni_trace_elements(tracer, type, object, first, last, visit);
}
