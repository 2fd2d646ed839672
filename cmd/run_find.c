/* run_find.c -- see run_find.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "run_find.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cmd.h"

enum { RUN_CANNOT = 126, RUN_MISSING = 127, RUN_SCRIPTS = 4 };

static int
run_refuse(const char *path, const char *why)
{
  (void)cmd_fail("%s %s", path, why);
  return RUN_CANNOT;
}

/* The loader of an ELF file must be there, and be glibc's. */
static int
run_check_loader(const char *path, int fd, const Elf64_Phdr *p)
{
  char name[256] = "";
  const size_t size = p->p_filesz < sizeof name ? p->p_filesz : sizeof name - 1;
  if (pread(fd, name, size, (off_t)p->p_offset) != (ssize_t)size ||
      access(name, F_OK) != 0) {
    (void)cmd_fail("%s needs %s, which is not there", path, name);
    return RUN_CANNOT;
  }
  if (strstr(name, "/ld-musl") != NULL)
    return run_refuse(path, "is made for musl: what records is made for glibc");
  return 0;
}

/* An ELF file without an interpreter is not loaded by ld.so, which is what
 * preloads the recorder. */
static int
run_check_elf(const char *path, int fd, const Elf64_Ehdr *e)
{
  if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64)
    return run_refuse(path, "is not an x86-64 program: it cannot be recorded");
  for (unsigned i = 0; i < e->e_phnum; i++) {
    Elf64_Phdr p;
    if (pread(fd, &p, sizeof p,
              (off_t)(e->e_phoff + i * (uint64_t)e->e_phentsize)) != sizeof p)
      break;
    if (p.p_type == PT_INTERP)
      return run_check_loader(path, fd, &p);
  }
  return run_refuse(path, "is linked statically: nothing can be loaded into it,"
                          " so it cannot be recorded");
}

/* ld.so loads nothing into what has more rights than who starts it. */
static bool
run_is_privileged(const char *path, const struct stat *about)
{
  return (about->st_mode & S_ISUID && about->st_uid != geteuid()) ||
         (about->st_mode & S_ISGID && about->st_mode & S_IXGRP &&
          about->st_gid != getegid()) ||
         (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

static int run_check(const char *path, unsigned scripts);

/* A script is run by what its first line names; that is cut out of it. */
static int
run_check_script(const char *path, char *line, unsigned scripts)
{
  char *const name = line + 2 + strspn(line + 2, " \t");
  name[strcspn(name, " \t\r\n")] = '\0';
  if (access(name, F_OK) != 0) {
    (void)cmd_fail("%s is a script for %s: %s", path, name, strerror(errno));
    return RUN_CANNOT;
  }
  return run_check(name, scripts - 1);
}

static int
run_check(const char *path, unsigned scripts)
{
  struct stat about;
  union {
    Elf64_Ehdr elf;
    char text[256];
  } head = {0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &about) != 0) {
    if (fd >= 0)
      (void)close(fd);
    (void)cmd_fail("cannot read %s: %s", path, strerror(errno));
    return RUN_CANNOT;
  }
  int code = 0;
  const ssize_t size = pread(fd, &head, sizeof head - 1, 0);
  if (run_is_privileged(path, &about))
    code = run_refuse(
        path,
        "runs with more rights than yours (setuid, setgid, a capability): "
        "ld.so loads nothing into it, so it cannot be recorded");
  else if (size >= (ssize_t)sizeof head.elf &&
           memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0)
    code = run_check_elf(path, fd, &head.elf);
  else if (size > 2 && memcmp(head.text, "#!", 2) == 0 && scripts > 0)
    code = run_check_script(path, head.text, scripts);
  (void)close(fd);
  return code;
}

static bool
run_is_program(const char *path)
{
  struct stat about;
  return stat(path, &about) == 0 && S_ISREG(about.st_mode) &&
         access(path, X_OK) == 0;
}

/* Look for name in the folders of PATH. */
static bool
run_search(const char *name, char *path, size_t size)
{
  const char *folders = getenv("PATH");
  if (folders == NULL)
    folders = "/usr/local/bin:/usr/bin:/bin";
  for (;;) {
    const size_t length = strcspn(folders, ":");
    const int wrote = snprintf(path, size, "%.*s%s%s", (int)length, folders,
                               length ? "/" : "./", name);
    if (wrote > 0 && (size_t)wrote < size && run_is_program(path))
      return true;
    if (folders[length] == '\0')
      return false;
    folders += length + 1;
  }
}

int
run_find(const char *name, char *path, size_t size)
{
  if (strchr(name, '/') == NULL) {
    if (!run_search(name, path, size)) {
      (void)cmd_fail("%s: no such program in PATH", name);
      return RUN_MISSING;
    }
  } else if ((size_t)snprintf(path, size, "%s", name) >= size ||
             access(path, F_OK) != 0) {
    (void)cmd_fail("%s: %s", name, strerror(errno ? errno : ENAMETOOLONG));
    return RUN_MISSING;
  } else if (!run_is_program(path)) {
    return run_refuse(name, "is not an executable file");
  }
  return run_check(path, RUN_SCRIPTS);
}
