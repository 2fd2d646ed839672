/* replay.c -- `tenure replay`: a recorded run again, on other disciplines
 *
 * Tests  test/cmd/test_advise_cmd.py
 * SPDX-License-Identifier: MIT
 */
#include "trace/report.h"

#include "cmd.h"
#include "report.h"

int
cmd_replay(int argc, char **argv)
{
  cmd_texts with = {.count = 0};
  bool heaps = false;
  const char *trace;
  const cmd_option options[] = {
      {'w', "with", CMD_TEXTS, &with,
       "advice; or stack:SITE, scratch:SITE:SCOPE, turn:SITE:SCOPE,\n"
       "                           region:SITE, pool:SITE[:BYTES], ring:SITE, "
       "own:SITE,\n                           grow:SITE:BYTES, where SITE and "
       "SCOPE are functions"},
      {'H', "heaps", CMD_FLAG, &heaps,
       "compare one heap with one a thread and one a function"},
  };
  const cmd_usage usage = {
      "tenure replay", "TRACE",
      "Do the operations of a recorded run again, with the blocks of some "
      "sites "
      "from\nother disciplines, and compare with the heap.  Exit status 2: a "
      "block would\nhave gone before its last use.",
      options, sizeof options / sizeof *options};
  const int code = cmd_parse(&usage, argc, argv, &trace);
  if (code >= 0)
    return code;
  if (heaps && with.count > 0)
    return cmd_fail("--heaps goes without --with");
  if (heaps)
    return tni_report_heaps(stdout, trace);
  if (with.count == 0)
    return cmd_fail("--with what? (tenure replay --help)");
  return tni_report_replay(stdout, trace, with.items, with.count);
}
