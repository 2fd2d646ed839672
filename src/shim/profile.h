/* profile.h -- a sampled heap profile of the running program
 *
 * One byte in so many is a sample (heap/window.h); the block that holds it is
 * written down with the stack of the call that asked for it, until it is freed.
 * A small one comes from a heap apart, whose blocks free's fast path does not
 * know; so frees of all other blocks cost nothing more.
 *
 *     malloc --sample--> walk --> site --> live table, until free
 *                       (profile_walk.c)  (profile_sites.c)
 *     signal, exit ---------------> sites, places --> profile.proto in gzip
 *                                            (profile_write.c)
 *
 * A block of n bytes is a sample with probability p = 1 - exp(-n / rate), and
 * counts as 1 / p blocks, so what the profile says is right on average for
 * every size.  Bytes are those that the block takes.
 *
 * Invariants
 *   [profile.site]    what a writer may see (sites, places) is never changed
 *                     but for its counters, nor given back; a writer takes no
 *                     lock, so that it may run in a signal handler.
 *   [profile.weight]  what a free subtracts is what the allocation added.
 *   [profile.live]    a block of the heap apart, or a large one, that is in the
 *                     live table leaves it before it is freed.
 * Threads   any.
 * Failure   without memory a sample is not written down.
 * Design    doc/design/profile.md      Tests  test/shim/test_profile.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PROFILE_H
#define TNI_PROFILE_H

#include "shim/shim.h"

#define TNI_PROFILE_DEPTH 64u    // frames, at most
#define TNI_PROFILE_UNIT  256.0  // counters of blocks are in parts of one

/* A pc that is in a site, once. */
typedef struct tni_profile_place {
  struct tni_profile_place *older;  // const: of all places
  struct tni_profile_place *next;   // const: in its chain
  uintptr_t pc;                     // const
  uint32_t number;                  // const: from 1 on
} tni_profile_place;

/* Where samples were asked for: a stack. */
typedef struct tni_profile_site {
  struct tni_profile_site *older;    // const: of all sites
  struct tni_profile_site *next;     // const: in its chain
  uint64_t hash;                     // const
  _Atomic int64_t blocks[2];         // atomic: allocated, freed; in parts
  _Atomic int64_t bytes[2];          // atomic
  uint32_t depth;                    // const
  const tni_profile_place *place[];  // const: innermost first
} tni_profile_site;

/* A sample that is live. */
typedef struct tni_profile_block {
  uintptr_t address;  // 0: none
  size_t size;
  tni_profile_site *site;
} tni_profile_block;

/* ---- profile_sites.c ---------------------------------------------------------- */

/* The newest; the rest by `older`.  Read with acquire by a writer, sites
 * first. */
extern _Atomic(tni_profile_site *) tni_profile_sites;
extern _Atomic(tni_profile_place *) tni_profile_places;

/* Write down a sample that malloc's caller asked for; false: no memory. */
bool tni_profile_note(uintptr_t address, size_t size);
/* Write one down again that was taken. */
void tni_profile_put_back(const tni_profile_block *block);
/* Take a sample out; false: the address is none. */
bool tni_profile_take(uintptr_t address, tni_profile_block *out);

/* ---- profile_walk.c ------------------------------------------------------------ */

/* The callers of malloc, innermost first: calls, not return addresses.  Called
 * with the lock of profile_sites.c. */
unsigned tni_profile_walk(uintptr_t *pc, unsigned max);

/* ---- profile_write.c ----------------------------------------------------------- */

/* Write the profile as it is now into <prefix>.<pid>.<n>.pb.gz; also in signal
 * handlers.  False: it could not be written, or another thread is at it. */
bool tni_profile_write(const char *prefix);

#endif
