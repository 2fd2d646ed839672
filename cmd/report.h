/* report.h -- the subcommands that read a trace
 *
 * Tests  test/cmd/test_report_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_REPORT_H
#define TENURE_CMD_REPORT_H

int cmd_report(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_export(int argc, char **argv);

#endif
