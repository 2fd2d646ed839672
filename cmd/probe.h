/* probe.h -- what `tenure probe` measures and how it is drawn
 *
 * Threads   the command has one.
 * Tests     test/cmd/test_probe_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_PROBE_H
#define TENURE_CMD_PROBE_H

#include "cmd.h"

enum { PROBE_STEPS = 40 };

/* One working set, and what an access to it costs. */
typedef struct probe_step {
  uint64_t bytes;
  double ns;  // an access that waits for the one before
} probe_step;

typedef struct probe_result {
  probe_step sizes[PROBE_STEPS];  // lines at random, in huge pages if there are
  size_t size_count;
  probe_step pages[PROBE_STEPS];  // one line of each 4 KiB page
  size_t page_count;
  uint64_t knees[4];  // working sets beyond which an access costs more
  size_t knee_count;
  uint64_t tlb_bytes;    // reach of 4 KiB pages; 0: not seen
  double fault_ns;       // the first touch of a page
  double huge_fault_ns;  // of 2 MiB; 0: there are none
  double file_ns_4k;     // a read of 4 KiB that is in the page cache
  double file_gb_s;      // bytes of a large read, 10^9 a second
  double copy_gb_s;      // memcpy of 16 MiB
} probe_result;

/* Measure; about `budget_ns` altogether.  False after one line when there is no
 * memory for it. */
bool probe_measure(probe_result *out, uint64_t budget_ns, uint64_t most_bytes);

/* Where `tenure probe --save` writes and `tenure advise` looks; false: there is
 * no place for it. */
bool probe_saved(char *path, size_t size);

void probe_write_text(FILE *to, const probe_result *r);
void probe_write_json(FILE *to, const probe_result *r);
void probe_write_svg(FILE *to, const probe_result *r);

#endif
