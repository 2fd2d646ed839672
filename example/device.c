/* device.c -- textures in the memory of a graphics card
 *
 * The card's 256 MiB cannot be touched from here, only divided: a buddy over a
 * range of numbers.  Textures come and go as levels do; what is loaded next goes
 * where there is room, and whatever was freed joins again.
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>

#include <tenure/buddy.h>

enum { TEXTURES = 40 };

static const uint64_t card_start = 0xe0000000, card_size = 256 << 20,
                      page = 64 << 10;

static void
print_state(const tn_buddy *card, const char *when)
{
  const tn_buddy_stats s = tn_buddy_get_stats(card);
  printf("%-18s %2u textures, %3" PRIu64 " MiB free, largest %3" PRIu64
         " MiB\n",
         when, s.live_blocks, s.free >> 20, s.largest_free >> 20);
}

int
main(void)
{
  static uint32_t table[10240];
  tn_buddy card;
  if (tn_buddy_table_size(card_size, page) > sizeof table ||
      tn_buddy_over_range(&card, table, card_start, card_size, page) != TN_OK)
    return 1;
  uint64_t texture[TEXTURES];
  int refused = 0;
  for (int i = 0; i < TEXTURES; i++) {
    const uint64_t side = UINT64_C(256) << i % 5;  // 256 to 4096 texels
    if (!tn_buddy_take(&card, side * side * 4 / 3, &texture[i])) {
      texture[i] = 0;
      refused++;
    }
  }
  print_state(&card, "level 1 is loaded");
  for (int i = 0; i < TEXTURES; i += 2)
    if (texture[i] != 0)
      tn_buddy_give(&card, texture[i]);
  print_state(&card, "half is dropped");
  for (int i = 1; i < TEXTURES; i += 2)
    if (texture[i] != 0)
      tn_buddy_give(&card, texture[i]);
  print_state(&card, "all is dropped");
  printf("%d were refused; %" PRIu64 " steps\n", refused,
         tn_buddy_get_stats(&card).steps);
  return 0;
}
