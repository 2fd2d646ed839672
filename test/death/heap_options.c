/* death: SIGABRT "[heap.options] limit 0" modes: debug harden */
#include <tenure/heap.h>

int
main(void)
{
  tn_heap_options options = TN_HEAP_DEFAULTS;
  options.limit = 0;
  (void)tn_heap_create(&options, NULL);
  return 0;
}
