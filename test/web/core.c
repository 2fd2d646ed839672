/* core.c -- the core library in WebAssembly; test_core.py runs check() */
#include <tenure/arena.h>
#include <tenure/bump.h>
#include <tenure/vm.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((export_name("check"))) int check(void);

/* 0, or the number of the line that is wrong. */
#define WANT(condition)                                                        \
  if (!(condition))                                                            \
  return __LINE__

/* What an arena's texts need of a libc; nothing here formats one for them. */
size_t
strlen(const char *text)
{
  size_t length = 0;
  while (text[length])
    length++;
  return length;
}

int
vsnprintf(char *restrict to, size_t room, const char *restrict format,
          va_list args)
{
  (void)to, (void)room, (void)format, (void)args;
  return -1;
}

/* long and size_t have 32 bits here, long long has 64. */
static int
check_text(void)
{
  static unsigned char buffer[4096];
  static const char wanted[] = "-2 4294967295 -9000000000 3 x";
  const tn_arena_options options = {.buffer = buffer,
                                    .buffer_size = sizeof buffer};
  tn_arena a;
  WANT(tn_arena_create(&a, &options) == TN_OK);
  const char *const text =
      tn_arena_printf(&a, "%ld %zu %lld %lu %c", -2L, (size_t)SIZE_MAX,
                      -9000000000LL, 3UL, 'x');
  WANT(text != NULL);
  for (size_t i = 0; i < sizeof wanted; i++)
    WANT(text[i] == wanted[i]);
  tn_arena_destroy(&a);
  return 0;
}

int
check(void)
{
  tn_checked c;
  const tn_checked_options options = {.name = "small", .size = 1 << 20};
  WANT(tn_checked_create(&c, &options) == TN_OK);
  char text[128];
  WANT(tn_describe(tn_checked_push(&c, 8), text, sizeof text) > 0);
  WANT(text[0] == 'b');  // bump "small": ...

  unsigned char *last = NULL;
  uint32_t blocks = 0;
  for (unsigned char *block; (block = tn_checked_try(&c, 60000)) != NULL;
       last = block, blocks++) {
    block[0] = block[59999] = (unsigned char)blocks;
    WANT(!last || last - block >= 60000);
  }
  WANT(blocks * 60000 <= (1 << 20) + 65536 && blocks >= 17);  // and a page
  tn_checked_reset(&c);
  WANT(tn_checked_try(&c, 60000) != NULL);
  tn_checked_destroy(&c);

  /* The branchless form needs a guard: refused, as a value. */
  tn_bump b;
  WANT(tn_bump_create(&b, NULL) != TN_OK);
  void *pages;
  WANT(tn_vm_reserve(1 << 20, TN_VM_GRAIN, &pages) == TN_OK);
  WANT(tn_vm_commit(pages, 1 << 20) == TN_OK);
  WANT(((unsigned char *)pages)[12345] == 0);
  WANT(tn_vm_release(pages) == TN_OK);
  return check_text();
}
