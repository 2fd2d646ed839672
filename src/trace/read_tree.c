/* read_tree.c -- frames and the stack tree, each once; see read.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/read.h"

uint32_t
tni_read_frame(tni_trace *t, uint32_t module, uint64_t offset)
{
  uint32_t *const known = tni_read_find(&t->frame_map, module, offset);
  if (known == NULL)
    return TNI_TRACE_NONE;
  if (*known != 0)
    return *known - 1;
  tni_trace_frame *const frame = tni_read_push(&t->frames, sizeof *frame);
  if (frame == NULL)
    return TNI_TRACE_NONE;
  *frame = (tni_trace_frame){module, offset};
  *known = (uint32_t)t->frames.count;
  return *known - 1;
}

uint32_t
tni_read_node(tni_trace *t, uint32_t parent, uint32_t frame)
{
  uint32_t *const known = tni_read_find(&t->node_map, parent, frame);
  if (known == NULL)
    return 0;
  if (*known != 0)
    return *known - 1;
  tni_trace_node *const node = tni_read_push(&t->nodes, sizeof *node);
  if (node == NULL)
    return 0;
  const uint32_t depth = READ_AT(&t->nodes, tni_trace_node, parent)->depth + 1;
  *node = (tni_trace_node){parent, frame, depth};
  *known = (uint32_t)t->nodes.count;
  return *known - 1;
}
