#include <stdio.h>
#include <string.h>

#include "arena/arena.h"

void *
tn_arena_copy(tn_arena *a, const void *from, size_t size)
{
  void *const p = tn_arena_push(a, size);
  if (size > 0)
    memcpy(p, from, size);
  return p;
}

char *
tn_arena_text_part(tn_arena *a, const char *text, size_t size)
{
  /* SIZE_MAX bytes and a NUL are more than there is, not none. */
  char *const p = tn_arena_push(a, size < SIZE_MAX ? size + 1 : size);
  if (size > 0)
    memcpy(p, text, size);
  p[size] = '\0';
  return p;
}

char *
tn_arena_text(tn_arena *a, const char *text)
{
  return tn_arena_text_part(a, text, strlen(text));
}

char *
tn_arena_printf(tn_arena *a, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  char *const p = tn_arena_vprintf(a, format, args);
  va_end(args);
  return p;
}

/* Format into the room that is there, then make a block of what was written:
 * most texts fit, and are formatted once. */
char *
tn_arena_vprintf(tn_arena *a, const char *format, va_list args)
{
  TNI_ARENA_OWNED(a);
  TNI_ALLOCATES(TNI_RETURN_ADDRESS);
  char *const at = (char *)tni_arena_cursor(a);
  const size_t room =
      tni_arena_room(a) - tni_min(tni_arena_room(a), TNI_ARENA_ZONE);
  va_list again;
  va_copy(again, args);
  if (TN_DEBUG >= 1)
    tni_annotate_give(at, room);
  const int length = vsnprintf(room ? at : NULL, room, format, args);
  char *p = at;
  if (length >= 0 && (size_t)length < room) {
    (void)tni_arena_take(a, (size_t)length + 1 + TNI_ARENA_ZONE, TN_ALIGN);
    if (TN_DEBUG >= 1)
      tni_annotate_take(at + length + 1, room - (size_t)length - 1);
  } else {
    tni_arena_release(a, (unsigned char *)at, (unsigned char *)at + room);
    p = length < 0 ? NULL : tn_arena_push(a, (size_t)length + 1);
    if (p)
      (void)vsnprintf(p, (size_t)length + 1, format, again);
  }
  va_end(again);
  return p;
}
