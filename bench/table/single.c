/* single.c -- disciplines that free single blocks in any order */
#include "adapters.h"

#include <stdio.h>

#include <tenure/buddy.h>
#include <tenure/handles.h>
#include <tenure/heap.h>
#include <tenure/pool.h>
#include <tenure/shared.h>

unsigned short table_random_order[TABLE_BATCH];

/* ---- pool ---------------------------------------------------------------------- */

static tn_pool pool;
static tn_pool_provider pool_provider;

static bool
pool_begin(size_t capacity, size_t size)
{
  const tn_pool_options options = {.most = capacity / size};
  return tn_pool_create(&pool, size, &options) == TN_OK;
}

static uintptr_t
pool_alloc(size_t size)
{
  (void)size;
  return (uintptr_t)tn_pool_alloc(&pool);
}

static void
pool_free(uintptr_t token, size_t size)
{
  (void)size;
  tn_pool_free(&pool, POINTER(token));
}

static void
pool_release(void)
{
  tn_pool_free_all(&pool);
}

static void
pool_end(void)
{
  tn_pool_destroy(&pool);
}

static tn_provider *
pool_provide(void)
{
  pool_provider = tn_pool_provide(&pool);
  return &pool_provider.provider;
}

CRIMES(pool, pool_alloc, pool_free, 64)

static void
pool_beyond(void)
{
  TOUCH((unsigned char *)POINTER(pool_alloc(64)) + ((size_t)4 << 20));
}

#define D             pool
#define D_ALLOC(size) tn_pool_alloc(&pool)
#define D_AT          POINTER
#define D_FREE(t, s)  tn_pool_free(&pool, POINTER(t))
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- handles ------------------------------------------------------------------- */

#define HANDLE(token) ((tn_handle){(uint32_t)(token)})

static tn_handles handles;
static tn_handles_provider handles_provider;

static bool
handles_begin(size_t capacity, size_t size)
{
  const tn_handles_options options = {.most = (uint32_t)(capacity / size)};
  return tn_handles_create(&handles, size, &options) == TN_OK;
}

static uintptr_t
handles_alloc(size_t size)
{
  void *object;
  (void)size;
  return tn_handles_alloc(&handles, &object).bits;
}

static void *
handles_get(uintptr_t token)
{
  return tn_handles_get(&handles, HANDLE(token));
}

static void
handles_free(uintptr_t token, size_t size)
{
  (void)size;
  (void)tn_handles_free(&handles, HANDLE(token));
}

static void
handles_release(void)
{
  tn_handles_free_all(&handles);
}

static void
handles_end(void)
{
  tn_handles_destroy(&handles);
}

static tn_provider *
handles_provide(void)
{
  handles_provider = tn_handles_provide(&handles);
  return &handles_provider.provider;
}

/* In a release build the answer is false, or NULL: the program is told. */
static void
told(bool is_served)
{
  if (is_served)
    return;
  fputs("the handle is stale\n", stderr);
  abort();
}

static void
handles_twice(void)
{
  const tn_handle a = HANDLE(handles_alloc(64));
  (void)tn_handles_free(&handles, a);
  told(tn_handles_free(&handles, a));
}

static void
handles_foreign(void)
{
  told(tn_handles_free(&handles, HANDLE(0x12345)));
}

static void
handles_stale(void)
{
  const tn_handle a = HANDLE(handles_alloc(64));
  (void)tn_handles_free(&handles, a);
  KEEP(handles_alloc(64));
  told(tn_handles_get(&handles, a) != NULL);
}

static void
handles_beyond(void)
{
  TOUCH((unsigned char *)handles_get(handles_alloc(64)) + ((size_t)4 << 20));
}

#define D             handles
#define D_ALLOC(size) handles_alloc(size)
#define D_AT          handles_get
#define D_FREE(t, s)  tn_handles_free(&handles, HANDLE(t))
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- shared -------------------------------------------------------------------- */

static tn_shared *shared;
static tn_shared_provider shared_provider;

static bool
shared_begin(size_t capacity, size_t size)
{
  const tn_shared_options options = {.most = (uint32_t)(capacity / size)};
  return tn_shared_create(&shared, size, &options) == TN_OK;
}

static uintptr_t
shared_alloc(size_t size)
{
  (void)size;
  return (uintptr_t)tn_shared_alloc(shared);
}

static void
shared_free(uintptr_t token, size_t size)
{
  (void)size;
  tn_shared_free(shared, POINTER(token));
}

static void
shared_release(void)
{
  tn_shared_free_all(shared);
}

static void
shared_end(void)
{
  tn_shared_destroy(shared);
}

static tn_provider *
shared_provide(void)
{
  shared_provider = tn_shared_provide(shared);
  return &shared_provider.provider;
}

CRIMES(shared, shared_alloc, shared_free, 64)

static void
shared_beyond(void)
{
  TOUCH((unsigned char *)POINTER(shared_alloc(64)) + ((size_t)4 << 20));
}

#define D             shared
#define D_ALLOC(size) tn_shared_alloc(shared)
#define D_AT          POINTER
#define D_FREE(t, s)  tn_shared_free(shared, POINTER(t))
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- buddy, over a buffer -------------------------------------------------------- */

static tn_buddy buddy;
static tn_buddy_provider buddy_provider;
static unsigned char *buddy_buffer;
static size_t buddy_size;

static bool
buddy_begin(size_t capacity, size_t size)
{
  (void)size;
  buddy_size = capacity + capacity / 8;
  buddy_buffer = malloc(buddy_size);
  return buddy_buffer &&
         tn_buddy_over(&buddy, buddy_buffer, buddy_size, 16) == TN_OK;
}

static uintptr_t
buddy_alloc(size_t size)
{
  return (uintptr_t)tn_buddy_alloc(&buddy, size);
}

static void
buddy_free(uintptr_t token, size_t size)
{
  (void)size;
  tn_buddy_free(&buddy, POINTER(token));
}

static void
buddy_release(void)
{
  tn_buddy_leave(&buddy);
  (void)tn_buddy_over(&buddy, buddy_buffer, buddy_size, 16);
}

static void
buddy_end(void)
{
  tn_buddy_leave(&buddy);
  free(buddy_buffer);
}

static tn_provider *
buddy_provide(void)
{
  buddy_provider = tn_buddy_provide(&buddy);
  return &buddy_provider.provider;
}

CRIMES(buddy, buddy_alloc, buddy_free, 64)

static void
buddy_beyond(void)
{
  TOUCH(buddy_buffer + buddy_size);
}

#define D             buddy
#define D_ALLOC(size) tn_buddy_alloc(&buddy, size)
#define D_AT          POINTER
#define D_FREE(t, s)  tn_buddy_free(&buddy, POINTER(t))
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- heap ---------------------------------------------------------------------- */

static tn_heap *heap;
static tn_heap_local *heap_here;  // the calling thread's handle
static size_t heap_limit;

static bool
heap_begin(size_t capacity, size_t size)
{
  const tn_heap_options options = {.limit = capacity + (1 << 20)};
  (void)size;
  heap_limit = capacity;
  heap = tn_heap_create(&options, NULL);
  heap_here = heap ? tn_heap_here(heap) : NULL;
  return heap_here != NULL;
}

static uintptr_t
heap_alloc(size_t size)
{
  return (uintptr_t)tn_heap_allocate(heap, size, TN_ALIGN, 0).pointer;
}

static void
heap_free(uintptr_t token, size_t size)
{
  tn_heap_free(heap, POINTER(token), size, TN_ALIGN);
}

static void
heap_end(void)
{
  tn_heap_destroy(heap);
}

static void
heap_release(void)
{
  heap_end();
  (void)heap_begin(heap_limit, 0);
}

static tn_provider *
heap_provide(void)
{
  return tn_heap_provider(heap);
}

CRIMES(heap, heap_alloc, heap_free, 64)
AT_ITS_END(heap, heap_alloc, 64)

#define D             heap
#define D_ALLOC(size) tn_heap_take(heap_here, size)
#define D_AT          POINTER
#define D_FREE(t, s)  tn_heap_give(heap_here, POINTER(t), s)
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- malloc -------------------------------------------------------------------- */

static bool
malloc_begin(size_t capacity, size_t size)
{
  (void)capacity, (void)size;
  return true;
}

static uintptr_t
malloc_alloc(size_t size)
{
  return (uintptr_t)malloc(size);
}

static void
malloc_free(uintptr_t token, size_t size)
{
  (void)size;
  free(POINTER(token));
}

static void
malloc_end(void)
{
}

CRIMES(malloc, malloc_alloc, malloc_free, 64)
AT_ITS_END(malloc, malloc_alloc, 64)

#define D             malloc
#define D_ALLOC(size) malloc(size)
#define D_AT          POINTER
#define D_FREE(t, s)  free(POINTER(t))
#define D_ORDER       RANDOM
#include "workload.h"

/* ---- The rows ------------------------------------------------------------------- */

const table_discipline table_single[] = {
    {ROW(pool, TABLE_ANY, same_address), .has_one_size = true,
     .free = pool_free, .release = pool_release, .provide = pool_provide,
     .twice = pool_twice, .foreign = pool_foreign},
    {ROW(handles, TABLE_ANY, handles_get), .has_one_size = true,
     .free = handles_free, .release = handles_release,
     .provide = handles_provide, .twice = handles_twice,
     .foreign = handles_foreign},
    {ROW(shared, TABLE_ANY, same_address), .has_one_size = true,
     .free = shared_free, .release = shared_release, .provide = shared_provide,
     .twice = shared_twice, .foreign = shared_foreign},
    {ROW(buddy, TABLE_ANY, same_address), .free = buddy_free,
     .release = buddy_release, .provide = buddy_provide, .twice = buddy_twice,
     .foreign = buddy_foreign},
    {ROW(heap, TABLE_ANY, same_address), .free = heap_free,
     .release = heap_release, .provide = heap_provide, .has_threads = true,
     .twice = heap_twice, .foreign = heap_foreign},
    {ROW(malloc, TABLE_ANY, same_address), .free = malloc_free,
     .has_threads = true, .twice = malloc_twice, .foreign = malloc_foreign},
};
const size_t table_single_count = sizeof table_single / sizeof *table_single;
