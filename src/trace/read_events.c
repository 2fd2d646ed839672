/* read_events.c -- the threads' events, merged by time; see read.h
 *
 * A heap of cursors, one for each thread's chunks and one for the beginning of
 * each section.  A chunk is loaded when the time of its start is reached and
 * dropped at its end, so that memory follows the threads that are alive.
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace/read.h"

static uint64_t
events_time(const tni_trace *t, const read_section *s, uint64_t tick)
{
  const uint64_t passed =
      tick > s->header.start_tick ? tick - s->header.start_tick : 0;
  const read_wide ns = (read_wide)passed * t->ns_per_tick >> 32;
  return s->header.start_ns - t->start_ns + (uint64_t)ns;
}

/* ---- The heap ------------------------------------------------------------------ */

static read_cursor *
events_cursor(const tni_trace *t, size_t i)
{
  return READ_AT(&t->cursors, read_cursor, *READ_AT(&t->heap, uint32_t, i));
}

/* [trace.order] */
static bool
events_is_before(const read_cursor *a, const read_cursor *b)
{
  return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->rank < b->rank;
}

static void
events_sift(tni_trace *t, size_t i)
{
  uint32_t *const heap = t->heap.items;
  for (;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
      if (child < t->heap.count &&
          events_is_before(events_cursor(t, child), events_cursor(t, least)))
        least = child;
    if (least == i)
      return;
    const uint32_t moved = heap[i];
    heap[i] = heap[least];
    heap[least] = moved;
    i = least;
  }
}

static void
events_pop(tni_trace *t)
{
  uint32_t *const heap = t->heap.items;
  heap[0] = heap[--t->heap.count];
  events_sift(t, 0);
}

/* ---- Cursors -------------------------------------------------------------------- */

/* [trace.bound] */
static void
events_unload(read_cursor *c)
{
  tni_read_unpages(c->data, c->data_size);
  tni_read_unpages(c->tape, sizeof *c->tape);
  c->data = NULL;
  c->tape = NULL;
  c->is_loaded = false;
}

/* Stand at the beginning of the next chunk, not yet loaded; false: none. */
static bool
events_next_chunk(tni_trace *t, read_cursor *c)
{
  if (c->is_loaded) {
    c->chunk++;
    events_unload(c);
  }
  if (c->chunk >= c->chunk_end)
    return false;
  const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c->chunk);
  const uint64_t time =
      events_time(t, read_section_at(t, c->section), chunk->start_tick);
  if (time > c->time_ns)
    c->time_ns = time;
  c->rank = 0;
  return true;
}

/* [trace.order] What gives a block stands before what takes it. */
static uint32_t
events_rank(const tni_tape_record *r)
{
  const bool is_other = r->op == TNI_TAPE_OTHER;
  if (is_other ? r->kind == TN_TRACE_FREE || r->kind == TN_TRACE_POOL_FREE
               : r->op == TNI_TAPE_FREE)
    return 4;
  return (is_other ? r->kind == TN_TRACE_RESIZE : r->op == TNI_TAPE_RESIZE) ? 3
                                                                            : 2;
}

/* Decode the record at the cursor; false: the chunk has no more. */
static bool
events_decode(tni_trace *t, read_cursor *c)
{
  const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c->chunk);
  if (c->at >= c->end || *c->at == 0)
    return false;
  const unsigned char *const next = tni_tape_read(c->tape, c->at, &c->record);
  if (next == NULL || next > c->end ||
      c->record.tick > UINT64_MAX >> chunk->tick_log2) {
    tni_read_complain(t, "events are damaged near byte %llu",
                      (unsigned long long)chunk->offset +
                          (unsigned long long)(c->at - c->data));
    return false;
  }
  c->at = next;
  const uint64_t time = events_time(t, read_section_at(t, c->section),
                                    c->record.tick << chunk->tick_log2);
  if (time > c->time_ns)
    c->time_ns = time;
  c->rank = events_rank(&c->record);
  return true;
}

static bool
events_load(tni_trace *t, read_cursor *c)
{
  const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c->chunk);
  c->data_size = chunk->size + READ_PAD;
  c->data = tni_read_pages(c->data_size);
  c->tape = tni_read_pages(sizeof *c->tape);
  c->is_loaded = true;
  if (c->data == NULL || c->tape == NULL ||
      !tni_read_bytes(t, chunk->offset, c->data, chunk->size)) {
    tni_read_complain(t, "%s",
                      c->tape == NULL ? "out of memory while reading"
                                      : "a chunk cannot be read");
    c->at = c->end = c->data;
    return false;
  }
  t->position += chunk->size;
  c->at = c->data + sizeof(tn_trace_chunk);
  c->end = c->data + chunk->size;
  tni_tape_begin(c->tape, chunk->start_tick >> chunk->tick_log2);
  return true;
}

/* ---- From records to events ------------------------------------------------------ */

/* [trace.index] a number that tables do not know is no stack. */
static void
events_stack(const tni_trace *t, const read_section *s, uint64_t number,
             tni_trace_event *e)
{
  if (number == 0 || number >= s->stacks.count)
    return;
  const read_stack *const stack = READ_AT(&s->stacks, read_stack, number);
  e->context = (uint32_t)number;
  e->stack = stack->stack;
  e->api = (tn_trace_api)stack->api;
  const uint64_t high =
      READ_AT(&t->threads, tni_trace_thread, e->thread)->stack_high;
  if (stack->depth != 0 && stack->depth < high)
    e->sp = high - stack->depth;
}

static const char *
events_text(const read_section *s, uint64_t number)
{
  return number < s->texts.count ? *READ_AT(&s->texts, const char *, number)
                                 : "";
}

/* Where the fields of a kind go: a letter each.  s stack, a address, z size,
 * l align, o old, O old size, p pool, t text, x the next of extra. */
static const struct {
  const char *fields;
  tni_trace_kind kind;
} events_layout[TN_TRACE_RECORDS] = {
    [TN_TRACE_ALLOC] = {"sazl", TNI_TRACE_ALLOC},
    [TN_TRACE_FREE] = {"sa", TNI_TRACE_FREE},
    [TN_TRACE_RESIZE] = {"soaz", TNI_TRACE_RESIZE},
    [TN_TRACE_RESIZE_OPEN] = {"sa", TNI_TRACE_RESIZE_OPEN},
    [TN_TRACE_MAP] = {"sazxxx", TNI_TRACE_MAP},
    [TN_TRACE_UNMAP] = {"saz", TNI_TRACE_UNMAP},
    [TN_TRACE_REMAP] = {"soOaz", TNI_TRACE_REMAP},
    [TN_TRACE_BREAK] = {"saz", TNI_TRACE_BREAK},
    [TN_TRACE_THREAD_OPEN] = {"sx", TNI_TRACE_THREAD_OPEN},
    [TN_TRACE_THREAD_CLOSE] = {"", TNI_TRACE_THREAD_CLOSE},
    [TN_TRACE_FORK] = {"sx", TNI_TRACE_FORK},
    [TN_TRACE_EXEC] = {"s", TNI_TRACE_EXEC},
    [TN_TRACE_EXIT] = {"x", TNI_TRACE_EXIT},
    [TN_TRACE_SAMPLE] = {"zxxx", TNI_TRACE_SAMPLE},
    [TN_TRACE_LEFT] = {"azx", TNI_TRACE_LEFT},
    [TN_TRACE_MARK] = {"st", TNI_TRACE_MARK},
    [TN_TRACE_POOL_OPEN] = {"spto", TNI_TRACE_POOL_OPEN},
    [TN_TRACE_POOL_CLOSE] = {"sp", TNI_TRACE_POOL_CLOSE},
    [TN_TRACE_POOL_RESET] = {"sp", TNI_TRACE_POOL_RESET},
    [TN_TRACE_POOL_ALLOC] = {"spaz", TNI_TRACE_POOL_ALLOC},
    [TN_TRACE_POOL_FREE] = {"spa", TNI_TRACE_POOL_FREE},
    [TN_TRACE_LOST] = {"x", TNI_TRACE_LOST},
    [TN_TRACE_MISUSE] = {"sax", TNI_TRACE_MISUSE},
    [TN_TRACE_TALLY] = {"sxxxxxx", TNI_TRACE_TALLY},
};

static void
events_fields(const tni_trace *t, const read_section *s,
              const tni_tape_record *r, const char *fields, tni_trace_event *e)
{
  unsigned extra = 0;
  for (unsigned i = 0; i < r->count && fields[i] != '\0'; i++)
    switch (fields[i]) {
    case 's': events_stack(t, s, r->fields[i], e); break;
    case 'a': e->address = r->fields[i]; break;
    case 'z': e->size = r->fields[i]; break;
    case 'l': e->align = r->fields[i]; break;
    case 'o': e->old = r->fields[i]; break;
    case 'O': e->old_size = r->fields[i]; break;
    case 'p': e->pool = r->fields[i]; break;
    case 't': e->text = events_text(s, r->fields[i]); break;
    default: e->extra[extra++] = r->fields[i]; break;
    }
  if (e->kind == TNI_TRACE_THREAD_OPEN)
    e->extra[0] = e->extra[0] < s->threads.count
                      ? *READ_AT(&s->threads, uint32_t, e->extra[0])
                      : TNI_TRACE_NONE;
}

/* Fill e from the cursor's record; false: of a kind that this does not know. */
static bool
events_make(const tni_trace *t, const read_cursor *c, tni_trace_event *e)
{
  static const tni_trace_kind plain[] = {
      [TNI_TAPE_ALLOC] = TNI_TRACE_ALLOC,
      [TNI_TAPE_FREE] = TNI_TRACE_FREE,
      [TNI_TAPE_RESIZE] = TNI_TRACE_RESIZE,
  };
  const tni_tape_record *const r = &c->record;
  const read_section *const s = read_section_at(t, c->section);
  *e = (tni_trace_event){.process = s->process, .thread = c->thread};
  e->time_ns = c->time_ns;
  if (r->op == TNI_TAPE_OTHER) {
    if (r->kind >= TN_TRACE_RECORDS || events_layout[r->kind].fields == NULL)
      return false;
    e->kind = events_layout[r->kind].kind;
    events_fields(t, s, r, events_layout[r->kind].fields, e);
    return true;
  }
  e->kind = plain[r->op];
  e->address = r->address;
  e->size = r->size;
  e->old = r->old;
  events_stack(t, s, r->stack, e);
  return true;
}

static void
events_bound(tni_trace *t, tni_trace_kind kind, uint32_t section,
             tni_trace_event *e)
{
  const uint32_t process = read_section_at(t, section)->process;
  tni_trace_process *const p =
      READ_AT(&t->processes, tni_trace_process, process);
  *e = (tni_trace_event){.kind = kind, .process = process};
  e->thread = TNI_TRACE_NONE;
  e->time_ns = t->now_ns;
  if (kind == TNI_TRACE_PROCESS_CLOSE)
    p->end_ns = t->now_ns;
}

/* One thread of the section, or its beginning, has been read. */
static void
events_finish(tni_trace *t, const read_cursor *c)
{
  const uint32_t section = c->section;
  events_pop(t);
  if (--read_section_at(t, section)->open_threads == 0)
    t->closing = section;
}

bool
tni_trace_next(tni_trace *t, tni_trace_event *event)
{
  for (;;) {
    if (t->closing != TNI_TRACE_NONE) {
      events_bound(t, TNI_TRACE_PROCESS_CLOSE, t->closing, event);
      t->closing = TNI_TRACE_NONE;
      return true;
    }
    if (t->heap.count == 0)
      return false;
    read_cursor *const c = events_cursor(t, 0);
    if (c->time_ns > t->now_ns)
      t->now_ns = c->time_ns;
    if (c->thread == TNI_TRACE_NONE) {
      events_bound(t, TNI_TRACE_PROCESS_OPEN, c->section, event);
      events_finish(t, c);
      return true;
    }
    const bool given = c->is_loaded && events_make(t, c, event);
    const bool loaded = c->is_loaded || events_load(t, c);
    if (!(loaded && events_decode(t, c)) && !events_next_chunk(t, c))
      events_finish(t, c);
    else
      events_sift(t, 0);
    if (given)
      return true;
  }
}

/* ---- Beginning and end ------------------------------------------------------------ */

static tn_status
events_add(tni_trace *t, uint32_t section, uint32_t thread, size_t chunk,
           size_t chunk_end)
{
  read_cursor *const c = tni_read_push(&t->cursors, sizeof *c);
  if (c == NULL)
    return TN_ENOMEM;
  *c = (read_cursor){.section = section,
                     .thread = thread,
                     .chunk = chunk,
                     .chunk_end = chunk_end};
  return TN_OK;
}

/* The index of a thread that events name, whether tables did or not. */
static uint32_t
events_thread(tni_trace *t, read_section *s, uint32_t number)
{
  while (s->threads.count <= number) {
    uint32_t *const index = tni_read_push(&s->threads, sizeof *index);
    tni_trace_thread *const to =
        index ? tni_read_push(&t->threads, sizeof *to) : NULL;
    if (to == NULL)
      return TNI_TRACE_NONE;
    *index = (uint32_t)t->threads.count - 1;
    *to = (tni_trace_thread){.process = s->process, .name = ""};
  }
  return *READ_AT(&s->threads, uint32_t, number);
}

/* The chunk after those of the thread of chunk c, which are in order
 * [trace.thread]; notes what is missing. */
static size_t
events_run(tni_trace *t, size_t c)
{
  const read_chunk *const first = READ_AT(&t->chunks, read_chunk, c);
  uint32_t sequence = 0;
  for (; c < t->chunks.count; c++) {
    const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c);
    if (chunk->section != first->section || chunk->thread != first->thread)
      break;
    if (chunk->sequence != sequence)
      tni_read_complain(t, "events of thread %u are missing", chunk->thread);
    sequence = chunk->sequence + 1;
  }
  return c;
}

tn_status
tni_read_cursors(tni_trace *t)
{
  tn_status status = TN_OK;
  for (uint32_t i = 0; status == TN_OK && i < t->sections.count; i++)
    status = events_add(t, i, TNI_TRACE_NONE, 0, 0);
  for (size_t c = 0; status == TN_OK && c < t->chunks.count;) {
    const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, c);
    if (chunk->kind != TN_TRACE_CHUNK_EVENTS) {
      c++;
      continue;
    }
    const uint32_t thread =
        events_thread(t, read_section_at(t, chunk->section), chunk->thread);
    const size_t end = events_run(t, c);
    status = thread == TNI_TRACE_NONE
                 ? TN_ENOMEM
                 : events_add(t, chunk->section, thread, c, end);
    c = end;
  }
  for (uint32_t i = 0; status == TN_OK && i < t->cursors.count; i++) {
    uint32_t *const slot = tni_read_push(&t->heap, sizeof *slot);
    status = slot ? TN_OK : TN_ENOMEM;
  }
  if (status == TN_OK)
    tni_trace_rewind(t);
  return status;
}

/* A process that was killed did not say when it ended: not before the last
 * event of any of its threads. */
void
tni_read_ends(tni_trace *t)
{
  for (uint32_t i = 0; i < t->cursors.count; i++) {
    read_cursor *const c = READ_AT(&t->cursors, read_cursor, i);
    const read_section *const s = read_section_at(t, c->section);
    tni_trace_process *const p =
        READ_AT(&t->processes, tni_trace_process, s->process);
    const bool has_said = s->header.ending == TN_TRACE_EXITED ||
                          s->header.ending == TN_TRACE_REPLACED;
    if (has_said || c->thread == TNI_TRACE_NONE)
      continue;
    c->chunk = c->chunk_end - 1;
    if (events_load(t, c))
      while (events_decode(t, c))
        ;
    if (c->time_ns > p->end_ns)
      p->end_ns = c->time_ns;
  }
  tni_trace_rewind(t);
}

/* First chunks of threads: remembered so that a rewind finds them. */
static size_t
events_first(const tni_trace *t, const read_cursor *c)
{
  size_t first = c->chunk_end;
  const read_chunk *const last = READ_AT(&t->chunks, read_chunk, first - 1);
  while (first != 0) {
    const read_chunk *const chunk = READ_AT(&t->chunks, read_chunk, first - 1);
    if (chunk->section != last->section || chunk->thread != last->thread ||
        chunk->kind != last->kind)
      break;
    first--;
  }
  return first;
}

void
tni_trace_rewind(tni_trace *t)
{
  t->position = t->now_ns = 0;
  t->closing = TNI_TRACE_NONE;
  for (size_t i = 0; i < t->sections.count; i++)
    read_section_at(t, i)->open_threads = 0;
  t->heap.count = t->cursors.count;
  for (uint32_t i = 0; i < t->cursors.count; i++) {
    read_cursor *const c = READ_AT(&t->cursors, read_cursor, i);
    read_section *const s = read_section_at(t, c->section);
    events_unload(c);
    c->time_ns = events_time(t, s, s->header.start_tick);
    c->rank = 0;
    if (c->thread != TNI_TRACE_NONE) {
      c->chunk = events_first(t, c);
      (void)events_next_chunk(t, c);
      c->rank = 1;
    }
    s->open_threads++;
    *READ_AT(&t->heap, uint32_t, i) = i;
  }
  for (size_t i = t->heap.count; i-- != 0;)
    events_sift(t, i);
}

void
tni_read_close_cursors(tni_trace *t)
{
  for (size_t i = 0; i < t->cursors.count; i++)
    events_unload(READ_AT(&t->cursors, read_cursor, i));
}
