/* track.h -- what debug builds know about a bump allocator
 *
 * With TN_DEBUG from 1 every cursor (tn_bump, the typed ones, tn_checked)
 * carries a tni_track: where it started and ends, whose scope it is, its
 * high-water mark, whether it logs.  Every push is then a call that checks.
 * Release builds have none of it, and a different tn_bump: objects of the two
 * kinds must not be mixed, and do not link.
 *
 * In debug builds a block of a tn_bump has a red zone of 16 bytes above it,
 * which is verified when its scope ends; fresh memory is filled with 0xcd,
 * released memory with 0xdd, and AddressSanitizer and valgrind are told.
 *
 *     cursor                                                      start
 *      | block | slack | zone | block | slack | zone |   ...        |
 *
 * Invariants
 *   [bump.zone]    the zones from start to cursor are as they were written.
 *   [track.child]  an allocator's child is its live scope, or NULL.
 * Threads   the owner of the allocator.
 * Failure   a broken contract: one line with its tag, and SIGABRT.
 * Design    doc/design/bump.md      Tests  test/bump/, test/death/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TRACK_H
#define TENURE_TRACK_H

#include <tenure/base.h>

TN_BEGIN_DECLS

typedef struct tni_track tni_track;
struct tni_track {
  tni_track *parent;      // const: the allocator that this is a scope of
  tni_track *child;       // owner: the scope of it that lives, or NULL
  unsigned char *start;   // owner: the end of its first block
  unsigned char *end;     // owner: the lowest byte it may hand out, or NULL
  unsigned char *lowest;  // owner: where the cursor was at its lowest
  unsigned char *ever;    // owner: the lowest of lowest before resets
  const void *spill;      // const: a tn_checked's, when it began
  const char *name;       // const: for messages
  unsigned id;            // const: of this scope; marks carry it
  bool is_checked;        // const: part of a tn_checked
  bool is_closed;         // owner: its scope has ended
  bool do_log;            // owner: say every push
};

#if TN_DEBUG >= 1
#define TNI_TRACK_FIELD tni_track track;
#else
#define TNI_TRACK_FIELD
#endif
/* Debug and release objects do not link: see TNI_LIBRARY_KIND. */
static const char *const tni_track_kind __attribute__((used)) =
    &TNI_LIBRARY_KIND;

/* ---- Called by the inline functions of debug builds only ----------------- */
/* `cursor` is any cursor struct: a pointer followed by its tni_track. */

/* A new allocator of that name begins where its cursor is. */
TN_API void tni_track_begin(void *cursor, const char *name, unsigned char *end,
                            const void *spill, bool is_checked);
/* A push of size bytes; granule is what they are rounded to.  NULL only when
 * is_try. */
TN_API void *tni_track_push(void *cursor, size_t size, size_t align,
                            size_t granule, bool is_try);
TN_API void *tni_track_push_checked(void *checked, size_t size, size_t align,
                                    bool is_try);
/* Make child, size bytes of storage, a scope of parent; returns child. */
TN_API void *tni_track_open(void *child, size_t size, void *parent,
                            const char *name);
/* End a scope; what the cleanup attribute calls. */
TN_API void tni_track_close(void *child);
TN_API void tni_track_reset(void *child, void *parent);
TN_API void *tni_track_keep(void *parent, void *child, const void *from,
                            size_t size, size_t granule);
/* The same for the local chunk of TN_LOCAL. */
TN_API void *tni_track_open_local(void *local);
TN_API void tni_track_close_local(void *local);
/* Whether cursor may be rewound to a mark made by the scope id. */
TN_API void tni_track_rewind(void *cursor, const void *mark, unsigned id);
/* All that cursor, which is not a scope, holds is released. */
TN_API void tni_track_clear(void *cursor);
/* The same, and nothing stays forbidden: its addresses become others'. */
TN_API void tni_track_end(void *cursor);
/* The memory of a caller's buffer is the caller's again. */
TN_API void tni_track_leave(void *checked);

TN_END_DECLS

#endif
