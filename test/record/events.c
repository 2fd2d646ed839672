/* events.c -- print a trace's events as lines: kind, function,
 * address, size, pool, stack pointer, text
 *
 *     events TRACE [KIND]
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include "trace/trace.h"

int
main(int argc, char **argv)
{
  char problem[200];
  tni_trace *t;
  tni_trace_event e;
  if (argc < 2 || tni_trace_open(argv[1], &t, problem, sizeof problem) != TN_OK)
    return 1;
  while (tni_trace_next(t, &e))
    if (argc < 3 || (int)e.kind == atoi(argv[2]) || atoi(argv[2]) < 0)
      printf("%d %s %llx %llu %llx %llx %s\n", (int)e.kind,
             tni_trace_api_name(e.api), (unsigned long long)e.address,
             (unsigned long long)e.size, (unsigned long long)e.pool,
             (unsigned long long)e.sp, e.text ? e.text : "");
  return 0;
}
