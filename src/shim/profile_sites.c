/* profile_sites.c -- the samples that are written down; see profile.h
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "os/os.h"
#include "shim/profile.h"

#define SITES_CHAINS   4096u  // of sites, and of places
#define SITES_MIN_LIVE 256u   // entries of the first live table
#define SITES_ENTRY    sizeof(tni_profile_block)

_Atomic(tni_profile_site *) tni_profile_sites;
_Atomic(tni_profile_place *) tni_profile_places;

/* Apart: what follows is 64 KiB of zeros, which are not in the file. */
static tni_os_lock sites_lock = {.rank = TNI_RANK_PROFILE};

static struct {
  tni_profile_block *live;  // lock: open addressing, a power of two; at most
                            // half full
  size_t capacity;          // lock
  size_t count;             // lock
  tni_profile_site *site[SITES_CHAINS];    // lock: chains by hash
  tni_profile_place *place[SITES_CHAINS];  // lock
  uint32_t places;                         // lock: so many
} sites_state;

static uint64_t
sites_mix(uint64_t hash, uintptr_t word)
{
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

/* ---- Sites and places: only ever added ---------------------------------------------- */

/* The place of a pc; NULL: no memory. */
static const tni_profile_place *
sites_place(uintptr_t pc)
{
  tni_profile_place **const chain =
      &sites_state.place[sites_mix(0, pc) % SITES_CHAINS];
  for (const tni_profile_place *at = *chain; at; at = at->next)
    if (at->pc == pc)
      return at;
  tni_profile_place *const place = tni_meta_allocate(sizeof *place);
  if (!place)
    return NULL;
  place->pc = pc;
  place->number = ++sites_state.places;
  place->next = *chain;
  place->older = tni_load_relaxed(&tni_profile_places);
  *chain = place;
  /* Pairs with the writer's acquire: [profile.site]. */
  tni_store_release(&tni_profile_places, place);
  return place;
}

static bool
sites_is(const tni_profile_site *site, const uintptr_t *pc, unsigned depth)
{
  if (site->depth != depth)
    return false;
  for (unsigned i = 0; i < depth; i++)
    if (site->place[i]->pc != pc[i])
      return false;
  return true;
}

static tni_profile_site *
sites_find(const uintptr_t *pc, unsigned depth)
{
  uint64_t hash = depth;
  for (unsigned i = 0; i < depth; i++)
    hash = sites_mix(hash, pc[i]);
  tni_profile_site **const chain = &sites_state.site[hash % SITES_CHAINS];
  for (tni_profile_site *at = *chain; at; at = at->next)
    if (at->hash == hash && sites_is(at, pc, depth))
      return at;
  const size_t size = sizeof(tni_profile_site) + depth * sizeof(void *);
  tni_profile_site *const site = tni_meta_allocate(size);
  if (!site)
    return NULL;
  for (unsigned i = 0; i < depth; i++) {
    site->place[i] = sites_place(pc[i]);
    if (!site->place[i]) {
      tni_meta_free(site, size);
      return NULL;
    }
  }
  site->hash = hash;
  site->depth = depth;
  site->next = *chain;
  site->older = tni_load_relaxed(&tni_profile_sites);
  *chain = site;
  tni_store_release(&tni_profile_sites, site);
  return site;
}

/* Count a block as allocated (0) or freed (1), or take that back (sign -1):
 * [profile.weight]. */
static void
sites_count(const tni_profile_block *block, unsigned what, int sign)
{
  const double weight =
      1 / tni_chance_of((double)block->size, (double)tni_window_rate);
  tni_add_relaxed(&block->site->blocks[what],
                  sign * (int64_t)(weight * TNI_PROFILE_UNIT + 0.5));
  tni_add_relaxed(&block->site->bytes[what],
                  sign * (int64_t)(weight * (double)block->size + 0.5));
}

/* ---- The live table ----------------------------------------------------------------- */

static size_t
sites_slot(uintptr_t address)
{
  return (size_t)(sites_mix(0, address) >> 16) & (sites_state.capacity - 1);
}

/* The entry of an address, or the free one where it would be. */
static tni_profile_block *
sites_entry(uintptr_t address)
{
  size_t i = sites_slot(address);
  while (sites_state.live[i].address != 0 &&
         sites_state.live[i].address != address)
    i = (i + 1) & (sites_state.capacity - 1);
  return &sites_state.live[i];
}

/* Room for one more; false: no memory. */
static bool
sites_make_room(void)
{
  const size_t old_capacity = sites_state.capacity;
  tni_profile_block *const old = sites_state.live;
  if (old && sites_state.count < old_capacity / 2)
    return true;
  const size_t capacity = old ? 2 * old_capacity : SITES_MIN_LIVE;
  tni_profile_block *const live = tni_meta_allocate(capacity * SITES_ENTRY);
  if (!live)
    return false;
  sites_state.live = live;
  sites_state.capacity = capacity;
  for (size_t i = 0; old && i < old_capacity; i++)
    if (old[i].address != 0)
      *sites_entry(old[i].address) = old[i];
  if (old)
    tni_meta_free(old, old_capacity * SITES_ENTRY);
  return true;
}

/* Close the gap: what follows and would have been put into it moves there. */
static void
sites_remove(tni_profile_block *entry)
{
  const size_t mask = sites_state.capacity - 1;
  size_t gap = (size_t)(entry - sites_state.live);
  sites_state.live[gap].address = 0;
  for (size_t i = (gap + 1) & mask; sites_state.live[i].address != 0;
       i = (i + 1) & mask) {
    const size_t home = sites_slot(sites_state.live[i].address);
    if (((i - home) & mask) < ((i - gap) & mask))
      continue;
    sites_state.live[gap] = sites_state.live[i];
    sites_state.live[i].address = 0;
    gap = i;
  }
  sites_state.count--;
}

bool
tni_profile_note(uintptr_t address, size_t size)
{
  uintptr_t pc[TNI_PROFILE_DEPTH];
  tni_os_fork_lock(&sites_lock);
  tni_os_lock_acquire(&sites_lock);
  const unsigned depth = tni_profile_walk(pc, TNI_PROFILE_DEPTH);
  tni_profile_site *const site = sites_find(pc, depth);
  const bool ok = site && sites_make_room();
  if (ok) {
    tni_profile_block *const entry = sites_entry(address);
    if (entry->address == 0)
      sites_state.count++;
    else  // freed behind our back, by tn_heap_free_any
      sites_count(entry, 1, 1);
    *entry = (tni_profile_block){address, size, site};
    sites_count(entry, 0, 1);
  }
  tni_os_lock_release(&sites_lock);
  return ok;
}

bool
tni_profile_take(uintptr_t address, tni_profile_block *out)
{
  tni_os_lock_acquire(&sites_lock);
  tni_profile_block *const entry =
      sites_state.live ? sites_entry(address) : NULL;
  const bool found = entry && entry->address != 0;
  if (found) {
    *out = *entry;
    sites_count(entry, 1, 1);
    sites_remove(entry);
  }
  tni_os_lock_release(&sites_lock);
  return found;
}

void
tni_profile_put_back(const tni_profile_block *block)
{
  tni_os_lock_acquire(&sites_lock);
  if (sites_make_room()) {
    tni_profile_block *const entry = sites_entry(block->address);
    sites_state.count += entry->address == 0;
    *entry = *block;
    sites_count(entry, 1, -1);
  }
  tni_os_lock_release(&sites_lock);
}
