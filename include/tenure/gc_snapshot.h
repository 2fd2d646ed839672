/* gc_snapshot.h -- what is in a collected heap, and why it is still there
 *
 * A snapshot lists every object that roots reach, each with the reference that
 * reached it first in a walk in breadth: following it back gives a shortest
 * path from a root.  Two snapshots are compared type by type.  It is a copy: it
 * does not change, keeps nothing alive, and names objects by number.
 *
 *      root --slot--> object 0 --offset 8--> object 7 --offset 0--> object 9
 *
 * Invariants
 *   [gc.snapshot]  objects are named by numbers below the count.
 * Threads   taking one stops the others; a snapshot has one owner.
 * Failure   NULL or a status, nothing changed.
 * Cost      taking: O(live) time, some 100 bytes an object.
 * Design    doc/design/gc.md      Tests  test/gc/test_snapshot.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GC_SNAPSHOT_H
#define TENURE_GC_SNAPSHOT_H

#include <tenure/gc.h>

TN_BEGIN_DECLS

typedef struct tn_gc_snapshot tn_gc_snapshot;

#define TN_GC_ROOT SIZE_MAX  // the number of what is no object: a root

/* One object of a snapshot. */
typedef struct tn_gc_object {
  const char *type;  // its type's name
  size_t bytes;      // with its header
  size_t from;       // the object that names it; TN_GC_ROOT: a root does
  size_t offset;     // where in that object the reference is
  const void *root;  // from is TN_GC_ROOT: where the root is; NULL: a pin or an
                     // ambiguous root
} tn_gc_object;

/* Objects of one type, or how they changed. */
typedef struct tn_gc_census {
  const char *type;
  ptrdiff_t objects;
  ptrdiff_t bytes;  // with headers
} tn_gc_census;

/* List everything that roots reach.
 *
 *   status  receives why not; may be NULL
 *   returns the snapshot; NULL with TN_ENOMEM
 *   threads the owner of m; stops the others
 *   cost    O(live)
 */
TN_API tn_gc_snapshot *tn_gc_snapshot_take(tn_mutator *m, tn_status *status);

/* Give it back; NULL is allowed.  Threads: its owner. */
TN_API void tn_gc_snapshot_free(tn_gc_snapshot *snapshot);

/* How many objects are in it.  Threads: its owner. */
TN_API size_t tn_gc_snapshot_count(const tn_gc_snapshot *snapshot);

/* One object: i is below tn_gc_snapshot_count.  Threads: its owner. */
TN_API tn_gc_object tn_gc_snapshot_object(const tn_gc_snapshot *snapshot,
                                          size_t i);

/* The number of an object; TN_GC_ROOT when it is not in the snapshot.  Asked
 * before the next collection, which may move it.  Threads: its owner.  O(1). */
TN_API size_t tn_gc_snapshot_find(const tn_gc_snapshot *snapshot,
                                  tn_ref object);

/* Why an object is there: a shortest path from a root to it.
 *
 *   i       the object
 *   out     receives the numbers of the path's objects, from the one that the
 *           root names to i; at most the last most of them
 *   returns how many objects the path has
 *   threads its owner
 *   cost    O(path)
 */
TN_API size_t tn_gc_snapshot_path(const tn_gc_snapshot *snapshot, size_t i,
                                  size_t *out, size_t most);

/* Count the objects of each type.
 *
 *   out     receives at most most types, the most bytes first
 *   returns how many types there are
 *   threads its owner
 *   cost    O(types squared)
 */
TN_API size_t tn_gc_snapshot_census(const tn_gc_snapshot *snapshot,
                                    tn_gc_census *out, size_t most);

/* What changed from one snapshot to another, type by type.
 *
 *   out     receives at most most types whose numbers differ, the largest
 *           growth in bytes first
 *   returns how many types differ
 *   threads the owner of both
 *   cost    O(types squared)
 */
TN_API size_t tn_gc_snapshot_diff(const tn_gc_snapshot *before,
                                  const tn_gc_snapshot *after,
                                  tn_gc_census *out, size_t most);

TN_END_DECLS
#endif
