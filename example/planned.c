/* planned.c -- a frame that is recorded once and planned from then on
 *
 * Each frame makes the same lists and throws some of them away half-way.  From
 * the second frame on they are where the plan says; now and then a frame needs
 * one more, which comes from a chunk and is counted.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/plan.h>
#include <tenure/planned.h>
#include <tenure/source.h>

#include <stdio.h>
#include <string.h>

/* What a frame does; extra frames have one more list. */
static void
draw_frame(tn_planned *arena, bool extra)
{
  void *const visible = tn_planned_push(arena, 8000, 16);
  void *const sorted = tn_planned_push(arena, 8000, 16);
  tn_planned_pop(arena, visible);
  void *const labels = extra ? tn_planned_push(arena, 300, 16) : NULL;
  void *const vertices = tn_planned_push(arena, 24000, 64);
  tn_planned_pop(arena, sorted);
  void *const commands = tn_planned_push(arena, 8000, 16);
  memset(vertices, 0, 24000);
  memset(commands, 0, 8000);
  if (labels)
    memset(labels, 0, 300);
}

int
main(void)
{
  static unsigned char memory[1 << 20];
  tn_fixed fixed;
  tn_fixed_init(&fixed, memory, sizeof memory);
  tn_planned arena;
  tn_planned_init(&arena, &(tn_planned_options){.memory = &fixed.provider,
                                                .solve = tn_plan_solve});
  for (int frame = 0; frame < 100; frame++) {
    tn_planned_begin(&arena);
    draw_frame(&arena, frame % 50 == 20);
    if (tn_planned_end(&arena) != TN_OK)
      return 1;
  }
  char text[200];
  tn_planned_describe(&arena, text, sizeof text);
  puts(text);
  const tn_planned_report report = tn_planned_get_report(&arena);
  tn_planned_fini(&arena);
  return report.planned == (size_t)4 * 99 && report.fallback == 2 ? 0 : 1;
}
