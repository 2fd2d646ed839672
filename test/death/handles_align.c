/* death: SIGABRT "[handles.align] the alignment of objects is no power of two" modes: debug harden */
#include <tenure/handles.h>

int
main(void)
{
  tn_handles pool;
  return tn_handles_create(&pool, 8, &(tn_handles_options){.align = 12}) ==
         TN_OK;
}
