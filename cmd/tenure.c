/* tenure.c -- the tenure command: dispatch to its subcommands
 *
 * Tests  test/cmd/
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "cmd.h"
#include "plan.h"
#include "report.h"
#include "run.h"

static const cmd_entry tenure_entries[] = {
    {"run", cmd_run, "run a program, record its memory, say what it was"},
    {"report", cmd_report, "say what a recorded run did with its memory"},
    {"advise", cmd_advise, "say which sites should not be on the heap"},
    {"diff", cmd_diff, "say what changed between two recorded runs"},
    {"replay", cmd_replay, "do a recorded run again, on other disciplines"},
    {"probe", cmd_probe, "measure this machine's memory, from cache to file"},
    {"export", cmd_export, "write a recorded run for other tools"},
    {"plan", cmd_plan, "pack buffers with known lifetimes into fixed bytes"},
};

int
main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "--version") == 0)
    return printf("tenure %s\n", CMD_VERSION) < 0;
  return cmd_dispatch("tenure", tenure_entries,
                      sizeof tenure_entries / sizeof *tenure_entries, argc - 1,
                      argv + 1);
}
