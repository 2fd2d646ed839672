/* modules.c -- which file a program counter is in; see record.h
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/syscall.h>

#include "record/record.h"

typedef struct modules_known {
  uintptr_t start;
  uintptr_t end;
  uintptr_t bias;
  bool is_gone;
} modules_known;

static modules_known *modules_list;  // RECORD_MODULES of them; wiped

typedef struct modules_id {
  const unsigned char *bytes;
  size_t size;
} modules_id;

/* The build id among the notes from p to end, if it is there. */
static void
modules_find_id(uintptr_t p, uintptr_t end, modules_id *id)
{
  while (p + sizeof(ElfW(Nhdr)) <= end) {
    const ElfW(Nhdr) *const n = (const void *)p;
    const uintptr_t body = p + sizeof *n + ((n->n_namesz + 3u) & ~3u);
    if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 &&
        body + n->n_descsz <= end)
      *id = (modules_id){(const void *)body, n->n_descsz};
    p = body + ((n->n_descsz + 3u) & ~3u);
  }
}

/* The build id of the module at start. */
static void
modules_row_build_id(record_row *row, uintptr_t start, uintptr_t bias)
{
  const ElfW(Ehdr) *const e = (const void *)start;
  modules_id id = {0};
  if (memcmp(e->e_ident, ELFMAG, SELFMAG) == 0) {
    const ElfW(Phdr) *const headers = (const void *)(start + e->e_phoff);
    for (unsigned i = 0; i < e->e_phnum; i++)
      if (headers[i].p_type == PT_NOTE)
        modules_find_id(bias + headers[i].p_vaddr,
                        bias + headers[i].p_vaddr + headers[i].p_memsz, &id);
  }
  tni_record_row_text(row, id.bytes, id.size);
}

static void
modules_row_path(record_row *row, const char *name)
{
  char path[4096];
  if (name != NULL && name[0] != '\0') {
    tni_record_row_text(row, name, strlen(name));
    return;
  }
  const long size = tni_record_call(SYS_readlink, (long)"/proc/self/exe",
                                    (long)path, sizeof path, 0, 0, 0);
  tni_record_row_text(row, path, size > 0 ? (size_t)size : 0);
}

/* ---- Which object is at an address -------------------------------------------- */

typedef struct modules_object {
  uintptr_t pc;
  uintptr_t start;
  uintptr_t end;
  uintptr_t bias;
  const char *name;
  const void *unwind;  // .eh_frame_hdr; NULL: none
} modules_object;

static int
modules_look(struct dl_phdr_info *info, size_t size, void *argument)
{
  (void)size;
  modules_object o = {.start = UINTPTR_MAX,
                      .pc = ((modules_object *)argument)->pc,
                      .bias = info->dlpi_addr,
                      .name = info->dlpi_name};
  for (unsigned i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *const h = &info->dlpi_phdr[i];
    const uintptr_t at = o.bias + h->p_vaddr;
    if (h->p_type == PT_LOAD) {
      o.start = at < o.start ? at & ~(uintptr_t)4095 : o.start;
      o.end = at + h->p_memsz > o.end ? at + h->p_memsz : o.end;
    } else if (h->p_type == PT_GNU_EH_FRAME) {
      o.unwind = (const void *)at;
    }
  }
  if (o.pc < o.start || o.pc >= o.end)
    return 0;
  *(modules_object *)argument = o;
  return 1;
}

/* The object at pc; false: none.  Without a lock where glibc can (2.35);
 * otherwise with the one under which ld.so changes its list: not held while a
 * constructor runs, but to be asked for with none of ours held. */
static bool
modules_find(uintptr_t pc, modules_object *o)
{
#if __GLIBC_PREREQ(2, 35)
  if (!tni_record.iterates) {
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) != 0)
      return false;
    *o = (modules_object){pc,
                          (uintptr_t)found.dlfo_map_start,
                          (uintptr_t)found.dlfo_map_end,
                          found.dlfo_link_map->l_addr,
                          found.dlfo_link_map->l_name,
                          found.dlfo_eh_frame};
    return true;
  }
#endif
  *o = (modules_object){.pc = pc};
  return dl_iterate_phdr(modules_look, o) != 0;
}

/* ---- The modules of the section ------------------------------------------------ */

static bool
modules_is_known(uintptr_t pc)
{
  const uint32_t count =
      __atomic_load_n(&tni_record_wiped->modules, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (!modules_list[i].is_gone && pc >= modules_list[i].start &&
        pc < modules_list[i].end)
      return true;
  return false;
}

static void
modules_add(const modules_object *object)
{
  record_wiped *const w = tni_record_wiped;
  const uintptr_t start = object->start;
  record_row row;
  record_row_begin(&row);
  record_row_number(&row, object->bias);
  record_row_number(&row, start);
  record_row_number(&row, object->end);
  modules_row_build_id(&row, start, object->bias);
  modules_row_path(&row, object->name);
  tni_record_lock(&w->module_lock);
  if (modules_list == NULL)
    modules_list = tni_record_pages(RECORD_MODULES * sizeof *modules_list);
  if (modules_list != NULL && w->modules < RECORD_MODULES &&
      !modules_is_known(start)) {
    modules_list[w->modules] =
        (modules_known){start, object->end, object->bias, false};
    tni_record_add_row(TN_TRACE_MODULE, &row);
    __atomic_store_n(&w->modules, w->modules + 1, __ATOMIC_RELEASE);
  }
  tni_record_unlock(&w->module_lock);
}

const unsigned char *
tni_record_find_module(uintptr_t pc)
{
  modules_object object;
  if (!modules_find(pc, &object))
    return NULL;
  if (!modules_is_known(pc))
    modules_add(&object);
  return object.unwind;
}

void
tni_record_check_modules(void)
{
  record_wiped *const w = tni_record_wiped;
  const uint32_t count = __atomic_load_n(&w->modules, __ATOMIC_ACQUIRE);
  bool any = false;
  for (uint32_t i = 0; i < count; i++) {
    modules_known *const m = &modules_list[i];
    modules_object object;
    if (modules_find(m->start, &object))
      continue;
    tni_record_lock(&w->module_lock);
    if (!m->is_gone) {
      record_row row;
      record_row_begin(&row);
      record_row_number(&row, i);
      tni_record_add_row(TN_TRACE_MODULE_GONE, &row);
      m->is_gone = any = true;
    }
    tni_record_unlock(&w->module_lock);
  }
  if (any) {
    tni_record_forget_rules();
    tni_record_forget_stacks();
  }
}
