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

/* Bytes at the cursor that a text may have, its NUL included. */
static size_t
text_room(tn_arena *a)
{
  TNI_ARENA_OWNED(a);
  const size_t room = tni_arena_room(a);
  const size_t usable = room - tni_min(room, TNI_ARENA_ZONE);
  if (TN_DEBUG >= 1)
    tni_annotate_give(tni_arena_cursor(a), usable);
  return usable;
}

/* Make a block of the text of length bytes that was written at the cursor. */
static char *
text_take(tn_arena *a, size_t room, size_t length)
{
  char *const at = tni_arena_take(a, length + 1 + TNI_ARENA_ZONE, TN_ALIGN);
  if (TN_DEBUG >= 1)
    tni_annotate_take(at + length + 1, room - length - 1);
  return at;
}

/* A text that is plain and fits; NULL: it is not, and the room at the cursor
 * has anything in it.  A pointer, as to copy a va_list that was just begun
 * would wait for its stores: they are narrower than the copy's loads. */
static char *
text_plain(tn_arena *a, const char *format, va_list *args)
{
  const size_t room = text_room(a);
  char *const at = (char *)tni_arena_cursor(a);
  const size_t length = tni_arena_format_plain(at, room, format, args);
  return length < SIZE_MAX ? text_take(a, room, length) : NULL;
}

/* Format into the room that is there, then make a block of what was written:
 * most texts fit, and are formatted once. */
static char *
text_any(tn_arena *a, const char *format, va_list args)
{
  const size_t room = text_room(a);
  char *const at = (char *)tni_arena_cursor(a);
  va_list again;
  va_copy(again, args);
  const int length = vsnprintf(room ? at : NULL, room, format, args);
  char *p;
  if (length >= 0 && (size_t)length < room) {
    p = text_take(a, room, (size_t)length);
  } else {
    tni_arena_release(a, (unsigned char *)at, (unsigned char *)at + room);
    p = length < 0 ? NULL : tn_arena_push(a, (size_t)length + 1);
    if (p)
      (void)vsnprintf(p, (size_t)length + 1, format, again);
  }
  va_end(again);
  return p;
}

char *
tn_arena_printf(tn_arena *a, const char *format, ...)
{
  va_list args;
  TNI_ALLOCATES(TNI_RETURN_ADDRESS);
  va_start(args, format);
  char *p = text_plain(a, format, &args);
  va_end(args);
  if (p == NULL) {
    va_start(args, format);
    p = text_any(a, format, args);
    va_end(args);
  }
  return p;
}

char *
tn_arena_vprintf(tn_arena *a, const char *format, va_list args)
{
  va_list first;
  TNI_ALLOCATES(TNI_RETURN_ADDRESS);
  va_copy(first, args);
  char *const p = text_plain(a, format, &first);
  va_end(first);
  return p ? p : text_any(a, format, args);
}
