/* logring.c -- the last lines of a log, for when something goes wrong
 *
 * Lines of any length go to a ring of one page or a few; when there is no room,
 * the oldest are dropped.  Each line is one contiguous text, also across the
 * ring's end, so it can be printed as it is.
 * SPDX-License-Identifier: MIT
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tenure/ring.h>

typedef struct line {
  size_t size;  // bytes, with this head
  unsigned number;
  char text[];
} line;

static void
drop_oldest(tn_ring *ring)
{
  line *const oldest = tn_ring_oldest(ring);
  tn_ring_pop(ring, oldest, oldest->size);
}

static void
log_line(tn_ring *ring, unsigned number, const char *format, ...)
{
  char text[200];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0)
    return;
  const size_t kept =
      (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
  const size_t size = sizeof(line) + kept + 1;
  line *l;
  while ((l = tn_ring_push(ring, size)) == NULL)
    drop_oldest(ring);
  l->size = size;
  l->number = number;
  memcpy(l->text, text, kept + 1);
}

int
main(void)
{
  tn_ring ring;
  if (tn_ring_create(&ring, 4096, NULL) != TN_OK)
    return 1;
  for (unsigned i = 1; i <= 10000; i++)
    log_line(&ring, i, "request %u took %u us%s", i, i * 7919 % 1000,
             i % 97 == 0 ? ", and failed" : "");
  unsigned lines = 0;
  for (; tn_ring_used(&ring) > 0; drop_oldest(&ring), lines++) {
    const line *const l = tn_ring_oldest(&ring);
    if (lines < 2 || l->number > 9998)
      printf("%u: %s\n", l->number, l->text);
  }
  printf("%u lines were kept in %zu bytes\n", lines, ring.size);
  tn_ring_destroy(&ring);
  return 0;
}
