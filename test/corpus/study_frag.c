/* study_frag.c -- a plug-in whose blocks lie between all others and stay
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

enum { FRAMES = 4000, NOTES = 6000 };
static char *frames[FRAMES];
static char *notes[NOTES];
static char *pictures[64];
static unsigned noted;

SITE void
load_frame(int i)
{
  const unsigned size = 300 + below(300);
  frames[i] = use(malloc(size), size);  // truth: region or own
}

SITE void
plug_in_note(void)
{
  const unsigned i = below(NOTES), size = 24 + below(72);
  free(notes[i]);
  notes[i] = use(malloc(size), size);  // truth: own
  noted++;
}

SITE void
unload(void)
{
  for (int i = 0; i < FRAMES; i++)
    free(frames[i]);
}

SITE void
draw_picture(void)
{
  const unsigned i = below(64), size = 9000 + below(9000);
  free(pictures[i]);
  pictures[i] = use(malloc(size), size);  // truth: heap
}

int
main(void)
{
  for (int film = 0; film < 4; film++) {
    for (int i = 0; i < FRAMES; i++) {
      load_frame(i);
      if (i % 8 == 0)
        plug_in_note();
    }
    unload();
    for (int i = 0; i < 800; i++)
      draw_picture();
  }
  return noted == 0;
}
