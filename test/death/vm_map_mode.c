/* death: SIGABRT "[vm.access]" modes: debug harden */
#include <tenure/vm.h>

int
main(void)
{
  tn_map map;
  (void)tn_map_file("/dev/null", (tn_map_mode)3, 0, 1, &map);
  return 0;
}
