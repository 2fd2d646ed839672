/* death: SIGABRT "[base.example] a contract" modes: debug harden */
#include <tenure/base.h>

int
main(void)
{
  TN_REQUIRE(TN_DEBUG == 0 && TN_HARDEN == 0, "base.example", "a contract");
  return 0;
}
