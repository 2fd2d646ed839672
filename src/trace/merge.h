/* merge.h -- the sections of a recording, one file each, become one trace
 *
 * A recorder leaves files far larger than what is in them: sparse, with chunks
 * that are not full.  Merging copies what is used, in the order of time, and
 * notes which section a program's exec or spawn began from.
 *
 * Threads   one.
 * Failure   a negative status; the trace is not there then.
 * Design    doc/design/record.md      Tests  test/record/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_MERGE_H
#define TNI_TRACE_MERGE_H

#include <tenure/trace.h>

/* What is known of a recording while it runs, or was merged. */
typedef struct tni_merge_state {
  size_t sections;
  uint64_t bytes;
  uint64_t lost;
  size_t alive;    // sections whose process still runs
  size_t marking;  // of which somebody looks for what is left
  uint64_t dumps;  // reports that programs asked for
} tni_merge_state;

/* Look at the sections in a folder. */
tn_status tni_merge_look(const char *folder, tni_merge_state *state);

/* Put a wish (TN_TRACE_WISH_) before all recorders of a folder, also those to
 * come. */
tn_status tni_merge_wish(const char *folder, uint32_t wish);

/* Merge the sections of a folder into the file at path, and remove them
 * unless is_running.  The process with the number pid, if there is one, was seen
 * to end in that way.
 *
 *   errors  TN_ENOENT: there is no section; TN_EIO; TN_ENOMEM
 */
tn_status tni_merge(const char *folder, const char *path, uint32_t pid,
                    tn_trace_ending ending, int status, bool is_running);

#endif
