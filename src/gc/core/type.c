/* type.c -- making types; the contract is in <tenure/gc_type.h> */
#include "gc/core/core.h"

#define TYPE_WORD sizeof(void *)

/* Does every bit of map name a whole word below size? */
static bool
type_map_fits(uint64_t map, size_t size)
{
  const size_t words = size / TYPE_WORD;
  return words >= 64 || map >> words == 0;
}

static bool
type_offsets_fit(const tn_type_spec *spec)
{
  for (size_t i = 0; i < spec->offset_count; i++)
    if (spec->offsets[i] % TYPE_WORD != 0 || spec->size < TYPE_WORD ||
        spec->offsets[i] > spec->size - TYPE_WORD)
      return false;
  return true;
}

/* How references are found; -1 when two ways are given at once. */
static int
type_shape(const tn_type_spec *spec)
{
  const bool by_list = spec->offset_count != 0;
  if (spec->trace)
    return spec->map || by_list || spec->element_map || spec->ambiguous
               ? -1
               : TNI_FUNCTION;
  if (by_list)
    return spec->map || spec->element_map || spec->ambiguous ? -1 : TNI_OFFSETS;
  if (spec->ambiguous)
    return spec->element_map ? -1 : TNI_AMBIGUOUS;
  if (spec->element_map)
    return TNI_ARRAY;
  return spec->map ? TNI_MAP : TNI_LEAF;
}

static bool
type_is_sound(const tn_type_spec *spec)
{
  const bool has_elements = spec->element_size != 0;
  return spec->name && spec->size < SIZE_MAX / 4 &&
         spec->element_size < SIZE_MAX / 4 && spec->offset_count < UINT32_MAX &&
         (spec->offset_count == 0 || spec->offsets) &&
         (!has_elements
              ? spec->element_map == 0
              : spec->count_offset % sizeof(size_t) == 0 &&
                    spec->size >= sizeof(size_t) &&
                    spec->count_offset <= spec->size - sizeof(size_t)) &&
         (spec->element_map == 0 ||
          (spec->element_size % TYPE_WORD == 0 && spec->size % TYPE_WORD == 0));
}

static bool
type_maps_fit(const tn_type_spec *spec)
{
  return type_map_fits(spec->map | spec->ambiguous, spec->size) &&
         (spec->map & spec->ambiguous) == 0 &&
         type_map_fits(spec->element_map, spec->element_size) &&
         type_offsets_fit(spec);
}

/* The map that says what a list of offsets does; 0 when none can. */
static uint64_t
type_list_map(const tn_type_spec *spec)
{
  uint64_t map = 0;
  for (size_t i = 0; i < spec->offset_count; i++) {
    const size_t word = spec->offsets[i] / TYPE_WORD;
    if (word >= 64)
      return 0;
    map |= (uint64_t)1 << word;
  }
  return map;
}

/* Bytes of an object that is scanned by its map alone; 0: of another. */
static size_t
type_plain(const tn_type_spec *spec, tni_shape shape, size_t bytes)
{
  return (shape == TNI_MAP || shape == TNI_LEAF) && spec->element_size == 0 &&
                 bytes <= TN_GC_LARGE
             ? bytes
             : 0;
}

static tni_type *
type_make(tn_gc *heap, const tn_type_spec *spec, tni_shape shape)
{
  const uint64_t list_map = type_list_map(spec);
  if (list_map)
    shape = TNI_MAP;
  const size_t list = list_map ? 0 : spec->offset_count * sizeof(uint32_t);
  tni_type *const type = tni_meta_allocate(sizeof *type + list);
  if (!type)
    return NULL;
  uint32_t *const offsets = (uint32_t *)(void *)(type + 1);
  if (list)
    memcpy(offsets, spec->offsets, list);
  const size_t bytes =
      TN_GC_HEADER +
      tni_max(tni_round_up(spec->size, TN_GC_GRANULE), TN_GC_GRANULE);
  *type = (tni_type){
      .public = {.size = spec->size, .name = spec->name},
      .bytes = bytes,
      .plain = (uint32_t)type_plain(spec, shape, bytes),
      .element_size = spec->element_size,
      .count_offset = spec->count_offset,
      .map = spec->map | list_map,
      .element_map = spec->element_map,
      .ambiguous = spec->ambiguous,
      .offsets = offsets,
      .offset_count = (uint32_t)spec->offset_count,
      .shape = shape,
      .trace = spec->trace,
      .next = heap->types,
  };
  heap->types = type;
  return type;
}

const tn_type *
tn_gc_type(tn_gc *heap, const tn_type_spec *spec, tn_status *status)
{
  tn_status ignored;
  tn_status *const out = status ? status : &ignored;
  *out = TN_EINVAL;
  TNI_GC_REQUIRE(type_is_sound(spec), "gc.size",
                 "a type's sizes do not make sense", NULL);
  TNI_GC_REQUIRE(type_maps_fit(spec), "gc.map",
                 "a type's map reaches beyond its size", NULL);
  const int shape = type_shape(spec);
  TNI_GC_REQUIRE(shape >= 0, "gc.map",
                 "a type says twice where its references are", NULL);
  *out = TN_ENOTSUP;
  if (shape == TNI_AMBIGUOUS && heap->collector->moves_everything) {
    static const char text[] = "tenure: this collector moves every object and "
                               "cannot have ambiguous fields\n";
    tni_os_write_error(text, sizeof text - 1);
    return NULL;
  }
  tni_world_lock(heap);
  tni_type *const type = type_make(heap, spec, (tni_shape)shape);
  heap->has_ambiguous_fields |= shape == TNI_AMBIGUOUS;
  tni_world_unlock(heap);
  *out = type ? TN_OK : TN_ENOMEM;
  return type ? &type->public : NULL;
}

bool
tni_types_init(tn_gc *heap)
{
  tni_type *const weak = type_make(
      heap,
      &(tn_type_spec){.name = "weak reference", .size = 2 * sizeof(void *)},
      TNI_WEAK);
  tni_type *const ephemeron = type_make(
      heap, &(tn_type_spec){.name = "ephemeron", .size = 3 * sizeof(void *)},
      TNI_EPHEMERON);
  if (!weak || !ephemeron)
    return false;
  heap->weak_type = &weak->public;
  heap->ephemeron_type = &ephemeron->public;
  return true;
}

void
tni_types_free(tn_gc *heap)
{
  while (heap->types) {
    tni_type *const type = heap->types;
    heap->types = type->next;
    tni_meta_free(type, sizeof *type + type->offset_count * sizeof(uint32_t));
  }
}

bool
tni_type_is_known(const tn_gc *heap, const tni_type *wanted)
{
  for (const tni_type *t = heap->types; t; t = t->next)
    if (t == wanted)
      return true;
  return false;
}
