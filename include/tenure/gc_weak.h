/* gc_weak.h -- what happens when objects die
 *
 * A weak reference names an object without keeping it alive.  An ephemeron
 * keeps its value alive while its key is: an entry of a table that lives
 * beside the keys.  A finalizer is called after its object was found dead, when
 * the program asks for it, and never sees the object.  All three learn of a
 * death from the collection that finds it; a minor one finds young dead only.
 *
 * Invariants
 *   [gc.finalizer]  a finalizer does not call tn_gc_collect.
 * Threads   as said at each.
 * Failure   running out is TN_REF_NULL or a status.
 * Source    ephemerons: Hayes 1997.
 * Design    doc/design/gc.md      Tests  test/gc/test_api.c, test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GC_WEAK_H
#define TENURE_GC_WEAK_H

#include <tenure/gc_roots.h>

TN_BEGIN_DECLS

/* An object that names target without keeping it alive.
 *
 *   returns TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    an allocation
 */
TN_API tn_ref tn_gc_weak(tn_mutator *m, tn_ref target);

/* The target of a weak reference; TN_REF_NULL once it was found dead.  Threads:
 * any that may use objects. */
TN_API tn_ref tn_gc_weak_get(tn_ref weak);

/* An object that keeps value alive while it is itself alive and key is.
 *
 *   key     not TN_REF_NULL
 *   returns TN_REF_NULL when memory has run out
 *   threads the owner of m
 *   cost    an allocation
 */
TN_API tn_ref tn_gc_ephemeron(tn_mutator *m, tn_ref key, tn_ref value);

/* The key, and the value, of an ephemeron; TN_REF_NULL once the key was found
 * dead.  Threads: any that may use objects. */
TN_API tn_ref tn_gc_ephemeron_key(tn_ref ephemeron);

/* See tn_gc_ephemeron_key.  Threads: any that may use objects. */
TN_API tn_ref tn_gc_ephemeron_value(tn_ref ephemeron);

/* What a finalizer does with its key; not 0 stops tn_gc_finalize. */
typedef int tn_finalizer_fn(void *key);

/* Have fn(key) called by tn_gc_finalize after object is found dead.  It never
 * sees the object: key says what there is to do.  Dependents come first: when
 * two die together and one can reach the other, that one's finalizer runs
 * first.  Objects of a cycle come in the order of a walk through it.
 *
 *   returns TN_OK; TN_ENOMEM
 *   threads the owner of m
 *   cost    O(1), a lock
 */
TN_API tn_status tn_gc_finalizer(tn_mutator *m, tn_ref object,
                                 tn_finalizer_fn *fn, void *key);

/* Run finalizers that are due, each once.
 *
 *   most    how many at most
 *   error   receives what the one that stopped it returned, or 0; may be NULL
 *   returns how many ran
 *   threads the owner of m; the finalizers run here
 *   cost    theirs
 */
TN_API size_t tn_gc_finalize(tn_mutator *m, size_t most, int *error);

TN_END_DECLS
#endif
