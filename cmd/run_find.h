/* run_find.h -- is it there, and can it be recorded?
 *
 * Tests  test/record/test_run.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_RUN_FIND_H
#define TENURE_CMD_RUN_FIND_H

#include <stddef.h>

/* Find the program that name runs, by PATH unless there is a slash in it.
 *
 *   path    filled; size bytes
 *   returns 0; or 126 or 127, after saying why it cannot be recorded
 */
int run_find(const char *name, char *path, size_t size);

#endif
