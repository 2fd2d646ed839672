/* tuned_game.c -- frames, particles, levels, textures, names
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static void *particles[200];
static void *tiles[600];
static char *chats[90];

SITE void *
new_command(void)
{
  const unsigned size = 16 + below(60);
  return use(malloc(size), size);  // truth: scratch in draw_frame
}

SITE void
draw_frame(void)
{
  void *commands[30];
  const int count = 10 + (int)below(20);
  for (int i = 0; i < count; i++)
    commands[i] = new_command();
  for (int i = count - 1; i >= 0; i--)
    free(commands[i]);
  corpus_sum++;
}

SITE void
emit_particle(void)
{
  const unsigned i = below(200);
  free(particles[i]);
  particles[i] = use(malloc(72), 72);  // truth: pool
}

SITE void
load_tile(int i)
{
  const unsigned size = 40 + below(300);
  tiles[i] = use(malloc(size), size);  // truth: region
}

SITE void
unload_level(void)
{
  for (int i = 0; i < 600; i++)
    free(tiles[i]);
}

SITE void
say(void)
{
  const unsigned i = below(90), size = 5 + below(below(3000) + 1);
  free(chats[i]);
  chats[i] = use(malloc(size), size);  // truth: heap
}

SITE void *
load_texture(void)
{
  const unsigned size = 100000 + below(900000);
  return use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int level = 0; level < 10; level++) {
    void *const texture = load_texture();
    for (int i = 0; i < 600; i++)
      load_tile(i);
    for (int frame = 0; frame < 60; frame++) {
      draw_frame();
      for (int i = 0; i < 10; i++)
        emit_particle();
      for (int i = 0; i < 5; i++)
        say();
    }
    unload_level();
    free(texture);
  }
  return 0;
}
