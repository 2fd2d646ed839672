/* blind_tiles.c -- a picture: tiles, rows, thumbnails, palettes
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static unsigned char *tiles[90];
static unsigned char *thumbs[120];
static unsigned char *layers[12];

SITE void
load_tile(unsigned i)
{
  free(tiles[i]);
  tiles[i] = use(malloc(1024), 1024);  // truth: pool
}

SITE unsigned char *
make_row(void)
{
  const unsigned size = 300 + below(400);
  return use(malloc(size), size);  // truth: scratch in render
}

SITE void
blend(void)
{
  unsigned *const sums = use(malloc(256), 256);  // truth: stack
  corpus_sum += sums[3];
  free(sums);
}

SITE void
render(void)
{
  unsigned char *rows[16];
  for (int i = 0; i < 16; i++)
    rows[i] = make_row();
  blend();
  blend();
  for (int i = 0; i < 16; i++)
    free(rows[i]);
  corpus_sum++;
}

SITE void
make_thumb(void)
{
  const unsigned i = below(120), size = 100 + below(4000);
  free(thumbs[i]);
  thumbs[i] = use(malloc(size), size);  // truth: heap
}

SITE void
add_layer(int i)
{
  layers[i] = use(malloc(70000), 70000);  // truth: heap
}

int
main(void)
{
  for (int i = 0; i < 12; i++)
    add_layer(i);
  for (int i = 0; i < 300; i++) {
    for (int k = 0; k < 5; k++)
      load_tile(below(90));
    make_thumb();
    make_thumb();
    make_thumb();
    render();
  }
  return 0;
}
