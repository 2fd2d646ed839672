#include <tenure/obstack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena/arena.h"

/* glibc's chunks are 4096 less what its malloc adds. */
#define OBSTACK_CHUNK 4064

static TN_NORETURN void
obstack_say_failed(void)
{
  static const char text[] = "memory exhausted\n";
  tni_os_write_error(text, sizeof text - 1);
  exit(tni_obstack_exit_failure);
}

void (*tni_obstack_failed)(void) = obstack_say_failed;
int tni_obstack_exit_failure = EXIT_FAILURE;

/* ---- The program's functions as a provider -------------------------------- */

static tn_block
obstack_source_allocate(tn_provider *provider, size_t size, size_t align)
{
  const tni_obstack_source *const source = (tni_obstack_source *)provider;
  (void)align;  // what malloc aligns to
  void *const p = source->alloc_arg ? source->alloc_arg(source->argument, size)
                                    : source->alloc(size);
  return (tn_block){p, p ? size : 0, false};
}

static void
obstack_source_free(tn_provider *provider, void *pointer, size_t size,
                    size_t align)
{
  const tni_obstack_source *const source = (tni_obstack_source *)provider;
  (void)size, (void)align;
  if (source->alloc_arg)
    source->free_arg(source->argument, pointer);
  else
    source->free(pointer);
}

/* ---- The growing object ------------------------------------------------------ */

/* Begin an empty object at the cursor, aligned as the program asks. */
static void
obstack_begin_object(struct obstack *h)
{
  tn_arena *const a = &h->arena;
  const size_t skip = -tni_address(tni_arena_cursor(a)) & h->alignment_mask;
  if (skip >= TN_ALIGN && skip <= tni_arena_room(a))
    (void)tni_arena_take(a, skip & ~(size_t)(TN_ALIGN - 1), TN_ALIGN);
  const size_t room = tni_arena_room(a);
  h->object_base = h->next_free = (char *)tni_arena_cursor(a);
  h->chunk_limit = h->object_base + (room - tni_min(room, TNI_ARENA_ZONE));
  if (TN_DEBUG >= 1)
    tni_annotate_give(h->object_base,
                      (size_t)(h->chunk_limit - h->object_base));
  /* Where it cannot be aligned, it cannot begin. */
  if ((tni_address(h->object_base) & h->alignment_mask) >= TN_ALIGN)
    h->chunk_limit = h->next_free;
}

void
tni_obstack_begin(struct obstack *h, size_t size, size_t align,
                  tni_obstack_source source)
{
  memset(h, 0, sizeof *h);
  h->source = source;
  h->source.provider = (tn_provider){.allocate = obstack_source_allocate,
                                     .free = obstack_source_free,
                                     .capabilities = TN_PROVIDER_FREE,
                                     .name = "obstack"};
  h->chunk_size = size ? size : OBSTACK_CHUNK;
  h->alignment_mask = align ? align - 1 : TN_ALIGN - 1;
  const tn_arena_options options = {.name = "obstack",
                                    .provider = &h->source.provider,
                                    .chunk = h->chunk_size};
  (void)tn_arena_create(&h->arena, &options);  // asks for nothing
  obstack_begin_object(h);
  tni_obstack_more(h, 0);
}

/* Find room for size more bytes of the growing object, and move it there. */
void
tni_obstack_more(struct obstack *h, size_t size)
{
  tn_arena *const a = &h->arena;
  TNI_ARENA_OWNED(a);
  char *const old = h->object_base;
  const size_t have = obstack_object_size(h);
  const size_t extra = h->alignment_mask + TNI_ARENA_ZONE + have / 8;
  size_t need;
  TN_CHECK(old == (char *)tni_arena_cursor(a), "obstack.cursor");
  if (!tn_size_add(have, size, &need) || !tn_size_add(need, extra, &need) ||
      !tni_arena_grow(a, tni_max(need, tni_arena_room(a) + 1))) {
    tni_obstack_failed();
    tni_fatal("tenure: obstack_alloc_failed_handler has returned");
  }
  obstack_begin_object(h);
  memcpy(h->object_base, old, have);
  h->next_free = h->object_base + have;
}

void *
tni_obstack_finish(struct obstack *h)
{
  tn_arena *const a = &h->arena;
  TNI_ARENA_OWNED(a);
  char *const object = h->object_base;
  const size_t size = obstack_object_size(h);
  TN_CHECK(object == (char *)tni_arena_cursor(a), "obstack.cursor");
  if (TN_DEBUG >= 1)
    tni_annotate_take(h->next_free, (size_t)(h->chunk_limit - h->next_free));
  if (size + TNI_ARENA_ZONE > 0)
    (void)tni_arena_take(a, size + TNI_ARENA_ZONE, TN_ALIGN);
  obstack_begin_object(h);
  return object;
}

void
tni_obstack_free(struct obstack *h, void *object)
{
  tn_arena *const a = &h->arena;
  TNI_ARENA_OWNED(a);
  if (object == NULL) {
    tn_arena_destroy(a);
    return;
  }
  unsigned char *const p = object;
  while (a->chunk && (p < tni_arena_first(a->chunk) || p > a->chunk->end))
    tni_arena_chunk_leave(a);
  TN_REQUIRE(a->chunk != NULL, "arena.last",
             "what is freed is not an object of this obstack");
  if (a->chunk == NULL)
    return;
  const size_t offset = (size_t)(p - a->low);
  unsigned char *const cursor = a->low + tni_round_up(offset, (size_t)TN_ALIGN);
  if (cursor < tni_arena_cursor(a))
    tni_arena_drop(a, a->chunk->end, cursor);
  tni_arena_chunk_trim(a, 0);
  obstack_begin_object(h);
}

/* ---- printf -------------------------------------------------------------------- */

int
tni_obstack_vprintf(struct obstack *h, const char *format, va_list args)
{
  va_list again;
  va_copy(again, args);
  size_t room = obstack_room(h);
  const int length = vsnprintf(room ? h->next_free : NULL, room, format, args);
  if (length >= 0 && (size_t)length >= room) {
    tni_obstack_room(h, (size_t)length + 1);
    (void)vsnprintf(h->next_free, (size_t)length + 1, format, again);
  }
  va_end(again);
  h->next_free += length > 0 ? length : 0;
  return length;
}

int
tni_obstack_printf(struct obstack *h, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  const int length = tni_obstack_vprintf(h, format, args);
  va_end(args);
  return length;
}
