/* death: SIGABRT "[isolate.range]" modes: debug harden */
#include <tenure/isolate.h>
#include <tenure/vm.h>

static unsigned char *pages;

static void
call(void *argument, void *result)
{
  const size_t count = *(const size_t *)argument;
  const tn_isolate_range range = {pages, count * tn_vm_page_size(), "pages"};
  const tn_isolate_options named = {&range, 1, "call", false};
  (void)result;
  if (count <= 2)
    (void)tn_isolate_call(call, &(size_t){count + 1}, NULL, 0, &named);
}

/* The inner call names one page more than the outer one did. */
int
main(void)
{
  void *memory;
  if (tn_vm_reserve(TN_VM_GRAIN, 1, &memory) != TN_OK ||
      tn_vm_commit(memory, TN_VM_GRAIN) != TN_OK)
    return 1;
  pages = memory;
  call(&(size_t){1}, NULL);
  return 0;
}
