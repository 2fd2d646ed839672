/* read_tables.c -- modules, frames, stacks, threads of a section; see read.h
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/read.h"

/* A record that is being read. */
typedef struct read_body {
  tni_trace *trace;
  read_section *section;
  const unsigned char *at;
  const unsigned char *end;  // READ_PAD zeros follow
} read_body;

static uint64_t
tables_get_number(read_body *b)
{
  return b->at < b->end ? tni_tape_get(&b->at) : 0;
}

/* A text of at most what is left. */
static const unsigned char *
tables_get_text(read_body *b, size_t *size)
{
  const uint64_t said = tables_get_number(b);
  const unsigned char *const text = b->at < b->end ? b->at : b->end;
  const size_t left = (size_t)(b->end - text);
  *size = said < left ? (size_t)said : left;
  b->at = text + *size;
  return text;
}

static const char *
tables_get_copy(read_body *b)
{
  size_t size;
  const unsigned char *const text = tables_get_text(b, &size);
  return tni_read_text(b->trace, text, size);
}

/* ---- Modules and frames ----------------------------------------------------- */

static uint32_t
tables_find_module(tni_trace *t, const char *path, const unsigned char *id,
                   size_t id_size)
{
  for (uint32_t i = 0; i < t->modules.count; i++) {
    const tni_trace_module *const m = READ_AT(&t->modules, tni_trace_module, i);
    if (m->build_id_size == id_size && strcmp(m->path, path) == 0 &&
        memcmp(m->build_id, id, id_size) == 0)
      return i;
  }
  return TNI_TRACE_NONE;
}

static bool
tables_module(read_body *b)
{
  read_module m = {0};
  m.bias = tables_get_number(b);
  m.start = tables_get_number(b);
  m.end = tables_get_number(b);
  size_t id_size;
  const unsigned char *const id = tables_get_text(b, &id_size);
  const char *const path = tables_get_copy(b);
  const char *const id_copy = tni_read_text(b->trace, id, id_size);
  read_module *const slot = tni_read_push(&b->section->modules, sizeof *slot);
  if (path == NULL || id_copy == NULL || slot == NULL)
    return false;
  m.module = tables_find_module(b->trace, path, id, id_size);
  if (m.module == TNI_TRACE_NONE) {
    tni_trace_module *const to = tni_read_push(&b->trace->modules, sizeof *to);
    if (to == NULL)
      return false;
    *to = (tni_trace_module){
        path, (const unsigned char *)id_copy, id_size, m.bias, m.start, m.end};
    m.module = (uint32_t)b->trace->modules.count - 1;
  }
  *slot = m;
  return true;
}

static void
tables_module_gone(read_body *b)
{
  const uint64_t i = tables_get_number(b);
  if (i < b->section->modules.count)
    READ_AT(&b->section->modules, read_module, i)->is_gone = true;
}

static bool
tables_frame(read_body *b)
{
  read_section *const s = b->section;
  s->address += tni_tape_unzigzag(tables_get_number(b));
  const uint64_t size = tables_get_number(b);
  uint32_t module = TNI_TRACE_NONE;
  uint64_t offset = s->address;
  for (size_t i = s->modules.count; i-- != 0;) {
    const read_module *const m = READ_AT(&s->modules, read_module, i);
    if (!m->is_gone && s->address > m->start && s->address <= m->end) {
      module = m->module;
      offset = s->address - m->bias;
      break;
    }
  }
  const uint32_t frame = tni_read_frame(b->trace, module, offset);
  read_frame *const slot = tni_read_push(&s->frames, sizeof *slot);
  if (frame == TNI_TRACE_NONE || slot == NULL)
    return false;
  *slot = (read_frame){frame, size < UINT32_MAX ? (uint32_t)size : 0};
  return true;
}

/* ---- Stacks ------------------------------------------------------------------ */

/* One frame further inward; both trees.  false: out of memory. */
static bool
tables_step(read_body *b, uint64_t number)
{
  read_section *const s = b->section;
  if (number >= s->frames.count || s->path_length >= READ_STACK_MOST - 1) {
    tni_read_complain(b->trace, "a stack names a frame that is not there");
    s->is_broken = true;
    return true;
  }
  const read_frame f = *READ_AT(&s->frames, read_frame, number);
  const uint32_t n = s->path_length++;
  read_node *const node = tni_read_push(&s->nodes, sizeof *node);
  if (node == NULL)
    return false;
  *node = (read_node){s->path[n], f.size};
  s->path[n + 1] = (uint32_t)s->nodes.count - 1;
  s->tree[n + 1] = tni_read_node(b->trace, s->tree[n], f.frame);
  return s->tree[n + 1] != 0;
}

/* path[0] and tree[0] stand for what is outside the outermost frame. */
static bool
tables_stack(read_body *b)
{
  read_section *const s = b->section;
  const uint64_t api = tables_get_number(b);
  const uint64_t shared = tables_get_number(b);
  const uint64_t top = tables_get_number(b);
  const uint64_t flags = tables_get_number(b);
  const uint64_t count = tables_get_number(b);
  const bool cut = flags & (TN_TRACE_STACK_CUT | TN_TRACE_STACK_BROKEN);
  if (shared > s->path_length || count > READ_STACK_MOST) {
    tni_read_complain(b->trace, "a stack shares frames that are not there");
    s->is_broken = true;
    return true;
  }
  s->path_length = (uint32_t)shared;
  if (shared == 0)
    s->tree[0] = cut ? tni_read_node(b->trace, 0, TNI_TRACE_NONE) : 0;
  for (uint64_t i = 0; i < count && !s->is_broken; i++)
    if (!tables_step(b, tables_get_number(b)))
      return false;
  read_stack *const stack = tni_read_push(&s->stacks, sizeof *stack);
  if (stack == NULL)
    return false;
  const uint32_t n = s->path_length;
  *stack = (read_stack){.node = n ? s->path[n] : 0,
                        .stack = s->tree[n],
                        .api = api < TN_TRACE_APIS ? (uint32_t)api : 0,
                        .top = top ? (top - 1) * 8 : 0};
  stack->depth = stack->top;
  for (uint32_t i = 2; i <= n && top; i++)
    stack->depth += READ_AT(&s->nodes, read_node, s->path[i])->size * 8ull;
  return true;
}

/* ---- Threads, program, texts -------------------------------------------------- */

static bool
tables_thread(read_body *b)
{
  read_section *const s = b->section;
  const uint64_t number = tables_get_number(b);
  if (number >= 1u << 24)
    return true;
  while (s->threads.count <= number) {
    uint32_t *const index = tni_read_push(&s->threads, sizeof *index);
    tni_trace_thread *const to =
        index ? tni_read_push(&b->trace->threads, sizeof *to) : NULL;
    if (to == NULL)
      return false;
    *index = (uint32_t)b->trace->threads.count - 1;
    *to = (tni_trace_thread){.process = s->process, .name = ""};
  }
  tni_trace_thread *const to = READ_AT(&b->trace->threads, tni_trace_thread,
                                       *READ_AT(&s->threads, uint32_t, number));
  to->tid = (uint32_t)tables_get_number(b);
  to->stack_low = tables_get_number(b);
  to->stack_high = tables_get_number(b);
  to->name = tables_get_copy(b);
  return to->name != NULL;
}

static bool
tables_program(read_body *b)
{
  tni_trace_process *const p =
      READ_AT(&b->trace->processes, tni_trace_process, b->section->process);
  p->path = tables_get_copy(b);
  size_t size;
  const unsigned char *const text = tables_get_text(b, &size);
  const char *const all = tni_read_text(b->trace, text, size);
  p->allocator = tables_get_copy(b);
  if (p->path == NULL || all == NULL || p->allocator == NULL)
    return false;
  read_list *const list = &b->section->arguments;
  list->count = 0;
  for (size_t i = 0; i < size; i += strlen(all + i) + 1) {
    const char **const argument = tni_read_push(list, sizeof *argument);
    if (argument == NULL)
      return false;
    *argument = all + i;
  }
  p->arguments = list->items;
  p->count = list->count;
  return true;
}

static bool
tables_text(read_body *b)
{
  const char **const slot = tni_read_push(&b->section->texts, sizeof *slot);
  return slot != NULL && (*slot = tables_get_copy(b)) != NULL;
}

/* ---- Chunks -------------------------------------------------------------------- */

static bool
tables_record(unsigned kind, read_body *b)
{
  switch (kind) {
  case TN_TRACE_MODULE: return tables_module(b);
  case TN_TRACE_MODULE_GONE: tables_module_gone(b); return true;
  case TN_TRACE_FRAME: return tables_frame(b);
  case TN_TRACE_STACK: return tables_stack(b);
  case TN_TRACE_THREAD: return tables_thread(b);
  case TN_TRACE_PROGRAM: return tables_program(b);
  case TN_TRACE_TEXT: return tables_text(b);
  default: return true;
  }
}

static tn_status
tables_chunk(tni_trace *t, read_section *s, const read_chunk *c)
{
  unsigned char *const data = tni_read_pages(c->size + READ_PAD);
  if (data == NULL)
    return TN_ENOMEM;
  tn_status status = TN_OK;
  const unsigned char *p = data + sizeof(tn_trace_chunk);
  const unsigned char *const end = data + c->size;
  if (!tni_read_bytes(t, c->offset, data, c->size))
    s->is_broken = true;
  while (status == TN_OK && !s->is_broken && p < end && *p != 0) {
    const unsigned kind = *p++;
    const uint64_t size = tni_tape_get(&p);
    if (p > end || size > (uint64_t)(end - p)) {
      tni_read_complain(t, "a table is damaged near byte %llu",
                        (unsigned long long)c->offset);
      s->is_broken = true;
      break;
    }
    read_body body = {t, s, p, p + size};
    status = tables_record(kind, &body) ? TN_OK : TN_ENOMEM;
    p += size;
  }
  tni_read_unpages(data, c->size + READ_PAD);
  return status;
}

static bool
tables_begin(tni_trace *t, read_section *s)
{
  const tn_trace_section *const h = &s->header;
  tni_trace_process *const p = tni_read_push(&t->processes, sizeof *p);
  if (p == NULL || tni_read_push(&s->nodes, sizeof(read_node)) == NULL ||
      tni_read_push(&s->stacks, sizeof(read_stack)) == NULL)
    return false;
  s->process = (uint32_t)t->processes.count - 1;
  *p = (tni_trace_process){
      .pid = h->pid,
      .parent = TNI_TRACE_NONE,
      .origin = h->origin <= TN_TRACE_EXECED ? h->origin : 0,
      .ending = h->ending <= TN_TRACE_SIGNALLED ? h->ending : 0,
      .status = (int)h->status,
      .path = "",
      .allocator = "",
      .mode = h->mode <= TN_TRACE_TALLIES ? h->mode : 0,
      .rate = h->rate,
      .depth = h->depth,
      .free_depth = h->free_depth,
      .lost = h->lost,
  };
  for (uint32_t i = 0; h->parent != 0 && i < t->sections.count; i++)
    if (read_section_at(t, i)->header.section == h->parent &&
        read_section_at(t, i) != s)
      p->parent = i;
  return true;
}

tn_status
tni_read_tables(tni_trace *t)
{
  if (tni_read_push(&t->nodes, sizeof(tni_trace_node)) == NULL)
    return TN_ENOMEM;
  READ_AT(&t->nodes, tni_trace_node, 0)->frame = TNI_TRACE_NONE;
  size_t c = 0;
  for (uint32_t i = 0; i < t->sections.count; i++) {
    read_section *const s = read_section_at(t, i);
    if (!tables_begin(t, s))
      return TN_ENOMEM;
    uint32_t sequence = 0;
    for (; c < t->chunks.count; c++) {
      const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c);
      if (chunk->section != i || chunk->kind != TN_TRACE_CHUNK_TABLES)
        break;
      if (chunk->sequence != sequence++) {
        tni_read_complain(t, "a chunk of tables is missing");
        s->is_broken = true;
      }
      const tn_status status = s->is_broken ? TN_OK : tables_chunk(t, s, chunk);
      if (status != TN_OK)
        return status;
    }
    for (; c < t->chunks.count; c++)
      if (READ_AT(&t->chunks, read_chunk, c)->section != i)
        break;
  }
  return TN_OK;
}
