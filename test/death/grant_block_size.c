/* death: SIGABRT "[grant.block] what is given back" modes: debug harden */
#include <tenure/grant.h>

int
main(void)
{
  tn_grant g;
  if (tn_grant_create(&g, &(tn_grant_options){.size = 1 << 20}))
    return 1;
  tn_provider *const p = tn_grant_provider(&g);
  void *const a = tn_allocate(p, 100, 1).pointer;
  tn_release(p, a, 4096, 1);  // more than it has
  return 0;
}
