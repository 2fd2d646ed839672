/* death: SIGABRT "[scratch.conflicts]" modes: debug harden */
#include <tenure/scratch.h>

int
main(void)
{
  tn_arena *conflict[TN_SCRATCH_MOST + 1];
  for (size_t i = 0; i <= TN_SCRATCH_MOST; i++)
    conflict[i] = tn_scratch_begin(conflict, i).arena;
  return 0;
}
