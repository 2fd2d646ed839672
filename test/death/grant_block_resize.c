/* death: SIGABRT "[grant.block] what is resized" modes: debug harden */
#include <tenure/grant.h>

int
main(void)
{
  tn_grant g;
  if (tn_grant_create(&g, &(tn_grant_options){.size = 1 << 20}))
    return 1;
  tn_provider *const p = tn_grant_provider(&g);
  char *const a = tn_allocate(p, 100, 1).pointer;
  (void)tn_resize(p, a + 16, 84, 50, 1);
  return 0;
}
