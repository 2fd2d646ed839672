/* place.h -- where reservations go
 *
 * Addresses that an attacker cannot guess, and neighbours that share page
 * tables.  A process draws a random place once and puts its reservations one
 * after the other from there; what is taken is answered by a new draw, and
 * after a few by the system's own choice.  The kernel's choice alone has 28
 * bits, of which our alignment to slices (16 bits) would cost 4, and an
 * alignment to 4 GiB 20.
 *
 * Invariants
 *   [place.slice]  a reservation starts at a multiple of the slice and is a
 *                  whole number of slices: no two share one in the page map.
 *   [place.random]  at least 28 bits of a reservation's address are fair over
 *                  processes, where there are 47 address bits.
 * Threads   any.
 * Failure   TN_ENOMEM, TN_EBUSY, TN_ERANGE; nothing changed.
 * Design    doc/design/vm.md      Tests  test/vm/test_place.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_PLACE_H
#define TNI_PLACE_H

#include "vm/pagemap.h"

/* Reserve size bytes (a multiple of the slice) at a place of our choice.
 *
 *   align  a power of two; the slice at least is kept
 */
tn_status tni_place_reserve(size_t size, size_t align, void **out);

/* A random multiple of unit (a power of two), at most limit. */
size_t tni_place_random(size_t limit, size_t unit);

#endif
