/* linear.c -- disciplines that free in an order, or all at once */
#include "adapters.h"

#include <tenure/arena.h>
#include <tenure/bump.h>
#include <tenure/ring.h>
#include <tenure/stack.h>

/* ---- tn_local ---------------------------------------------------------------- */

static tn_stack local_stack;
static tn_local local;
static tn_stack_provider local_provider;

static size_t local_size;

static void
local_open(void)
{
  (void)tn_frame_push(&local_stack, 0, "local");
  local = tn_local_open(&local_stack, local_size);
}

static bool
local_begin(size_t capacity, size_t size)
{
  (void)size;
  local_size = capacity;
  const tn_stack_options options = {.size = capacity + 4096};
  if (tn_stack_create(&local_stack, &options) != TN_OK)
    return false;
  local_open();
  return local.cursor != NULL;
}

static uintptr_t
local_alloc(size_t size)
{
  return (uintptr_t)tn_local_push(&local, ROUND(size));
}

static void
local_free(uintptr_t token, size_t size)
{
  (void)token;
  tn_local_pop(&local, ROUND(size));
}

static void
local_release(void)
{
  (void)tn_frame_pop(&local_stack, local_stack.frame);
  local_open();
}

static void
local_end(void)
{
  tn_stack_fini(&local_stack);
}

static tn_provider *
local_provide(void)
{
  local_provider = tn_stack_provide(&local_stack);
  return &local_provider.provider;
}

static void
local_twice(void)
{
  local_free(local_alloc(64), 64);
  local_free(0, 64);
}

static void
local_stale(void)
{
  const uintptr_t a = local_alloc(64);
  local_free(a, 64);
  memset(POINTER(a), 0x5c, 64);
  KEEP(local_alloc(64));
  KEEP(local_alloc(64));
}

static void
local_beyond(void)
{
  TOUCH(local_stack.limit);
}

#define D             local
#define D_ALLOC(size) tn_local_push(&local, size)
#define D_AT          POINTER
#define D_FREE(t, s)  (KEEP(t), tn_local_pop(&local, s))
#define D_ORDER       NEWEST
#include "workload.h"

/* ---- tn_frame: each block in a frame of its own -------------------------------- */

static tn_stack frame_stack;

static bool
frame_begin(size_t capacity, size_t size)
{
  (void)size;
  const tn_stack_options options = {.size = capacity};
  return tn_stack_create(&frame_stack, &options) == TN_OK;
}

static uintptr_t
frame_alloc(size_t size)
{
  tn_frame *const frame = tn_frame_push(&frame_stack, 0, "block");
  return frame && tn_stack_alloc(&frame_stack, size, TN_ALIGN)
             ? (uintptr_t)frame
             : 0;
}

static void *
frame_at(uintptr_t token)
{
  return (unsigned char *)POINTER(token) + ROUND(sizeof(tn_frame));
}

static void
frame_free(uintptr_t token, size_t size)
{
  (void)size;
  (void)tn_frame_pop(&frame_stack, (tn_frame *)POINTER(token));
}

static void
frame_release(void)
{
  while (frame_stack.frame)
    (void)tn_frame_pop(&frame_stack, frame_stack.frame);
}

static void
frame_end(void)
{
  tn_stack_fini(&frame_stack);
}

static tn_provider *
frame_provide(void)
{
  local_provider = tn_stack_provide(&frame_stack);
  return &local_provider.provider;
}

CRIMES(frame, frame_alloc, frame_free, 64)

static void
frame_order(void)
{
  const uintptr_t first = frame_alloc(64);
  (void)frame_alloc(64);
  frame_free(first, 64);
}

static void
frame_beyond(void)
{
  TOUCH(frame_stack.limit);
}

#define D             frame
#define D_ALLOC(size) frame_alloc(size)
#define D_AT          frame_at
#define D_FREE(t, s)  frame_free(t, s)
#define D_ORDER       NEWEST
#include "workload.h"

/* ---- bump ---------------------------------------------------------------------- */

static tn_bump bump, bump_full;
static tn_bump_provider bump_provider;

static bool
bump_begin(size_t capacity, size_t size)
{
  (void)size;
  const tn_bump_options options = {.size = capacity, .avoid_huge = true};
  if (tn_bump_create(&bump, &options) != TN_OK)
    return false;
  bump_full = bump;
  return true;
}

static uintptr_t
bump_alloc(size_t size)
{
  return (uintptr_t)tn_bump_push(&bump, (uint32_t)size);
}

static void
bump_release(void)
{
  tn_bump_reset(&bump);
}

static void
bump_end(void)
{
  tn_bump_destroy(&bump);
}

static tn_provider *
bump_provide(void)
{
  bump_provider = tn_bump_provide(&bump);
  return &bump_provider.provider;
}

static void
bump_stale(void)
{
  unsigned char *const p = tn_bump_push(&bump, 64);
  tn_bump_reset(&bump);
  memset(p, 0x5c, 64);
  KEEP(tn_bump_push(&bump, 64));
  KEEP(tn_bump_push(&bump, 64));
}

static void
bump_beyond(void)
{
  TOUCH((unsigned char *)POINTER(bump_alloc(64)) + 64 + 4096);
}

#define D             bump
#define D_ALLOC(size) tn_bump_push(&bump, size)
#define D_AT          POINTER
#define D_RELEASE()   tn_bump_reset(&bump)
#include "workload.h"

/* ---- arena --------------------------------------------------------------------- */

static tn_arena arena;

static bool
arena_begin(size_t capacity, size_t size)
{
  (void)size;
  const tn_arena_options options = {.size = capacity};
  return tn_arena_create(&arena, &options) == TN_OK;
}

static uintptr_t
arena_alloc(size_t size)
{
  return (uintptr_t)tn_arena_try(&arena, size);
}

static void
arena_release(void)
{
  tn_arena_reset(&arena);
}

static void
arena_end(void)
{
  tn_arena_destroy(&arena);
}

static tn_provider *
arena_provide(void)
{
  return tn_arena_provider(&arena);
}

static void
arena_twice(void)
{
  tn_arena *const a = &arena;
  (void)tn_arena_push(a, 64);
  const tn_arena_mark outer = tn_arena_get_mark(a);
  (void)tn_arena_push(a, 64);
  const tn_arena_mark inner = tn_arena_get_mark(a);
  tn_arena_rewind(a, outer);
  tn_arena_rewind(a, inner);  // what it marks is gone
}

static void
arena_foreign(void)
{
  tn_arena other;
  if (tn_arena_create(&other, NULL) != TN_OK)
    exit(1);
  (void)tn_arena_push(&arena, 64);
  tn_arena_rewind(&arena, tn_arena_get_mark(&other));
}

static void
arena_stale(void)
{
  unsigned char *const p = tn_arena_push(&arena, 64);
  tn_arena_reset(&arena);
  memset(p, 0x5c, 64);
  KEEP(tn_arena_push(&arena, 64));
  KEEP(tn_arena_push(&arena, 64));
}

/* Far enough to be past rounding up of its size. */
static void
arena_beyond(void)
{
  unsigned char *const p = tn_arena_push(&arena, 64);
  TOUCH(p + ((size_t)4 << 20));
}

#define D             arena
#define D_ALLOC(size) tn_arena_push(&arena, size)
#define D_AT          POINTER
#define D_RELEASE()   tn_arena_reset(&arena)
#include "workload.h"

/* ---- ring ---------------------------------------------------------------------- */

static tn_ring ring;
static tn_ring_provider ring_provider;

static bool
ring_begin(size_t capacity, size_t size)
{
  (void)size;
  return tn_ring_create(&ring, capacity, NULL) == TN_OK;
}

static uintptr_t
ring_alloc(size_t size)
{
  return (uintptr_t)tn_ring_push(&ring, size);
}

static void
ring_free(uintptr_t token, size_t size)
{
  tn_ring_pop(&ring, POINTER(token), size);
}

static void
ring_release(void)
{
  tn_ring_reset(&ring);
}

static void
ring_end(void)
{
  tn_ring_destroy(&ring);
}

static tn_provider *
ring_provide(void)
{
  ring_provider = tn_ring_provide(&ring);
  return &ring_provider.provider;
}

CRIMES(ring, ring_alloc, ring_free, 64)

static void
ring_order(void)
{
  (void)ring_alloc(64);
  ring_free(ring_alloc(64), 64);
}

static void
ring_beyond(void)
{
  unsigned char *const p = (unsigned char *)POINTER(ring_alloc(64));
  TOUCH(p + 2 * ((size_t)1 << 20));  // both views
}

#define D             ring
#define D_ALLOC(size) tn_ring_push(&ring, size)
#define D_AT          POINTER
#define D_FREE(t, s)  tn_ring_pop(&ring, POINTER(t), s)
#define D_ORDER       OLDEST
#include "workload.h"

/* ---- The rows ------------------------------------------------------------------- */

const table_discipline table_linear[] = {
    {ROW(local, TABLE_NEWEST, same_address), .free = local_free,
     .release = local_release, .provide = local_provide, .twice = local_twice},
    {ROW(frame, TABLE_NEWEST, frame_at), .free = frame_free,
     .release = frame_release, .provide = frame_provide, .twice = frame_twice,
     .foreign = frame_foreign, .order_of = frame_order},
    {ROW(bump, TABLE_ALL, same_address), .release = bump_release,
     .provide = bump_provide},
    {ROW(arena, TABLE_ALL, same_address), .release = arena_release,
     .provide = arena_provide, .twice = arena_twice, .foreign = arena_foreign},
    {ROW(ring, TABLE_OLDEST, same_address), .free = ring_free,
     .release = ring_release, .provide = ring_provide, .twice = ring_twice,
     .foreign = ring_foreign, .order_of = ring_order},
};
const size_t table_linear_count = sizeof table_linear / sizeof *table_linear;
