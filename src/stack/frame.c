/* frame.c -- frames on a stack; see <tenure/stack.h>
 *
 * A frame's record is its delimiter:  start .. result | tn_frame | blocks ...
 */
#include <string.h>

#include "stack/stack.h"

static inline uintptr_t
frame_rotate(uintptr_t n, unsigned bits)
{
  return n << bits | n >> (sizeof n * CHAR_BIT - bits);
}

/* A word that changes when any field does, or the place: not against an
 * attacker who can read the stack, against bytes written past a block. */
static inline uintptr_t
frame_delimiter(const tn_stack *s, const tn_frame *frame)
{
  return s->key ^ tni_address(frame) ^
         frame_rotate(tni_address(frame->below), 7) ^
         frame_rotate(tni_address(frame->name), 13) ^
         frame_rotate(tni_address(frame->start), 19) ^
         frame_rotate(frame->result_size, 29);
}

/* Where a result, or what is kept, goes. */
static inline unsigned char *
frame_result(const tn_frame *frame)
{
  return frame->start + (-tni_address(frame->start) & (TN_ALIGN - 1));
}

tn_frame *
tn_frame_push(tn_stack *s, size_t result_size, const char *name)
{
  unsigned char *const start = s->cursor;
  size_t result, size;
  if (!tni_round_up_checked(result_size, TN_ALIGN, &result) ||
      !tn_size_add(result, sizeof(tn_frame), &size))
    return NULL;
  unsigned char *const block = tn_stack_alloc(s, size, TN_ALIGN);
  if (!block)
    return NULL;
  tn_frame *const frame = (tn_frame *)(void *)(block + result);
  *frame = (tn_frame){0, s->frame, name, start, result_size};
  frame->delimiter = frame_delimiter(s, frame);
  s->frame = frame;
  return frame;
}

void *
tn_frame_result(const tn_frame *frame)
{
  return frame->result_size ? frame_result(frame) : NULL;
}

/* ---- Popping ----------------------------------------------------------------- */

static inline bool
frame_is_whole(const tn_stack *s, const tn_frame *frame)
{
  return frame->delimiter == frame_delimiter(s, frame);
}

/* The newest frame, whole, without any child, joined or not. */
static inline bool
frame_is_plain(const tn_stack *s, const tn_frame *frame)
{
  return frame && frame == s->frame && frame_is_whole(s, frame) &&
         (const void *)s->child < (const void *)frame;
}

/* Whether a frame that is not plain may be popped all the same: its children
 * are joined.  Else a line and the end where checks are on. */
static TN_COLD bool
frame_may_pop(const tn_stack *s, const tn_frame *frame)
{
  if (!frame || frame != s->frame) {
    if (TN_DEBUG >= 1 || TN_HARDEN >= 1) {
      const char *const newest = s->frame ? s->frame->name : NULL;
      char text[256];
      tni_format(text, sizeof text,
                 s->frame ? "a pop of a frame that is not the newest, which is "
                            "%s: pop that first"
                          : "a pop of a frame on a stack without frames%s",
                 newest     ? newest
                 : s->frame ? "without a name"
                            : "");
      tn_contract_broken("stack.frame", text, __FILE__, __LINE__);
    }
    return false;
  }
  const bool is_whole = frame_is_whole(s, frame);
  TN_REQUIRE(is_whole, "stack.delimiter",
             "a frame's record was written over: a block below it overflowed");
  return is_whole && !tni_stack_has_live_child(s, frame);
}

/* Back to cursor; children above have all been joined. */
static inline void
frame_unwind(tn_stack *s, tn_frame *below, unsigned char *cursor)
{
  while (TN_UNLIKELY((unsigned char *)s->child >= cursor && s->child))
    s->child = s->child->older;
  s->frame = below;
  tni_stack_take(cursor, (size_t)(s->cursor - cursor));
  s->cursor = cursor;
}

void *
tn_frame_pop(tn_stack *s, tn_frame *frame)
{
  TN_CHECK(tni_stack_is_valid(s), "stack.order");
  if (TN_UNLIKELY(!frame_is_plain(s, frame)) && !frame_may_pop(s, frame))
    return NULL;
  if (frame->result_size == 0) {
    frame_unwind(s, frame->below, frame->start);
    return NULL;
  }
  unsigned char *const result = frame_result(frame);
  frame_unwind(s, frame->below, result + frame->result_size);
  return result;
}

void *
tn_frame_keep(tn_stack *s, tn_frame *frame, const void *p, size_t size)
{
  const unsigned char *const from = p;
  const uintptr_t first = tni_address(frame + 1);
  if (TN_UNLIKELY(!frame_is_plain(s, frame)) && !frame_may_pop(s, frame))
    return NULL;
  const bool is_inside = tni_address(from) >= first &&
                         tni_address(from) <= tni_address(s->cursor) &&
                         size <= tni_address(s->cursor) - tni_address(from);
  TN_REQUIRE(is_inside, "stack.order", "bytes to keep are not in the frame");
  if (!is_inside)
    return NULL;
  tn_frame *const below = frame->below;
  unsigned char *const start = frame_result(frame);
  tni_stack_give(start, tni_min(size, (size_t)(from - start)));
  memmove(start, from, size);
  frame_unwind(s, below, start + size);
  return start;
}

tn_status
tn_frame_walk(const tn_stack *s, tn_frame_visit *visit, void *argument)
{
  const unsigned char *end = s->cursor;
  for (const tn_frame *frame = s->frame; frame; frame = frame->below) {
    if (!frame_is_whole(s, frame))
      return TN_EFAULT;
    if (!visit(argument, frame, (size_t)(end - (const unsigned char *)frame)))
      break;
    end = frame->start;
  }
  return TN_OK;
}
