#include <tenure/shared.h>

#include "event/event.h"
#include "os/os.h"
#include "pool/pool.h"
#include "pool/stacks.h"

enum {
  SHARED_MOST = (1 << 20) - 1,
  SHARED_SHARDS = 8,
  SHARED_LINE = 128,  // bytes apart: a cache line, and the one fetched with it
  SHARED_RUN =
      SHARED_LINE / 4,  // blocks carved at once: those of a line of links
};

/* Lies at the start of the pool's memory; heads and links follow it. */
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): lines of their own
struct tn_shared {
  tni_stacks stacks;              // const
  unsigned char *blocks;          // const
  size_t size;                    // const: bytes asked for a block
  size_t stride;                  // const: bytes from block to block
  size_t align;                   // const
  uint64_t inverse;               // const: of the odd part of stride
  unsigned shift;                 // const: the rest of stride, as a power of 2
  uint32_t most;                  // const: blocks
  struct tni_region *regions[2];  // const: of this and links, of blocks; NULL
                                  // with a provider
  tn_provider *memory;            // const
  size_t bytes;                   // const: of the provider's block
  const char *name;               // const
  _Alignas(
      SHARED_LINE) _Atomic uint32_t fresh;  // atomic: the first block never
                                            // handed out
  _Atomic uint32_t room;  // atomic: acq/rel; blocks that there is memory for
};

/* Growing is rare: one lock for all pools. */
static tni_os_lock shared_grow_lock = {.rank = TNI_RANK_REGION};
/* Threads get their shards in turn. */
static _Atomic uint32_t shared_threads;

/* Which shard is this thread's, before the remainder. */
static unsigned
shared_thread(void)
{
  static TNI_THREAD_LOCAL unsigned number;
  if (TN_UNLIKELY(number == 0))
    number = tni_add_relaxed(&shared_threads, 1) + 1;
  return number;
}

/* ---- Numbers of blocks --------------------------------------------------- */

static unsigned char *
shared_block(const tn_shared *shared, uint32_t index)
{
  return shared->blocks + index * shared->stride;
}

/* The inverse of an odd number modulo 2^64, by Newton's iteration: each step
 * doubles the bits that are right, of which there are 3 at first. */
static uint64_t
shared_invert(uint64_t odd)
{
  uint64_t inverse = odd;
  for (int i = 0; i < 5; i++)
    inverse *= 2 - odd * inverse;
  return inverse;
}

/* The number of a block, without a division; what is not the start of one gives
 * a number larger than any (Granlund and Montgomery 1994, section 9). */
static uint64_t
shared_index(const tn_shared *shared, const void *p)
{
  const uint64_t product =
      (uint64_t)(tni_address(p) - tni_address(shared->blocks)) *
      shared->inverse;
  const unsigned shift = shared->shift;
  return product >> shift | product << (-shift & 63);
}

static tni_block_info
shared_find_block(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  const size_t usable = tni_load_acquire(&region->usable);
  if (usable == 0)
    return (tni_block_info){region->low, 0, false, false};
  const tn_shared *shared;
  memcpy(&shared, region->low, sizeof(void *));
  const size_t index =
      (tni_address(p) - tni_address(shared->blocks)) / shared->stride;
  if (index >= tni_load_relaxed(&shared->fresh))
    return (tni_block_info){region->low, usable, false, false};
  return (tni_block_info){
      shared_block(shared, (uint32_t)index), shared->size, true,
      tni_load_relaxed(&shared->stacks.links[index]) == STACKS_LIVE};
}

static tni_block_info
shared_find_record(const tni_owner *owner, const void *p)
{
  const tni_region *const region = (const tni_region *)owner;
  (void)p;
  return (tni_block_info){region->low, tni_load_acquire(&region->usable), false,
                          false};
}

static const tni_owner_ops shared_block_ops = {"shared", shared_find_block};
static const tni_owner_ops shared_record_ops = {"shared", shared_find_record};

/* ---- Life ---------------------------------------------------------------- */

/* Where heads, links and blocks begin, from the record on. */
typedef struct shared_layout {
  size_t heads, links, blocks, end;
} shared_layout;

/* false when it overflows. */
static bool
shared_lay_out(const tn_shared *shared, shared_layout *to)
{
  to->heads = sizeof *shared;
  to->links = to->heads + (size_t)shared->stacks.count * SHARED_LINE;
  size_t size;
  return tni_round_up_checked(to->links + shared->most * sizeof(uint32_t),
                              tni_max(shared->align, sizeof(void *)),
                              &to->blocks) &&
         tn_size_mul(shared->most, shared->stride, &size) &&
         tn_size_add(to->blocks, size, &to->end);
}

/* The record and its heads, in place. */
static tn_shared *
shared_settle(void *memory, const tn_shared *made, const shared_layout *layout)
{
  unsigned char *const start = memory;
  tn_shared *const shared = memory;
  memcpy(shared, made, sizeof *shared);
  shared->stacks.heads = (_Atomic uint64_t *)(void *)(start + layout->heads);
  shared->stacks.links = (_Atomic uint32_t *)(void *)(start + layout->links);
  for (unsigned i = 0; i < shared->stacks.count; i++)
    atomic_init(&shared->stacks.heads[i * shared->stacks.step],
                shared->stacks.mask);
  return shared;
}

/* Memory of its own: two regions. */
static tn_status
shared_reserve(tn_shared *made, const shared_layout *layout, tn_shared **out)
{
  const size_t head = tni_max(made->align, sizeof(void *));
  if (made->align > tni_os_get_config()->page_size)
    return TN_ERANGE;
  tni_region_options how = {
      .size = layout->blocks,
      .initial = layout->links,
      .commit = TNI_COMMIT_ASK,
      .ops = &shared_record_ops,
      .name = made->name,
  };
  tn_status status;
  made->regions[0] = tni_region_create(&how, &status);
  if (made->regions[0] == NULL)
    return status;
  how.size = layout->end - layout->blocks + head;
  how.initial = head;
  how.ops = &shared_block_ops;
  made->regions[1] = tni_region_create(&how, &status);
  if (made->regions[1] == NULL) {
    tni_region_destroy(made->regions[0]);
    return status;
  }
  made->blocks = made->regions[1]->low + head;
  *out = shared_settle(made->regions[0]->low, made, layout);
  memcpy(made->regions[1]->low, out, sizeof(void *));
  return TN_OK;
}

/* Memory of a provider: one block. */
static tn_status
shared_take(tn_shared *made, const shared_layout *layout, tn_shared **out)
{
  const tn_block block =
      tn_allocate(made->memory, layout->end, tni_max(made->align, SHARED_LINE));
  if (block.pointer == NULL)
    return TN_ENOMEM;
  made->bytes = layout->end;
  made->blocks = (unsigned char *)block.pointer + layout->blocks;
  atomic_init(&made->room, made->most);
  if (TN_DEBUG >= 1)
    tni_annotate_take(made->blocks, layout->end - layout->blocks);
  *out = shared_settle(block.pointer, made, layout);
  return TN_OK;
}

tn_status
tn_shared_create(tn_shared **out, size_t size, const tn_shared_options *options)
{
  static const tn_shared_options defaults;
  const tn_shared_options *const how = options ? options : &defaults;
  TNI_VM_REQUIRE(size > 0, "shared.size", "a shared pool of blocks of 0 bytes");
  TNI_VM_REQUIRE(how->align == 0 || tn_is_power_of_two(how->align),
                 "shared.align", "the alignment of blocks is no power of two");
  tn_shared made = {
      .stacks = {.count = how->shards ? how->shards : SHARED_SHARDS,
                 .step = SHARED_LINE / sizeof(uint64_t)},
      .size = size,
      .align = how->align ? how->align : tni_min(size & -size, TN_ALIGN),
      .most = how->most ? how->most : SHARED_MOST,
      .memory = how->memory,
      .name = how->name,
  };
  shared_layout layout;
  if (made.most >= UINT32_C(1) << 31 || made.stacks.count > STACKS_MOST ||
      !tn_is_power_of_two(made.stacks.count) ||
      !tni_round_up_checked(size, made.align, &made.stride) ||
      !shared_lay_out(&made, &layout))
    return TN_ERANGE;
  made.stacks.mask = (UINT32_C(2) << tni_log2_floor(made.most)) - 1;
  made.shift = (unsigned)__builtin_ctzl(made.stride);
  made.inverse = shared_invert(made.stride >> made.shift);
  return made.memory ? shared_take(&made, &layout, out)
                     : shared_reserve(&made, &layout, out);
}

void
tn_shared_destroy(tn_shared *shared)
{
  const size_t align = tni_max(shared->align, SHARED_LINE);
  if (TN_DEBUG >= 1)
    tni_annotate_give_defined(shared->blocks,
                              tni_load_relaxed(&shared->room) * shared->stride);
  if (shared->memory) {
    tn_release(shared->memory, shared, shared->bytes, align);
    return;
  }
  tni_region_destroy(shared->regions[1]);
  tni_region_destroy(shared->regions[0]);
}

/* ---- Allocate ------------------------------------------------------------ */

/* Memory for blocks up to the one with this index; false when there is none. */
static bool
shared_ensure(tn_shared *shared, uint32_t index)
{
  const size_t head = (size_t)(shared->blocks - shared->regions[1]->low);
  const size_t links = tni_address(shared->stacks.links) - tni_address(shared);
  const size_t count = index + (size_t)1;
  if (tni_region_ensure(shared->regions[0], links + count * sizeof(uint32_t)) !=
          TN_OK ||
      tni_region_ensure(shared->regions[1], head + count * shared->stride) !=
          TN_OK)
    return false;
  const size_t words = (tni_load_relaxed(&shared->regions[0]->usable) - links) /
                       sizeof(uint32_t);
  const size_t fit =
      (tni_load_relaxed(&shared->regions[1]->usable) - head) / shared->stride;
  const size_t room = tni_min(tni_min(words, fit), shared->most);
  if (TN_DEBUG >= 1) {
    const uint32_t before = tni_load_relaxed(&shared->room);
    tni_annotate_take(shared_block(shared, before),
                      (room - before) * shared->stride);
  }
  /* Pairs with the acquire in shared_carve: the pages are there. */
  tni_store_release(&shared->room, (uint32_t)room);
  return true;
}

/* The memory that block `index` needs; true when it is worth trying again. */
static TN_COLD bool
shared_grow(tn_shared *shared, uint32_t index)
{
  if (index >= shared->most)
    return false;
  tni_os_fork_lock(&shared_grow_lock);
  tni_os_lock_acquire(&shared_grow_lock);
  const bool is_there =
      index < tni_load_relaxed(&shared->room) || shared_ensure(shared, index);
  tni_os_lock_release(&shared_grow_lock);
  return is_there;
}

/* A block that was never handed out, or the mask.  Its neighbours go to the
 * thread's own stack, so that two threads that begin at once do not get every
 * second block and write to the same lines for ever. */
static uint32_t
shared_carve(tn_shared *shared, unsigned mine)
{
  uint32_t index = tni_load_relaxed(&shared->fresh), end;
  for (;;) {
    /* Pairs with the release in shared_ensure. */
    const uint32_t room = tni_load_acquire(&shared->room);
    end = (index | (SHARED_RUN - 1)) + 1;
    end = end < room ? end : room;
    if (index >= room) {
      if (!shared_grow(shared, index))
        return shared->stacks.mask;
      index = tni_load_relaxed(&shared->fresh);
    } else if (tni_cas_acq_rel(&shared->fresh, &index, end)) {
      break;
    }
  }
  tni_store_relaxed(&shared->stacks.links[index], STACKS_LIVE);
  while (--end > index)
    tni_stacks_push(&shared->stacks, mine & (shared->stacks.count - 1), end);
  return index;
}

/* The stacks' tags and orders are what [shared.live], [shared.order] and
 * [shared.aba] rest on. */
void *
tn_shared_alloc(tn_shared *shared)
{
  const unsigned mine = shared_thread();
  uint32_t index = tni_stacks_try(&shared->stacks, mine);
  if (index == shared->stacks.mask) {
    index = shared_carve(shared, mine);
    /* There is nothing fresh, nor will be: [shared.full]. */
    if (index == shared->stacks.mask)
      index = tni_stacks_take(&shared->stacks, mine);
    if (index == shared->stacks.mask) {
      tni_event_say(TN_EVENT_EXHAUSTED, "shared", shared, shared->blocks,
                    shared->stride);
      return NULL;
    }
  }
  unsigned char *const block = shared_block(shared, index);
  if (TN_DEBUG >= 1) {
    tni_annotate_give(block, shared->size);
    memset(block, 0xcd, shared->size);
    tni_annotate_give(block, shared->size);
    tni_event_say(TN_EVENT_PUSH, "shared", shared, block, shared->size);
  }
  return block;
}

/* ---- Free ---------------------------------------------------------------- */

static TN_COLD TN_NORETURN void
shared_say(const tn_shared *shared, const void *block, bool is_foreign)
{
  char text[200];
  tni_format(text, sizeof text,
             is_foreign
                 ? "%p is freed into shared pool %s: it is no block of it"
                 : "block %p of shared pool %s is freed twice",
             block, shared->name ? shared->name : "without a name");
  tn_contract_broken(is_foreign ? "shared.foreign" : "shared.twice", text,
                     __FILE__, __LINE__);
}

/* Whether the caller, and nobody else, may free the block. */
static bool
shared_claim(tn_shared *shared, const void *block, uint64_t index)
{
  const bool is_checked = TN_DEBUG >= 1 || TN_HARDEN >= 1;
  if (TN_UNLIKELY(index >= tni_load_relaxed(&shared->fresh))) {
    if (is_checked)
      shared_say(shared, block, true);
    return false;
  }
  _Atomic uint32_t *const link = &shared->stacks.links[index];
  uint32_t expected = STACKS_LIVE;
  /* Checked builds decide between two that free at once, as well. */
  if (is_checked ? tni_cas_acq_rel(link, &expected, 0)
                 : tni_load_relaxed(link) == STACKS_LIVE)
    return true;
  if (is_checked)
    shared_say(shared, block, false);
  return false;
}

void
tn_shared_free(tn_shared *shared, void *block)
{
  const uint64_t index = shared_index(shared, block);
  if (!shared_claim(shared, block, index))
    return;
  if (TN_DEBUG >= 1) {
    memset(block, 0xdd, shared->size);
    tni_annotate_take(block, shared->size);
    tni_event_say(TN_EVENT_FREE, "shared", shared, block, shared->size);
  }
  tni_stacks_push(&shared->stacks, shared_thread() & (shared->stacks.count - 1),
                  (uint32_t)index);
}

void
tn_shared_free_all(tn_shared *shared)
{
  const uint64_t mask = shared->stacks.mask;
  for (unsigned i = 0; i < shared->stacks.count; i++) {
    _Atomic uint64_t *const at = &shared->stacks.heads[i * shared->stacks.step];
    const uint64_t tag = (tni_load_relaxed(at) & ~mask) + mask + 1;
    tni_store_release(at, tag | mask);
  }
  if (TN_DEBUG >= 1)
    tni_annotate_take(shared->blocks,
                      tni_load_relaxed(&shared->fresh) * shared->stride);
  tni_store_release(&shared->fresh, 0);
}

tn_shared_stats
tn_shared_get_stats(const tn_shared *shared)
{
  tn_shared_stats stats = {
      .size = shared->size,
      .stride = shared->stride,
      .used = tni_load_acquire(&shared->fresh),
      .most = shared->most,
      .shards = shared->stacks.count,
  };
  for (uint32_t i = 0; i < stats.used; i++)
    stats.live += tni_load_relaxed(&shared->stacks.links[i]) == STACKS_LIVE;
  return stats;
}

/* ---- As a provider ------------------------------------------------------- */

static tn_block
shared_provider_allocate(tn_provider *provider, size_t size, size_t align)
{
  tn_shared *const shared = ((tn_shared_provider *)provider)->shared;
  if (size > shared->size || tni_max(align, TN_ALIGN) > shared->align)
    return (tn_block){NULL, 0, false};
  void *const block = tn_shared_alloc(shared);
  return (tn_block){block, block ? shared->size : 0, false};
}

static void
shared_provider_free(tn_provider *provider, void *pointer, size_t size,
                     size_t align)
{
  (void)size, (void)align;
  tn_shared_free(((tn_shared_provider *)provider)->shared, pointer);
}

static size_t
shared_provider_resize(tn_provider *provider, void *pointer, size_t size,
                       size_t new_size, size_t align)
{
  const tn_shared *const shared = ((tn_shared_provider *)provider)->shared;
  (void)pointer, (void)size, (void)align;
  return new_size <= shared->size ? shared->size : 0;
}

tn_shared_provider
tn_shared_provide(tn_shared *shared)
{
  return (tn_shared_provider){{.allocate = shared_provider_allocate,
                               .free = shared_provider_free,
                               .resize = shared_provider_resize,
                               .capabilities = TN_PROVIDER_FREE |
                                               TN_PROVIDER_RESIZE |
                                               TN_PROVIDER_THREADS,
                               .name = shared->name ? shared->name : "shared"},
                              shared};
}
