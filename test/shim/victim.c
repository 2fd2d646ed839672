/* victim.c -- what a setuid program has of its environment, for test_loading.py:
 * AT_SECURE, whether 64 MiB are refused, whether malloc is ours */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

int
main(void)
{
  Dl_info info = {0};
  void *const large = malloc((size_t)64 << 20);
  char *const small = malloc(100);
  void *(*const ours)(size_t) = malloc;
  (void)dladdr((void *)ours, &info);
  printf("%lu %s %s\n", getauxval(AT_SECURE), large ? "had" : "refused",
         strstr(info.dli_fname, "tenure") ? "ours" : "libc's");
  free(large);
  free(small);
  return 0;
}
