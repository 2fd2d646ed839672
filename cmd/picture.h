/* picture.h -- a plan as a picture: time across, address up
 *
 * Each buffer is a rectangle (several where its lifetime has gaps), the load
 * is a line over time, the height and the capacity are lines across.
 *
 * Tests  test/cmd/test_plan_cmd.py
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_CMD_PICTURE_H
#define TENURE_CMD_PICTURE_H

#include "plan.h"

/* An SVG file. */
void cmd_picture_write_svg(FILE *to, const cmd_table *table,
                           const cmd_solution *solution);

/* A page that needs nothing else: the picture, the figures and the table. */
void cmd_picture_write_html(FILE *to, const cmd_table *table,
                            const cmd_solution *solution);

#endif
