/* read.h -- what the files of the reader share
 *
 * read_file.c finds sections and chunks, read_tables.c what their tables say,
 * read_tree.c keeps the stack tree, read_events.c merges the threads.  Memory
 * comes from the system page by page and never from malloc: the recorder reads
 * its own trace at the end of a program, under the program's allocator.
 *
 * Invariants
 *   [trace.index]  each index that is stored has been checked against the table
 *                  it points into.
 * Design    doc/design/tape.md      Tests  test/trace/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_READ_H
#define TNI_TRACE_READ_H

#include "base/base.h"
#include "tape/tape.h"
#include "trace/trace.h"

enum {
  READ_CHUNK_MOST = 1 << 20,  // bytes; a chunk that claims more is damaged
  READ_PAD = 2 * TNI_TAPE_MOST,
  READ_STACK_MOST = 1024,  // frames
};

__extension__ typedef unsigned __int128 read_wide;

/* A vector of pages. */
typedef struct read_list {
  void *items;
  size_t count;
  size_t room;
} read_list;

/* Room for one more item of size bytes, zeroed, at the end: its address, or
 * NULL (and nothing has changed). */
void *tni_read_push(read_list *list, size_t size);
void tni_read_drop(read_list *list, size_t size);
void *tni_read_pages(size_t size);
void tni_read_unpages(void *p, size_t size);

#define READ_AT(list, type, i) (&((type *)(list)->items)[i])

/* Open addressing; keys are pairs of numbers, values indices. */
typedef struct read_map {
  struct read_entry {
    uint64_t a;
    uint64_t b;
    uint32_t value;  // + 1; 0: free
  } * entries;
  size_t count;
  size_t room;  // a power of two, or 0
} read_map;
/* Where the value of (a, b) is, 0 when it is new; NULL: out of memory. */
uint32_t *tni_read_find(read_map *map, uint64_t a, uint64_t b);
void tni_read_unmap(read_map *map);

/* One module as it lies in one process. */
typedef struct read_module {
  uint32_t module;  // index in the trace
  bool is_gone;
  uint64_t bias;
  uint64_t start;
  uint64_t end;
} read_module;

/* One frame of a section: where it returns to, how far the next one is. */
typedef struct read_frame {
  uint32_t frame;  // index in the trace
  uint32_t size;   // bytes / 8
} read_frame;

typedef struct read_node {
  uint32_t parent;  // in the section; 0: none
  uint32_t size;    // bytes / 8 to the next slot outward
} read_node;

typedef struct read_stack {
  uint32_t node;   // in the section
  uint32_t stack;  // node of the trace's tree
  uint32_t api;
  uint64_t top;    // bytes from the outermost slot to stack_high; 0: not known
  uint64_t depth;  // bytes from the innermost slot to stack_high
} read_stack;

typedef struct read_section {
  tn_trace_section header;
  uint64_t offset;
  uint64_t end;
  uint32_t process;
  uint32_t open_threads;  // that have events left
  uint64_t address;       // of the last FRAME record
  bool is_broken;         // its tables: numbers can no longer be trusted
  read_list modules;      // read_module
  read_list frames;       // read_frame
  read_list nodes;        // read_node; [0] unused
  read_list stacks;       // read_stack; [0] unused
  read_list threads;      // uint32_t: index in the trace
  read_list texts;        // const char *
  read_list arguments;    // const char *
  uint32_t path[READ_STACK_MOST];  // nodes of the last stack, outermost first
  uint32_t tree[READ_STACK_MOST];  // the same in the trace's tree
  uint32_t path_length;
} read_section;

typedef struct read_chunk {
  uint64_t offset;
  uint64_t start_tick;
  uint32_t size;
  uint32_t section;
  uint32_t kind;
  uint32_t thread;  // number in the section
  uint32_t sequence;
  uint32_t tick_log2;
} read_chunk;

/* One thread's place. */
typedef struct read_cursor {
  uint64_t time_ns;  // of the record that is next
  uint32_t rank;     // at equal times, the smaller first
  uint32_t section;
  uint32_t thread;  // index in the trace; TNI_TRACE_NONE: opens the section
  size_t chunk;     // the current one
  size_t chunk_end;
  bool is_loaded;
  unsigned char *data;  // the chunk and READ_PAD zeros
  size_t data_size;
  const unsigned char *at;
  const unsigned char *end;
  tni_tape *tape;
  tni_tape_record record;
} read_cursor;

struct tni_trace {
  int file;
  uint64_t size;
  uint64_t position;
  char problem[200];
  uint64_t start_ns;
  uint64_t ns_per_tick;  // fixed point, 32 bits of fraction
  read_list sections;    // read_section *
  read_list chunks;      // read_chunk
  read_list cursors;     // read_cursor
  read_list heap;        // uint32_t: cursors by time
  read_list processes;   // tni_trace_process
  read_list threads;     // tni_trace_thread
  read_list modules;     // tni_trace_module
  read_list frames;      // tni_trace_frame
  read_list nodes;       // tni_trace_node
  read_map frame_map;
  read_map node_map;
  read_list texts;   // blocks of text: read_text
  uint32_t closing;  // section that has given its last event; TNI_TRACE_NONE
  uint64_t now_ns;
};

/* Note what is wrong; the first thing noted stays. */
void tni_read_complain(tni_trace *t, const char *format, ...) TN_PRINTF(2, 3);
/* Read size bytes at offset; false when they are not all there. */
bool tni_read_bytes(tni_trace *t, uint64_t offset, void *to, size_t size);
/* A copy of text that lives as long as t, with a NUL; NULL: out of memory. */
char *tni_read_text(tni_trace *t, const void *text, size_t size);
void tni_read_drop_texts(tni_trace *t);

/* read_file.c: fill sections and chunks. */
tn_status tni_read_index(tni_trace *t, char *problem, size_t size);
/* read_tables.c: fill the tables from the chunks of tables. */
tn_status tni_read_tables(tni_trace *t);
/* read_tree.c */
uint32_t tni_read_frame(tni_trace *t, uint32_t module, uint64_t offset);
uint32_t tni_read_node(tni_trace *t, uint32_t parent, uint32_t frame);
/* read_events.c: a cursor a thread. */
tn_status tni_read_cursors(tni_trace *t);
void tni_read_ends(tni_trace *t);
void tni_read_close_cursors(tni_trace *t);

TN_INLINE read_section *
read_section_at(const tni_trace *t, size_t i)
{
  return *READ_AT(&t->sections, read_section *, i);
}

#endif
