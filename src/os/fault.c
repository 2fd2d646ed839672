/* fault.c -- the public face of faults; see <tenure/fault.h> */
#include <tenure/fault.h>

#include "os/os.h"

bool
tn_fault_offer(int signal, void *info, void *context)
{
  return tni_os_fault_offer(signal, info, context);
}

tn_status
tn_fault_watch_stack(void)
{
  const tn_status status = tni_os_alternate_stack();
  return status == TN_OK ? tni_os_fault_install() : status;
}
