/* file.h -- files that a command writes
 *
 * Threads   one.
 * Failure   1 after one line on standard error.
 * Tests     test/trace/test_file.c
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_FILE_H
#define TNI_TRACE_FILE_H

#include <stdio.h>

/* Write a file ("-": standard output) through write.
 *
 *   returns 0; 1 when it could not be written in full: then it is taken away,
 *           but for a device or a pipe, which was there before
 */
int tni_file_write(const char *path,
                   void (*write)(FILE *to, const void *argument),
                   const void *argument);

#endif
