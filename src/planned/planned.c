/* planned.c -- the code of planned.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "planned/planned.h"

#include <string.h>

#include "event/event.h"

enum {
  PLANNED_CHUNK = 64 * 1024,  // bytes of a chunk, at least
  PLANNED_NODES = 100000,     // budget of the planner unless given
  PLANNED_MAX = INT32_MAX,    // pushes of a phase
};

/* A chunk is one block of the provider; its blocks follow, each behind a
 * planned_head. */
struct tni_planned_chunk {
  struct tni_planned_chunk *next;
  size_t size;
};

/* Stands before a block in a chunk. */
typedef union planned_head {
  struct {
    size_t entry;  // the push, while recording
    size_t size;   // 0 when popped
  } block;
  unsigned char room[TN_ALIGN];
} planned_head;

_Static_assert(sizeof(planned_head) == TN_ALIGN, "blocks stay aligned");

/* ---- Memory ---------------------------------------------------------------- */

static void *
planned_take(tn_planned *p, size_t count, size_t size)
{
  size_t bytes;
  if (!tn_size_mul(count ? count : 1, size, &bytes))
    return NULL;
  return tn_allocate(p->options.memory, bytes, TN_ALIGN).pointer;
}

static void
planned_give(tn_planned *p, void *block, size_t count, size_t size)
{
  if (block)
    tn_release(p->options.memory, block, (count ? count : 1) * size, TN_ALIGN);
}

static void
planned_free_chunks(tn_planned *p)
{
  for (struct tni_planned_chunk *chunk = p->chunks, *next; chunk;
       chunk = next) {
    next = chunk->next;
    tni_annotate_give(chunk, chunk->size);
    planned_give(p, chunk, 1, chunk->size);
  }
  p->chunks = NULL;
  p->cursor = p->limit = NULL;
}

/* Where a block of size bytes goes in [cursor, limit), its head before it;
 * NULL when there is no room. */
static unsigned char *
planned_fit(unsigned char *cursor, const unsigned char *limit, size_t size,
            size_t align)
{
  const size_t left = (size_t)(limit - cursor);
  if (left < sizeof(planned_head))
    return NULL;
  const size_t start = tni_address(cursor) + sizeof(planned_head);
  const size_t skip = sizeof(planned_head) + (-start & (align - 1));
  return left >= skip && left - skip >= size ? cursor + skip : NULL;
}

/* A chunk with room for size bytes at align becomes the newest. */
static bool
planned_add_chunk(tn_planned *p, size_t size, size_t align)
{
  size_t bytes;
  if (!tn_size_add(size, align + sizeof(planned_head) + TN_ALIGN, &bytes))
    return false;
  bytes = tni_max(bytes, PLANNED_CHUNK);
  struct tni_planned_chunk *const chunk = planned_take(p, 1, bytes);
  if (chunk == NULL)
    return false;
  _Static_assert(sizeof *chunk <= TN_ALIGN, "blocks start aligned");
  *chunk = (struct tni_planned_chunk){p->chunks, bytes};
  p->chunks = chunk;
  p->cursor = (unsigned char *)chunk + TN_ALIGN;
  p->limit = (unsigned char *)chunk + bytes;
  tni_annotate_take(p->cursor, bytes - TN_ALIGN);
  return true;
}

/* A block from a chunk; entry is its push while recording. */
static void *
planned_bump(tn_planned *p, size_t size, size_t align, size_t entry)
{
  unsigned char *block =
      p->cursor ? planned_fit(p->cursor, p->limit, size, align) : NULL;
  if (block == NULL) {
    if (!planned_add_chunk(p, size, align)) {
      tni_event_say(TN_EVENT_EXHAUSTED, "planned", p, p->cursor, size);
      return NULL;
    }
    block = planned_fit(p->cursor, p->limit, size, align);
  }
  p->cursor = block + size;
  planned_head *const head = (planned_head *)(void *)block - 1;
  tni_annotate_give(head, sizeof *head + size);
  head->block.entry = entry;
  head->block.size = size;
  return block;
}

/* ---- Recording --------------------------------------------------------------- */

static bool
planned_grow_entries(tn_planned *p)
{
  if (p->count < p->room)
    return true;
  const size_t room = p->room ? 2 * p->room : 64;
  tni_planned_entry *const entries = planned_take(p, room, sizeof *entries);
  if (entries == NULL || p->count >= PLANNED_MAX)
    return false;
  if (p->count)
    memcpy(entries, p->entries, p->count * sizeof *entries);
  planned_give(p, p->entries, p->room, sizeof *entries);
  p->entries = entries;
  p->room = room;
  return true;
}

TN_COLD static void *
planned_record(tn_planned *p, size_t size, size_t align)
{
  if (!planned_grow_entries(p))
    return NULL;
  void *const block = planned_bump(p, size, align, p->count);
  if (block)
    p->entries[p->count++] = (tni_planned_entry){.size = size, .align = align};
  return block;
}

/* ---- The table of live blocks --------------------------------------------------
 * The offsets of the plan are known when it is made, so that nothing is ever
 * taken out: a slot belongs to an offset, and says which push has it now. */

static size_t
planned_find_slot(const tn_planned *p, size_t offset)
{
  size_t at =
      (size_t)((uint64_t)(offset / TN_ALIGN) * 0x9e3779b97f4a7c15u >> 32) &
      (p->slot_count - 1);
  while (p->keys[at] && p->keys[at] != offset + 1)
    at = (at + 1) & (p->slot_count - 1);
  return at;
}

/* ---- Making the plan ------------------------------------------------------------ */

/* The arrays that the planner reads and writes. */
typedef struct planned_work {
  tn_plan_buffer *buffers;
  int64_t *offsets;
} planned_work;

/* Lifetimes in pushes: an entry lives until the first push for which it must be
 * dead.  Sizes are below 2^62, as the provider gave them all. */
static void
planned_fill(const tn_planned *p, const planned_work *w)
{
  for (size_t i = 0; i < p->count; i++) {
    const tni_planned_entry *const e = &p->entries[i];
    const size_t due = e->due ? e->due : p->count;
    w->buffers[i] = (tn_plan_buffer){(int64_t)i, (int64_t)due, (int64_t)e->size,
                                     (int64_t)e->align, TN_PLAN_FREE};
  }
}

static tn_status
planned_solve(tn_planned *p, const planned_work *w, int64_t *height)
{
  planned_fill(p, w);
  const tn_plan_problem problem = {.buffers = w->buffers, .count = p->count};
  const uint64_t nodes = p->options.nodes ? p->options.nodes : PLANNED_NODES;
  const tn_plan_options options = {.provider = p->options.memory,
                                   .nodes = nodes};
  tn_plan_result result = {.offsets = w->offsets};
  const tn_status status = p->options.solve(&problem, &options, &result);
  *height = result.height;
  return status;
}

/* Take the memory of the plan and of the tables. */
static bool
planned_take_plan(tn_planned *p, size_t size, size_t align)
{
  p->slot_count = 2;
  while (p->slot_count < 2 * p->count)
    p->slot_count *= 2;
  p->keys = planned_take(p, p->slot_count, sizeof *p->keys);
  p->live = planned_take(p, p->slot_count, sizeof *p->live);
  p->early = planned_take(p, p->count, sizeof *p->early);
  if (!p->keys || !p->live || !p->early)
    return false;
  p->plan_size = size;
  p->plan_align = align;
  p->plan = tn_allocate(p->options.memory, size, align).pointer;
  return p->plan != NULL;
}

static void
planned_free_plan(tn_planned *p)
{
  planned_give(p, p->keys, p->slot_count, sizeof *p->keys);
  planned_give(p, p->live, p->slot_count, sizeof *p->live);
  planned_give(p, p->early, p->count, sizeof *p->early);
  if (p->plan) {
    tni_annotate_give(p->plan, p->plan_size);
    tn_release(p->options.memory, p->plan, p->plan_size, p->plan_align);
  }
  p->plan = NULL;
  p->keys = NULL;
  p->live = p->early = NULL;
}

static void
planned_fill_tables(tn_planned *p, const int64_t *offsets)
{
  memset(p->keys, 0, p->slot_count * sizeof *p->keys);
  for (size_t i = 0; i < p->count; i++) {
    tni_planned_entry *const e = &p->entries[i];
    e->offset = (size_t)offsets[i];
    e->slot = (uint32_t)planned_find_slot(p, e->offset);
    p->keys[e->slot] = e->offset + 1;
    if (e->due == 0)
      e->due = (uint32_t)p->count;
    if (e->due < p->count)
      p->entries[e->due].due_before++;
  }
}

static tn_status
planned_make(tn_planned *p)
{
  size_t align = TN_ALIGN;
  for (size_t i = 0; i < p->count; i++)
    align = tni_max(align, p->entries[i].align);
  const planned_work w = {planned_take(p, p->count, sizeof *w.buffers),
                          planned_take(p, p->count, sizeof *w.offsets)};
  tn_status status = TN_ENOMEM;
  int64_t height = 0;
  if (w.buffers && w.offsets)
    status = planned_solve(p, &w, &height);
  if (status == TN_OK && height < 0)
    status = TN_ENOMEM;
  if (status == TN_OK && !planned_take_plan(p, (size_t)height, align))
    status = TN_ENOMEM;
  if (status == TN_OK) {
    planned_fill_tables(p, w.offsets);
    tni_annotate_take(p->plan, p->plan_size);
    p->report = (tn_planned_report){
        .is_planned = true, .pushes = p->count, .bytes = p->plan_size};
  } else {
    planned_free_plan(p);
  }
  planned_give(p, w.buffers, p->count, sizeof *w.buffers);
  planned_give(p, w.offsets, p->count, sizeof *w.offsets);
  return status;
}

/* ---- Replaying ------------------------------------------------------------------
 * debt counts the live entries that are due at the push that comes next, or
 * were before.  An entry that dies early is subtracted when its due comes. */

static bool
planned_is_entry(const tn_planned *p, size_t i, size_t size, size_t align)
{
  return i < p->count && p->entries[i].size == size &&
         p->entries[i].align >= align;
}

/* Entry e is dead: popped, or passed over.  What lived until the end of the
 * recorded phase is never due. */
static void
planned_settle(tn_planned *p, const tni_planned_entry *e)
{
  if (e->due == p->count)
    return;
  if (e->due <= p->next)
    p->debt--;
  else
    p->early[e->due]++;
}

static void
planned_advance(tn_planned *p)
{
  p->next++;
  if (p->next < p->count)
    p->debt += p->entries[p->next].due_before - p->early[p->next];
}

TN_COLD static void
planned_pass_over(tn_planned *p)
{
  planned_settle(p, &p->entries[p->next]);
  planned_advance(p);
}

/* A push that is not as recorded; others take no chunk: [planned.same]. */
TN_COLD static void *
planned_depart(tn_planned *p, size_t size, size_t align)
{
  void *const block = planned_bump(p, size, align, SIZE_MAX);
  p->has_departed = p->has_departed || block;
  p->report.fallback += block != NULL;
  return block;
}

/* One push that is missing or has another size is passed over, one that is new
 * is left out: both cost one block from a chunk, and the rest of the phase
 * follows the plan again. */
static void *
planned_replay(tn_planned *p, size_t size, size_t align)
{
  if (!planned_is_entry(p, p->next, size, align)) {
    if (!planned_is_entry(p, p->next + 1, size, align))
      return planned_depart(p, size, align);
    planned_pass_over(p);
  }
  if (p->debt) {  // somebody may still have these bytes: [planned.follow]
    void *const block = planned_depart(p, size, align);
    if (block)
      planned_pass_over(p);
    return block;
  }
  const tni_planned_entry *const e = &p->entries[p->next];
  TN_CHECK(p->live[e->slot] == 0, "planned.follow");
  p->live[e->slot] = (uint32_t)p->next + 1;
  planned_advance(p);
  p->report.planned++;
  tni_annotate_give(p->plan + e->offset, size);
  return p->plan + e->offset;
}

static bool
planned_is_in_plan(const tn_planned *p, const void *block)
{
  return p->plan && tni_address(block) - tni_address(p->plan) < p->plan_size;
}

static void
planned_pop_planned(tn_planned *p, unsigned char *block)
{
  const size_t slot = planned_find_slot(p, (size_t)(block - p->plan));
  TN_REQUIRE(p->live[slot] != 0, "planned.pop",
             "not a live block of this phase: popped twice?");
  if (p->live[slot] == 0)
    return;
  const tni_planned_entry *const e = &p->entries[p->live[slot] - 1];
  p->live[slot] = 0;
  planned_settle(p, e);
  tni_annotate_take(block, e->size);
}

TN_COLD static void
planned_pop_bumped(tn_planned *p, void *block)
{
  planned_head *const head = (planned_head *)block - 1;
  TN_REQUIRE(head->block.size != 0, "planned.pop",
             "not a live block of this phase: popped twice?");
  if (head->block.size == 0)
    return;
  if (p->plan == NULL)
    p->entries[head->block.entry].due = (uint32_t)p->count;
  tni_annotate_take(block, head->block.size);
  head->block.size = 0;
}

/* ---- Public ----------------------------------------------------------------------- */

static tn_block
planned_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_planned *const p = (tn_planned *)(void *)provider;
  return (tn_block){tn_planned_push(p, size, align), size, false};
}

static void
planned_provider_free(tn_provider *provider, void *pointer, size_t size,
                      size_t align)
{
  (void)size, (void)align;
  tn_planned_pop((tn_planned *)(void *)provider, pointer);
}

static size_t
planned_provider_resize(tn_provider *provider, void *pointer, size_t size,
                        size_t new_size, size_t align)
{
  (void)provider, (void)pointer, (void)align;
  return new_size <= size ? size : 0;
}

_Static_assert(offsetof(tn_planned, provider) == 0,
               "a planned arena is found from its provider");

void
tn_planned_init(tn_planned *p, const tn_planned_options *options)
{
  *p = (tn_planned){.provider = {planned_provider_allocate,
                                 planned_provider_free, planned_provider_resize,
                                 TN_PROVIDER_FREE, "planned"},
                    .options = *options};
}

void
tn_planned_fini(tn_planned *p)
{
  planned_free_plan(p);
  planned_free_chunks(p);
  planned_give(p, p->entries, p->room, sizeof *p->entries);
  *p = (tn_planned){.options = p->options};
}

void
tn_planned_begin(tn_planned *p)
{
  TN_REQUIRE(!p->is_open, "planned.phase", "the phase before has not ended");
  p->is_open = true;
  p->has_departed = false;
  p->next = p->debt = 0;
  if (p->plan == NULL) {
    p->count = 0;
    return;
  }
  memset(p->live, 0, p->slot_count * sizeof *p->live);
  memset(p->early, 0, p->count * sizeof *p->early);
}

void *
tn_planned_push(tn_planned *p, size_t size, size_t align)
{
  TN_REQUIRE(p->is_open, "planned.phase", "a push outside of a phase");
  TN_REQUIRE(tn_is_power_of_two(align), "planned.align",
             "alignment is not a power of two");
  size_t rounded;
  if (!tni_round_up_checked(size + (size == 0), TN_ALIGN, &rounded))
    return NULL;
  align = tni_max(align, TN_ALIGN);
  void *const block = p->plan ? planned_replay(p, rounded, align)
                              : planned_record(p, rounded, align);
  if (TN_DEBUG >= 1 && block)
    tni_event_say(TN_EVENT_PUSH, "planned", p, block, size);
  TN_CHECK_SLOW(tni_planned_is_valid(p), "planned.follow");
  return block;
}

void
tn_planned_pop(tn_planned *p, void *block)
{
  TN_REQUIRE(p->is_open, "planned.phase", "a pop outside of a phase");
  if (TN_DEBUG >= 1)
    tni_event_say(TN_EVENT_FREE, "planned", p, block, 0);
  if (planned_is_in_plan(p, block))
    planned_pop_planned(p, block);
  else
    planned_pop_bumped(p, block);
  TN_CHECK_SLOW(tni_planned_is_valid(p), "planned.follow");
}

tn_status
tn_planned_end(tn_planned *p)
{
  TN_REQUIRE(p->is_open, "planned.phase", "no phase has begun");
  p->is_open = false;
  planned_free_chunks(p);
  if (p->plan == NULL)
    return p->count ? planned_make(p) : TN_OK;
  tni_annotate_take(p->plan, p->plan_size);
  p->report.phases++;
  p->report.departed += p->has_departed;
  return TN_OK;
}

void
tn_planned_forget(tn_planned *p)
{
  TN_REQUIRE(!p->is_open, "planned.phase", "within a phase");
  planned_free_plan(p);
  p->report = (tn_planned_report){0};
}

tn_planned_report
tn_planned_get_report(const tn_planned *p)
{
  return p->report;
}

size_t
tn_planned_describe(const tn_planned *p, char *buffer, size_t size)
{
  const tn_planned_report *const r = &p->report;
  if (!r->is_planned)
    return tni_format(buffer, size, "planned arena: recording");
  return tni_format(buffer, size,
                    "planned arena: %zu bytes for %zu pushes; %zu phases, %zu "
                    "departed; %zu pushes planned, %zu from chunks",
                    r->bytes, r->pushes, (size_t)r->phases, (size_t)r->departed,
                    (size_t)r->planned, (size_t)r->fallback);
}

tn_provider *
tn_planned_provider(tn_planned *p)
{
  return &p->provider;
}

bool
tni_planned_is_valid(const tn_planned *p)
{
  if (p->plan == NULL)
    return p->count <= p->room && p->debt == 0;
  size_t debt = 0;
  for (size_t i = 0; i < p->slot_count; i++) {
    if (p->live[i] == 0)
      continue;
    const tni_planned_entry *const e = &p->entries[p->live[i] - 1];
    if (e->slot != i || p->live[i] > p->next)
      return false;
    debt += e->due <= p->next && e->due < p->count;
  }
  return debt == p->debt;
}
