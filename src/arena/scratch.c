#include <tenure/scratch.h>

#include "arena/arena.h"

/* A thread that never went so far has nothing worth giving back. */
#define SCRATCH_LITTLE TNI_MIB(1)

typedef struct scratch_record scratch_record;
struct scratch_record {
  tn_arena arena;        // first
  scratch_record *next;  // owner
  tn_provider *source;   // const: of this record; NULL: vm's records
  unsigned depth;        // owner: how many borrow it
};

static TNI_THREAD_LOCAL scratch_record *scratch_first;  // the thread's

/* The key whose destructor ends a thread's arenas; made by the first thread. */
static struct {
  tni_os_lock lock;
  bool is_made;       // lock: lock
  tni_os_tls at_end;  // lock: lock; constant once is_made
} scratch_process;

/* A program that has a source of its own asks the system for nothing. */
static scratch_record *
scratch_allocate(void)
{
  tn_provider *const source = tni_arena_get_source();
  scratch_record *const record =
      source ? tn_allocate(source, sizeof *record, _Alignof(scratch_record))
                   .pointer
             : tni_meta_allocate(sizeof *record);
  if (record)
    *record = (scratch_record){.source = source};
  return record;
}

static void
scratch_free(scratch_record *record)
{
  if (record->source)
    tn_release(record->source, record, sizeof *record,
               _Alignof(scratch_record));
  else
    tni_meta_free(record, sizeof *record);
}

static void
scratch_destroy(scratch_record *record)
{
  tn_arena_destroy(&record->arena);
  scratch_free(record);
}

static void
scratch_destroy_all(void *unused)
{
  (void)unused;
  while (scratch_first) {
    scratch_record *const record = scratch_first;
    TN_REQUIRE(record->depth == 0, "scratch.order",
               "a thread's scratch arenas end while one is borrowed");
    scratch_first = record->next;
    scratch_destroy(record);
  }
}

void
tn_scratch_fini(void)
{
  scratch_destroy_all(NULL);
}

/* Have scratch_destroy_all called when this thread ends.  Without keys left
 * its arenas stay until the process ends: that costs only memory. */
static void
scratch_watch_thread(void)
{
  tni_os_lock_acquire(&scratch_process.lock);
  if (!scratch_process.is_made)
    scratch_process.is_made = tni_os_tls_create(&scratch_process.at_end,
                                                scratch_destroy_all) == TN_OK;
  const bool is_made = scratch_process.is_made;
  tni_os_lock_release(&scratch_process.lock);
  if (is_made)
    (void)tni_os_tls_store(scratch_process.at_end, &scratch_process);
}

/* One more arena, after the others; NULL when there is no memory. */
static scratch_record *
scratch_add(scratch_record **at)
{
  scratch_record *const record = scratch_allocate();
  if (record == NULL)
    return NULL;
  const tn_arena_options options = {.name = "scratch"};
  if (tn_arena_create(&record->arena, &options) != TN_OK) {
    scratch_free(record);
    return NULL;
  }
  if (scratch_first == NULL)
    scratch_watch_thread();
  *at = record;
  return record;
}

static bool
scratch_conflicts(const scratch_record *record, tn_arena *const *conflicts,
                  size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (conflicts[i] == &record->arena)
      return true;
  }
  return false;
}

tn_scratch
tn_scratch_begin(tn_arena *const *conflicts, size_t count)
{
  /* The first of the list: without conflicts that is always one and the same
   * [scratch.same], and never a conflict [scratch.other]. */
  scratch_record **at = &scratch_first;
  unsigned seen = 0;
  for (; *at && scratch_conflicts(*at, conflicts, count); at = &(*at)->next)
    seen++;
  scratch_record *record = *at;
  if (TN_UNLIKELY(record == NULL)) {
    TN_REQUIRE(seen < TN_SCRATCH_MOST, "scratch.conflicts",
               "a thread has 64 scratch arenas in conflict: more cannot be "
               "meant");
    record = seen < TN_SCRATCH_MOST ? scratch_add(at) : NULL;
    if (record == NULL)
      return (tn_scratch){0};
  }
  return (tn_scratch){&record->arena, tn_arena_get_mark(&record->arena),
                      ++record->depth};
}

/* Whether it may have memory that is worth giving back. */
static bool
scratch_is_large(const tn_arena *a)
{
  const size_t held = a->region ? a->region->decay.resident : a->held;
  return tni_max(held, a->deep) > SCRATCH_LITTLE;
}

void
tn_scratch_end(tn_scratch scratch)
{
  scratch_record *const record = (scratch_record *)scratch.arena;
  TN_REQUIRE(record->depth == scratch.depth, "scratch.order",
             "a scratch arena is given back before what was borrowed of it "
             "later, or twice");
  record->depth = scratch.depth - 1;
  if (record->depth == 0 && scratch_is_large(&record->arena))
    tn_arena_reset(&record->arena);
  else
    tn_arena_rewind(&record->arena, scratch.mark);
}
