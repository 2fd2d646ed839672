/* run.h -- `tenure run`
 *
 * Tests  test/record/test_run.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_RUN_H
#define TENURE_CMD_RUN_H

/* Record a program and report on it.
 *
 *   returns the program's exit status, 128 + the signal that ended it, or 125:
 *           we failed, 126: it cannot be run, 127: there is no such program
 */
int cmd_run(int argc, char **argv);

#endif
