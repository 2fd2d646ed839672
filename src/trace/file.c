/* file.c -- files that a command writes; see file.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static int
file_complain(const char *path, int error)
{
  fprintf(stderr, "tenure: cannot write %s: %s\n", path, strerror(error));
  return 1;
}

static void
file_discard(const char *path)
{
  struct stat status;
  if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
    remove(path);
}

int
tni_file_write(const char *path, void (*write)(FILE *to, const void *argument),
               const void *argument)
{
  const bool is_stdout = strcmp(path, "-") == 0;
  errno = 0;
  FILE *const to = is_stdout ? stdout : fopen(path, "wb");
  if (to == NULL)
    return file_complain(path, errno);
  write(to, argument);
  bool is_good = fflush(to) == 0 && !ferror(to);
  const int error = errno;
  if (!is_stdout && fclose(to) != 0)
    is_good = false;
  if (is_good)
    return 0;
  if (!is_stdout)
    file_discard(path);
  return file_complain(path, error ? error : errno);
}
