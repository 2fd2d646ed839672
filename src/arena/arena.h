/* arena.h -- what the files of the arena layer share
 *
 * The public half is <tenure/arena.h>, where the fast paths are, and
 * <tenure/scratch.h>.
 *
 * Design    doc/design/arena.md      Tests  test/arena/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_ARENA_H
#define TNI_ARENA_H

#include <tenure/arena.h>

#include "base/base.h"
#include "os/os.h"
#include "scope/scope.h"
#include "vm/vm.h"

/* Debug builds forbid so many bytes after each block, to the tools that can
 * see it (annotate.h). */
#define TNI_ARENA_ZONE ((size_t)(TN_DEBUG >= 1 ? TN_ALIGN : 0))

/* The serial of an arena's marks and cleanups: the number of the arena above,
 * what has happened to it below. */
#define TNI_ARENA_SERIAL_BITS 40

/* At the start of every chunk. */
typedef struct tni_arena_chunk tni_arena_chunk;
struct tni_arena_chunk {
  tni_arena_chunk *below;  // owner: the chunk before; of a spare, the next
  size_t size;             // const: bytes, this record included
  unsigned char *end;      // const: multiple of TN_ALIGN
  unsigned char *cursor;   // owner: where blocks ended when it was left
  bool is_callers;         // const: the caller's buffer
};

/* low and end of an arena without a chunk: a block of 0 bytes is not NULL. */
extern __attribute__((
    visibility("hidden"))) unsigned char tni_arena_nowhere[TN_ALIGN];

/* Stop with one line about an arena. */
TN_COLD TN_NORETURN void tni_arena_die(const char *tag, const tn_arena *a,
                                       const char *format, ...) TN_PRINTF(3, 4);

/* The contract [arena.owner], in debug builds. */
void tni_arena_check_owner(const tn_arena *a);
#define TNI_ARENA_OWNED(a)                                                     \
  ((void)(TN_DEBUG >= 1 ? (tni_arena_check_owner(a), 0) : 0))

/* What tn_arena_set_source was given. */
tn_provider *tni_arena_get_source(void);

bool tni_arena_is_valid(const tn_arena *a);

static inline size_t
tni_arena_room(const tn_arena *a)
{
  return ~a->gone;
}

static inline unsigned char *
tni_arena_end(const tn_arena *a)
{
  return a->top - 1;
}

/* Blocks may go from cursor up to end. */
static inline void
tni_arena_set(tn_arena *a, const unsigned char *cursor, unsigned char *end)
{
  a->top = end + 1;
  a->gone = ~(size_t)(end - cursor);
}

/* What a mark says. */
static inline size_t
tni_arena_mark_room(tn_arena_mark mark)
{
  return ~mark.gone;
}

static inline unsigned char *
tni_arena_mark_end(tn_arena_mark mark)
{
  return mark.top - 1;
}

static inline unsigned char *
tni_arena_mark_cursor(tn_arena_mark mark)
{
  return tni_arena_mark_end(mark) - tni_arena_mark_room(mark);
}

/* The first byte for blocks of a chunk. */
static inline unsigned char *
tni_arena_first(tni_arena_chunk *chunk)
{
  return (unsigned char *)chunk + tni_round_up(sizeof *chunk, (size_t)TN_ALIGN);
}

/* Note that going back is no longer a matter of room: [arena.quiet]. */
static inline void
tni_arena_stir(tn_arena *a)
{
  a->cleanups.serial++;
  a->quiet = a->zero ? 0 : a->cleanups.serial;
}

/* Make the current chunk, or the region's usable part, have room for need
 * bytes; false, and nothing has changed, when that cannot be had. */
bool tni_arena_grow(tn_arena *a, size_t need);

/* A block of size bytes, in any build: without zone, poison or event. */
void *tni_arena_take(tn_arena *a, size_t size, size_t align);

/* What vsnprintf does, when format has plain conversions only (plain.c) and the
 * text fits; SIZE_MAX when not, with to and args in any state.  room may be 0. */
size_t tni_arena_format_plain(char *to, size_t room, const char *format,
                              va_list *args) TN_PRINTF(3, 0);

/* [low, high) is free from now on: zeroed, or in debug builds overwritten and
 * forbidden. */
void tni_arena_release(const tn_arena *a, unsigned char *low,
                       const unsigned char *high);

/* Go back to cursor in the chunk that ends at end; cleanups have run. */
void tni_arena_drop(tn_arena *a, const unsigned char *end,
                    unsigned char *cursor);

/* Take a chunk of the source, or a spare one, that has room for need bytes;
 * NULL for none.  Give all spares back, but keep at most keep bytes of all. */
tni_arena_chunk *tni_arena_chunk_take(tn_arena *a, size_t need);
void tni_arena_chunk_trim(tn_arena *a, size_t keep);
/* Make chunk, with nothing in it, the current one. */
void tni_arena_chunk_enter(tn_arena *a, tni_arena_chunk *chunk);
/* Leave the current chunk for the one below; it becomes a spare. */
void tni_arena_chunk_leave(tn_arena *a);

/* The arena's functions as a provider. */
tn_provider tni_arena_make_provider(const char *name);

#endif
