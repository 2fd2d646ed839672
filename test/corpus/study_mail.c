/* study_mail.c -- a spool: letters in order, headers, folders, an address book
 *
 * SPDX-License-Identifier: MIT
 */
#include "corpus.h"

static char *spool[256];
static unsigned in, out;
static char *folders[80];
static char *book[1500];
static unsigned addresses;

SITE void
receive(void)
{
  const unsigned size = 200 + below(1500);
  spool[in++ % 256] = use(malloc(size), size);  // truth: ring
}

SITE char *
copy_field(void)
{
  const unsigned size = 10 + below(60);
  return use(malloc(size), size);  // truth: scratch in deliver
}

SITE void
file_letter(void)
{
  const unsigned i = below(80), size = 100 + below(6000);
  free(folders[i]);
  folders[i] = use(malloc(size), size);  // truth: heap
}

SITE void
remember(void)
{
  const unsigned size = 12 + below(30);
  book[addresses++] = use(malloc(size), size);  // truth: heap
}

SITE void
deliver(void)
{
  char *fields[7];
  for (int i = 0; i < 7; i++)
    fields[i] = copy_field();
  file_letter();
  if (below(3) == 0 && addresses < 1500)
    remember();
  for (int i = 0; i < 7; i++)
    free(fields[(i * 3) % 7]);
  free(spool[out++ % 256]);
  corpus_sum++;
}

int
main(void)
{
  for (int i = 0; i < 1500; i++) {
    while (in - out < 10 + below(150))
      receive();
    deliver();
  }
  while (in != out)
    free(spool[out++ % 256]);
  return 0;
}
