/* death: SIGABRT "[base.long] xxxxxxxx" modes: release */
#include <string.h>

#include <tenure/base.h>

/* A text longer than the buffer of the message is cut, not overrun. */
int
main(void)
{
  char text[4000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  tn_contract_broken("base.long", text, "file.c", 1);
}
