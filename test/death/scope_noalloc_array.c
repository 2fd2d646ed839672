/* death: SIGABRT "(test/death/scope_noalloc_array.c:" modes: debug */
#include <unistd.h>

#include <tenure/array.h>
#include <tenure/scope.h>
#include <tenure/source.h>

int
main(void)
{
  _Alignas(16) unsigned char bytes[512];
  tn_fixed fixed;
  tn_fixed_init(&fixed, bytes, sizeof bytes);
  tn_scope scope;
  tn_scope_init(&scope, &fixed.provider);
  TN_ARRAY(int) a;
  tn_array_init(&a, &fixed.provider);
  tn_array_push(&a, 1);
  TN_NOALLOC
  {
    while (tn_array_count(&a) < 1000)
      tn_array_push(&a, 1);
  }
  return 0;
}
