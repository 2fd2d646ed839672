/* plugin.c -- a decoder that one does not trust, on input that one trusts less
 *
 * `plugin 3a2b` writes aaabb.  The decoder, somebody else's, forgets to look
 * how much room its result has.  It is called with everything of its caller's
 * read-only: the stack, and the table of what was decoded so far.  Bad input
 * ends with a line that names the decoder, before a byte is lost.
 * SPDX-License-Identifier: MIT
 */
#include <tenure/arena.h>
#include <tenure/isolate.h>
#include <tenure/vm.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 64, TABLE = 1 << 16 };

/* Runs of letters, a count before each. */
static void
decode(void *argument, void *result)
{
  const char *text = argument;
  char *out = result;
  while (*text) {
    char *letter;
    unsigned long count = strtoul(text, &letter, 10);
    if (letter == text || !isalpha((unsigned char)*letter))
      return;
    while (count-- > 0)
      *out++ = *letter;  // its mistake
    text = letter + 1;
  }
}

int
main(int count, char **arguments)
{
  void *memory;
  tn_arena table;
  if (tn_vm_reserve(TABLE, 1, &memory) != TN_OK ||
      tn_vm_commit(memory, TABLE) != TN_OK)
    return 2;
  const tn_arena_options options = {.buffer = memory, .buffer_size = TABLE};
  const tn_isolate_range range = {memory, TABLE, "the table"};
  const tn_isolate_options isolated = {&range, 1, "decode", true};
  if (tn_arena_create(&table, &options) != TN_OK)
    return 2;
  const char *last = "";
  for (int i = 1; i < count; i++) {
    char decoded[ROOM];
    if (tn_isolate_call(decode, arguments[i], decoded, ROOM, &isolated) !=
        TN_OK)
      return 2;
    decoded[ROOM - 1] = '\0';
    last = tn_arena_printf(&table, "%s%s\n", last, decoded);
  }
  (void)fputs(last, stdout);
  tn_arena_destroy(&table);
  return 0;
}
