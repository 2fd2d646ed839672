#include <tenure/handles.h>

#include "event/event.h"
#include "os/os.h"
#include "pool/pool.h"

enum { HANDLES_MOST = (1 << 20) - 1 };
/* Objects of the pool's own address space begin here, after the pointer to it
 * that tn_describe needs, so that they have any alignment up to a page. */
#define HANDLES_HEAD(handles) tni_max((handles)->align, sizeof(void *))

static bool
handles_is_valid(const tn_handles *handles)
{
  return handles->count <= handles->room && handles->room <= handles->most &&
         handles->live + handles->retired <= handles->count &&
         (handles->free < handles->count || handles->free == handles->mask);
}

static unsigned char *
handles_object(const tn_handles *handles, uint32_t index)
{
  return handles->objects + index * handles->stride;
}

/* ---- Life ---------------------------------------------------------------- */

static tni_block_info
handles_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  if (usable == 0)
    return (tni_block_info){region->low, 0, false, false};
  const tn_handles *handles;
  memcpy(&handles, region->low, sizeof(void *));
  const size_t offset = tni_address(p) - tni_address(handles->objects);
  const size_t index = offset / handles->stride;
  if (index >= handles->count)
    return (tni_block_info){region->low, usable, false, false};
  const uint32_t word = handles->words[index];
  return (tni_block_info){handles_object(handles, (uint32_t)index),
                          handles->size, true, (word & handles->mask) == index};
}

static tni_block_info
handles_find_word(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  (void)p;
  return (tni_block_info){region->low, tni_load_acquire(&region->usable), false,
                          false};
}

static const tni_owner_ops handles_object_ops = {"handles", handles_find_block};
static const tni_owner_ops handles_word_ops = {"handles", handles_find_word};

/* Memory of its own: two regions, of which nothing is usable yet but the page
 * with the head. */
static tn_status
handles_reserve(tn_handles *handles, tn_handles *address)
{
  const size_t page = tni_os_get_config()->page_size;
  size_t bytes;
  if (handles->align > page ||
      !tn_size_mul(handles->most, handles->stride, &bytes) ||
      !tn_size_add(bytes, HANDLES_HEAD(handles), &bytes))
    return TN_ERANGE;
  tni_region_options how = {
      .size = handles->most * sizeof *handles->words,
      .commit = TNI_COMMIT_ASK,
      .ops = &handles_word_ops,
      .name = handles->name,
  };
  tn_status status;
  handles->regions[0] = tni_region_create(&how, &status);
  if (handles->regions[0] == NULL)
    return status;
  how.size = bytes;
  how.ops = &handles_object_ops;
  how.initial = HANDLES_HEAD(handles);
  handles->regions[1] = tni_region_create(&how, &status);
  if (handles->regions[1] == NULL) {
    tni_region_destroy(handles->regions[0]);
    return status;
  }
  memcpy(handles->regions[1]->low, &address, sizeof(void *));
  handles->words = (uint32_t *)(void *)handles->regions[0]->low;
  handles->objects = handles->regions[1]->low + HANDLES_HEAD(handles);
  return TN_OK;
}

/* Memory of a provider: one block, objects first. */
static tn_status
handles_take(tn_handles *handles)
{
  size_t objects;
  if (!tn_size_mul(handles->most, handles->stride, &objects) ||
      !tni_round_up_checked(objects, sizeof(uint32_t), &objects) ||
      !tn_size_add(objects, handles->most * sizeof(uint32_t), &handles->bytes))
    return TN_ERANGE;
  const tn_block block = tn_allocate(handles->memory, handles->bytes,
                                     tni_max(handles->align, sizeof(uint32_t)));
  if (block.pointer == NULL)
    return TN_ENOMEM;
  handles->objects = block.pointer;
  handles->words = (uint32_t *)(void *)(handles->objects + objects);
  handles->room = handles->most;
  if (TN_DEBUG >= 1)
    tni_annotate_take(handles->objects, objects);
  return TN_OK;
}

/* Bits of index, tag and generation; false when they do not fit. */
static bool
handles_lay_out(tn_handles *handles, const tn_handles_options *how)
{
  const unsigned index_bits = tni_log2_floor(handles->most) + 1;
  if (how->tag_bits > 30 - index_bits || how->tag >> how->tag_bits != 0)
    return false;
  handles->mask = (UINT32_C(1) << index_bits) - 1;
  handles->tag = how->tag << index_bits;
  handles->generation = UINT32_C(1) << (index_bits + how->tag_bits);
  handles->free = handles->mask;
  return tni_round_up_checked(handles->size, handles->align, &handles->stride);
}

tn_status
tn_handles_create(tn_handles *handles, size_t size,
                  const tn_handles_options *options)
{
  static const tn_handles_options defaults;
  const tn_handles_options *const how = options ? options : &defaults;
  TNI_VM_REQUIRE(size > 0, "handles.size", "a pool of objects of 0 bytes");
  TNI_VM_REQUIRE(how->align == 0 || tn_is_power_of_two(how->align),
                 "handles.align",
                 "the alignment of objects is no power of two");
  tn_handles made = {
      .size = size,
      .align = how->align ? how->align : tni_min(size & -size, TN_ALIGN),
      .most = how->most ? how->most : HANDLES_MOST,
      .memory = how->memory,
      .name = how->name,
  };
  if (made.most >= UINT32_C(1) << 30 || !handles_lay_out(&made, how))
    return TN_ERANGE;
  const tn_status status =
      made.memory ? handles_take(&made) : handles_reserve(&made, handles);
  if (status == TN_OK)
    *handles = made;
  return status;
}

void
tn_handles_destroy(tn_handles *handles)
{
  TN_CHECK(handles_is_valid(handles), "handles.word");
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(handles->objects,
                              handles->room * handles->stride);
  if (handles->memory) {
    tn_release(handles->memory, handles->objects, handles->bytes,
               tni_max(handles->align, sizeof(uint32_t)));
  } else {
    tni_region_destroy(handles->regions[0]);
    tni_region_destroy(handles->regions[1]);
  }
  *handles = (tn_handles){.size = 0};
}

/* ---- Allocate and free --------------------------------------------------- */

/* Memory for one slot more. */
static bool
handles_grow(tn_handles *handles)
{
  if (handles->count == handles->most || handles->memory)
    return false;
  const size_t count = handles->count + (size_t)1;
  tni_region *const objects = handles->regions[1];
  if (tni_region_ensure(handles->regions[0], count * sizeof(uint32_t)) !=
          TN_OK ||
      tni_region_ensure(objects, HANDLES_HEAD(handles) +
                                     count * handles->stride) != TN_OK)
    return false;
  const size_t words = tni_load_relaxed(&handles->regions[0]->usable);
  const size_t usable = tni_load_relaxed(&objects->usable);
  const size_t fit =
      tni_min(words / sizeof(uint32_t),
              (usable - HANDLES_HEAD(handles)) / handles->stride);
  const uint32_t room = (uint32_t)tni_min(fit, handles->most);
  if (TN_DEBUG >= 1)
    tni_annotate_take(handles_object(handles, handles->room),
                      (room - handles->room) * handles->stride);
  handles->room = room;
  return true;
}

/* A slot that is not live; its word has the generation to use.  The mask when
 * there is none. */
static uint32_t
handles_take_slot(tn_handles *handles)
{
  const uint32_t index = handles->free;
  if (index != handles->mask) {
    handles->free = handles->words[index] & handles->mask;
    return index;
  }
  if (handles->count == handles->room && !handles_grow(handles)) {
    tni_event_say(TN_EVENT_EXHAUSTED, "handles", handles, handles->objects,
                  handles->size);
    return handles->mask;
  }
  /* Generations begin with 1, so that no handle is 0. */
  handles->words[handles->count] = handles->generation | handles->tag;
  return handles->count++;
}

tn_handle
tni_handles_alloc(tn_handles *handles, void **object)
{
  TN_CHECK(handles_is_valid(handles), "handles.word");
  const uint32_t index = handles_take_slot(handles);
  if (index == handles->mask)
    return (tn_handle){0};
  const uint32_t bits = (handles->words[index] & ~handles->mask) | index;
  handles->words[index] = bits;
  handles->live++;
  unsigned char *const at = handles_object(handles, index);
  if (TN_DEBUG >= 1) {
    tni_annotate_give(at, handles->size);
    memset(at, 0xcd, handles->size);
    tni_annotate_give(at, handles->size);
    tni_event_say(TN_EVENT_PUSH, "handles", handles, at, handles->size);
  }
  if (object != NULL)
    *object = at;
  return (tn_handle){bits};
}

/* The slot is free, or retired when this was its last generation: by
 * [handles.once] it may not begin again. */
static void
handles_release_slot(tn_handles *handles, uint32_t index)
{
  uint32_t *const word = &handles->words[index];
  uint32_t next;
  handles->live--;
  if (__builtin_add_overflow(*word & ~handles->mask, handles->generation,
                             &next)) {
    *word |= handles->mask;
    handles->retired++;
  } else {
    *word = next | handles->free;
    handles->free = index;
  }
  if (TN_DEBUG >= 1) {
    unsigned char *const at = handles_object(handles, index);
    memset(at, 0xdd, handles->size);
    tni_annotate_take(at, handles->size);
    tni_event_say(TN_EVENT_FREE, "handles", handles, at, handles->size);
  }
}

bool
tni_handles_free(tn_handles *handles, tn_handle handle)
{
  TN_CHECK(handles_is_valid(handles), "handles.word");
  if (tn_handles_get(handles, handle) == NULL) {
    if (TN_DEBUG >= 1 || TN_HARDEN >= 1)
      tni_handles_bad(handles, handle, "freed");
    return false;
  }
  handles_release_slot(handles, handle.bits & handles->mask);
  return true;
}

void
tn_handles_free_all(tn_handles *handles)
{
  for (uint32_t i = handles->count; i-- > 0;)
    if ((handles->words[i] & handles->mask) == i)
      handles_release_slot(handles, i);
}

/* ---- Questions ----------------------------------------------------------- */

tn_handle
tn_handles_next(const tn_handles *handles, tn_handle handle)
{
  uint32_t i = handle.bits == 0 ? 0 : (handle.bits & handles->mask) + 1;
  for (; i < handles->count; i++)
    if ((handles->words[i] & handles->mask) == i)
      return (tn_handle){handles->words[i]};
  return (tn_handle){0};
}

tn_handle
tn_handles_of(const tn_handles *handles, const void *object)
{
  const size_t offset = tni_address(object) - tni_address(handles->objects);
  const size_t index = offset / handles->stride;
  if (index >= handles->count || offset % handles->stride != 0 ||
      (handles->words[index] & handles->mask) != index)
    return (tn_handle){0};
  return (tn_handle){handles->words[index]};
}

tn_handles_stats
tn_handles_get_stats(const tn_handles *handles)
{
  return (tn_handles_stats){
      .size = handles->size,
      .stride = handles->stride,
      .live = handles->live,
      .used = handles->count,
      .retired = handles->retired,
      .most = handles->most,
      .uses_per_slot = UINT32_MAX / handles->generation,
  };
}

/* Whether handle was given out once: its slot has come to its generation. */
static bool
handles_is_stale(const tn_handles *handles, tn_handle handle)
{
  const uint32_t index = handle.bits & handles->mask;
  const uint32_t tag_mask = (handles->generation - 1) & ~handles->mask;
  if (index >= handles->count || (handle.bits & tag_mask) != handles->tag ||
      handle.bits < handles->generation)
    return false;
  const uint32_t word = handles->words[index];
  const uint32_t now = word / handles->generation;
  const uint32_t then = handle.bits / handles->generation;
  /* A retired slot keeps the generation of its last object. */
  const bool is_retired = (word & handles->mask) == handles->mask &&
                          now == UINT32_MAX / handles->generation;
  return then < now || (is_retired && then == now);
}

void
tni_handles_bad(const tn_handles *handles, tn_handle handle, const char *what)
{
  char text[200];
  const bool is_stale = handles_is_stale(handles, handle);
  tni_format(text, sizeof text, "handle 0x%x is %s in pool %s: %s",
             (unsigned)handle.bits, what,
             handles->name ? handles->name : "without a name",
             is_stale           ? "its object has been freed"
             : handle.bits == 0 ? "it is none"
                                : "it is not of this pool");
  tn_contract_broken(is_stale ? "handles.stale" : "handles.foreign", text,
                     __FILE__, __LINE__);
}

/* ---- As a provider --------------------------------------------------------- */

static tn_block
handles_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_handles *const handles = ((tn_handles_provider *)provider)->handles;
  void *object = NULL;
  if (size > handles->size || tni_max(align, TN_ALIGN) > handles->align ||
      tn_handles_alloc(handles, &object).bits == 0)
    return (tn_block){NULL, 0, false};
  return (tn_block){object, handles->size, false};
}

static void
handles_provider_free(tn_provider *provider, void *pointer, size_t size,
                      size_t align)
{
  tn_handles *const handles = ((tn_handles_provider *)provider)->handles;
  (void)size, (void)align;
  tn_handles_free(handles, tn_handles_of(handles, pointer));
}

static size_t
handles_provider_resize(tn_provider *provider, void *pointer, size_t size,
                        size_t new_size, size_t align)
{
  const tn_handles *const handles = ((tn_handles_provider *)provider)->handles;
  (void)pointer, (void)size, (void)align;
  return new_size <= handles->size ? handles->size : 0;
}

tn_handles_provider
tn_handles_provide(tn_handles *handles)
{
  return (tn_handles_provider){
      {.allocate = handles_provider_allocate,
       .free = handles_provider_free,
       .resize = handles_provider_resize,
       .capabilities = TN_PROVIDER_FREE | TN_PROVIDER_RESIZE,
       .name = handles->name ? handles->name : "handles"},
      handles};
}
