/* death: SIGSEGV "" modes: release debug harden */
#include <tenure/mem.h>

int
main(void)
{
  tn_secret secret;
  if (tn_secret_create(&secret, 32, 0) != TN_OK)
    return 1;
  ((volatile unsigned char *)secret.data)[32] = 0;
  return 0;
}
