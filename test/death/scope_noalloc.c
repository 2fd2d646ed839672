/* death: SIGABRT "[scope.noalloc] work+0x" modes: debug */
#include <tenure/scope.h>
#include <tenure/source.h>

TN_API void work(tn_provider *provider);

__attribute__((noinline)) void
work(tn_provider *provider)
{
  (void)tn_allocate(provider, 1, 1);
}

int
main(void)
{
  _Alignas(16) unsigned char bytes[512];
  tn_fixed fixed;
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  TN_NOALLOC
  {
    work(&fixed.provider);
  }
  return 0;
}
