/* death: SIGABRT "[isolate.write] scribble+0x" modes: debug harden */
/* death: SIGABRT "of the configuration at 0x" modes: debug harden */
/* death: SIGABRT "called a plug-in" modes: debug harden */
#include <tenure/arena.h>
#include <tenure/isolate.h>
#include <tenure/vm.h>

TN_API void scribble(void *argument, void *result);

__attribute__((noinline)) void
scribble(void *argument, void *result)
{
  (void)result;
  ((volatile int *)argument)[1] = 1;
}

/* A function writes to an arena's memory that its caller has named. */
int
main(void)
{
  const size_t size = 4 * tn_vm_page_size();
  void *memory;
  tn_arena arena;
  if (tn_vm_reserve(size, 1, &memory) != TN_OK ||
      tn_vm_commit(memory, size) != TN_OK)
    return 1;
  const tn_arena_options options = {.buffer = memory, .buffer_size = size};
  if (tn_arena_create(&arena, &options) != TN_OK)
    return 1;
  int *const numbers = tn_arena_push_zero(&arena, 2 * sizeof *numbers);
  const tn_isolate_range range = {memory, size, "the configuration"};
  const tn_isolate_options named = {&range, 1, "a plug-in", false};
  return tn_isolate_call(scribble, numbers, NULL, 0, &named) != TN_OK;
}
