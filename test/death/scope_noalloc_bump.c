/* death: SIGABRT "[scope.noalloc] work+" modes: debug */
#include <tenure/bump.h>
#include <tenure/scope.h>

TN_API void work(tn_bump *b);

__attribute__((noinline)) void
work(tn_bump *b)
{
  *(char *)tn_bump_push(b, 1) = 1;
}

int
main(void)
{
  tn_bump b;
  if (tn_bump_create(&b, NULL))
    return 1;
  TN_NOALLOC
  {
    work(&b);
  }
  return 0;
}
