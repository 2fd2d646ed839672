/* study_machine.c -- a machine for a small language: code, frames, boxes, texts
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

typedef struct box {
  double number;
  struct box *link;
} box;

static unsigned char *code[200];
static box *boxes[900];
static char *texts[250];
static void *stubs[64];

SITE void
compile(int i)
{
  const unsigned size = 64 + below(2000);
  code[i] = use(malloc(size), size);  // truth: heap
}

SITE void
patch_stub(void)
{
  const unsigned i = below(64), size = 32 + 32 * below(6);
  free(stubs[i]);
  stubs[i] = use(malloc(size), size);  // truth: heap
}

SITE void
make_box(void)
{
  const unsigned i = below(900);
  free(boxes[i]);
  boxes[i] = use(malloc(sizeof(box)), sizeof(box));  // truth: pool
}

SITE void
join_texts(void)
{
  const unsigned i = below(250), size = 1 + below(120);
  free(texts[i]);
  texts[i] = use(malloc(size), size);  // truth: heap
}

SITE void
call(int depth)
{
  const unsigned size = 16 + 8 * below(12);
  char *const locals =
      use(malloc(size), size);  // truth: stack or scratch in call
  for (int k = 0; k < 3; k++)
    make_box();
  join_texts();
  if (depth > 0)
    call(depth - 1);
  corpus_sum += (unsigned char)locals[0];
  free(locals);
}

int
main(void)
{
  for (int i = 0; i < 200; i++)
    compile(i);
  for (int i = 0; i < 500; i++) {
    call((int)below(6));
    patch_stub();
    patch_stub();
  }
  return 0;
}
