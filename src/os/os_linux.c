#include "os/os.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
tni_os_write_error(const char *text, size_t size)
{
  while (size > 0) {
    const ssize_t n = write(2, text, size);
    if (n <= 0)
      return;
    text += n;
    size -= (size_t)n;
  }
}

void
tni_fatal(const char *text)
{
  tni_os_write_error(text, strlen(text));
  tni_os_write_error("\n", 1);
  abort();
}
