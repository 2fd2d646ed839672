/* trace.h -- the file that a recorded run leaves
 *
 * A trace is one or more sections, one for each process image (a program from
 * its start, fork or exec to its exit or exec), one after another.  A section
 * is a header page and chunks.  It grows while the program runs, through
 * mappings that the kernel keeps when the process is killed; nothing is
 * written twice, and nothing needs closing.
 *
 *     section                                   section
 *     +--------+-------+-------+-------+---...--+--------+-------+---
 *     | header | chunk | chunk | chunk |        | header | chunk |
 *     +--------+-------+-------+-------+---...--+--------+-------+---
 *     0        4096                             = size of the first
 *
 * Integers are little endian.  A varint is 7 bits a byte, least first, the top
 * bit set on all but the last, 10 bytes at most.  zigzag(v) is v << 1 for
 * v >= 0 and ~v << 1 | 1 otherwise.
 *
 * Chunks hold records.  Chunks of a thread's events are read in the order of
 * their sequence numbers; so are those of the section's tables.
 *
 *   [trace.end]     a record whose first byte is zero ends its chunk.  A writer
 *                   stores that byte last, so that what a killed process
 *                   leaves is whole records.
 *   [trace.alone]   predictions start anew with each chunk: one that is damaged
 *                   costs its own events only.  Tables are the exception.
 *   [trace.before]  a table record is written before any event names it.
 *   [trace.thread]  the records of one thread are in the order of their ticks.
 *                   A free is stamped before it is done and an allocation
 *                   after, so that over all threads an address is free before
 *                   it is handed out again.
 *
 * Records of events.  The first byte:
 *
 *     bit 7..5   ticks since the record before; 7: a varint follows
 *     bit 4      the address is near that of the last record with this stack
 *                (otherwise: near that of the last record)
 *     bit 3      the size is the last one with this stack
 *     bit 2      the stack is the one that last followed the previous one
 *     bit 1..0   1 allocated, 2 freed, 3 resized; 0: bits 7..2 are a
 *                tn_trace_record, at least 1
 *
 * Then, each where it is not predicted: ticks (varint), stack (varint, the
 * number in the tables), size (varint; not for a free), and zigzag of the
 * difference of addresses / 16; for a resize, old minus predicted and new minus
 * old.  What does not fit (an address that is no multiple of 16, an alignment
 * that was asked for) is a tn_trace_record: a byte with the number of fields,
 * ticks (varint), and the fields (varints).  Readers skip the kinds that they
 * do not know.  src/tape/tape.h has the predictions in full.
 *
 * Records of tables: a tn_trace_table byte, a varint with the bytes that
 * follow, and those.
 *
 * Threads   a description; it has no state.
 * Design    doc/design/tape.md      Tests  test/tape/, test/trace/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_TRACE_H
#define TENURE_TRACE_H

#include <tenure/base.h>

#define TN_TRACE_MAGIC   0x0a1a455255544e54u  // "TNTURE\x1a\n"
#define TN_TRACE_VERSION 1u
#define TN_TRACE_HEADER  4096u  // bytes of a section's header

/* How the process image came to be. */
typedef enum tn_trace_origin {
  TN_TRACE_STARTED,  // the first that was recorded
  TN_TRACE_FORKED,
  TN_TRACE_EXECED,  // same process, new program
} tn_trace_origin;

/* How it ended, as far as it could say so itself. */
typedef enum tn_trace_ending {
  TN_TRACE_CUT_OFF,   // killed, or still running
  TN_TRACE_EXITED,    // status is what it gave to exit
  TN_TRACE_REPLACED,  // by exec
  TN_TRACE_SIGNALLED  // status is the signal (written by whoever waited)
} tn_trace_ending;

/* How much of each event was kept. */
typedef enum tn_trace_mode {
  TN_TRACE_EVENTS,   // all
  TN_TRACE_SAMPLED,  // allocations by bytes, one in `rate` on the average
  TN_TRACE_TALLIES,  // none: sums by stack
} tn_trace_mode;

/* What whoever watches asks of a recorder, who compares it now and then with
 * what it has obeyed: how often recording was switched and whether it is off
 * since, and how often the sums were to be written.  Also in a file beside the
 * sections, for those that begin later. */
enum {
  TN_TRACE_WISH_OFF = 1,
  TN_TRACE_WISH_SWITCH = 2,  // to add
  TN_TRACE_WISH_SWITCHES = 0xffff,
  TN_TRACE_WISH_SUMS = 0x10000,  // to add
};
#define TN_TRACE_WISH_FILE "wish"

/* The start of a section. */
typedef struct tn_trace_section {
  uint64_t magic;
  uint32_t version;
  uint32_t header_size;  // bytes; TN_TRACE_HEADER
  uint64_t section;      // unlike that of any other section
  uint64_t parent;       // section that forked or replaced itself; 0: none
  uint64_t size;         // bytes of the section so far, header included
  uint32_t pid;
  uint32_t parent_pid;
  uint32_t origin;  // tn_trace_origin
  uint32_t ending;  // tn_trace_ending
  uint32_t status;
  uint32_t mode;        // tn_trace_mode
  uint64_t rate;        // bytes, when sampled
  uint32_t depth;       // frames kept of an allocation's stack, at most
  uint32_t free_depth;  // the same for a free
  uint64_t start_tick;  // two moments on both clocks
  uint64_t start_ns;    // CLOCK_MONOTONIC
  uint64_t last_tick;
  uint64_t last_ns;
  uint64_t wall_ns;  // CLOCK_REALTIME at start_tick
  uint64_t lost;     // events that could not be written
  uint32_t wish;     // TN_TRACE_WISH_, set from outside
  uint32_t marker;   // process that looks for what is left; 0: none, or done
  uint64_t dumps;    // reports that the program asked for
} tn_trace_section;

#define TN_TRACE_CHUNK_MAGIC 0x4b4e4354u  // "TCNK"

typedef enum tn_trace_chunk_kind {
  TN_TRACE_CHUNK_EVENTS = 1,
  TN_TRACE_CHUNK_TABLES = 2,
} tn_trace_chunk_kind;

/* The start of a chunk; at a multiple of 8 bytes. */
typedef struct tn_trace_chunk {
  uint32_t magic;
  uint32_t size;  // bytes, header included; a multiple of 8
  uint64_t section;
  uint32_t kind;       // tn_trace_chunk_kind
  uint32_t thread;     // number in the tables
  uint32_t sequence;   // 0, 1, 2 ... of this thread; of the tables
  uint32_t tick_log2;  // a tick of its records is 1 << tick_log2 of the clock's
  uint64_t start_tick;  // of the clock: ticks of the first record count from it
} tn_trace_chunk;

/* Records of events that are not plain.  Fields in order. */
typedef enum tn_trace_record {
  TN_TRACE_ALLOC = 1,     // stack, address, size, align (0: none asked)
  TN_TRACE_FREE,          // stack, address
  TN_TRACE_RESIZE,        // stack, old, new address (0: refused), size
  TN_TRACE_RESIZE_OPEN,   // stack, address: it may be free until the resize
  TN_TRACE_MAP,           // stack, address, size, protection, flags, file + 1
  TN_TRACE_UNMAP,         // stack, address, size
  TN_TRACE_REMAP,         // stack, old, old size, new address, new size
  TN_TRACE_BREAK,         // stack, start, end of the data segment
  TN_TRACE_THREAD_OPEN,   // stack, thread that made it, low, high of its stack
  TN_TRACE_THREAD_CLOSE,  // (nothing)
  TN_TRACE_FORK,          // stack, pid
  TN_TRACE_EXEC,          // stack
  TN_TRACE_EXIT,          // status
  TN_TRACE_SAMPLE,      // bytes resident, of these of files, of stacks; faults
  TN_TRACE_LEFT,        // address, size, tn_trace_mark
  TN_TRACE_MARK,        // stack, text's number
  TN_TRACE_POOL_OPEN,   // stack, pool, text's number, parent pool or 0
  TN_TRACE_POOL_CLOSE,  // stack, pool
  TN_TRACE_POOL_RESET,  // stack, pool: all of its blocks are free
  TN_TRACE_POOL_ALLOC,  // stack, pool, address, size
  TN_TRACE_POOL_FREE,   // stack, pool, address
  TN_TRACE_LOST,        // number of events
  TN_TRACE_MISUSE,      // stack, address, tn_trace_api that had allocated it
  TN_TRACE_TALLY,       // stack, then what was added since its last record to:
                        // allocations, bytes, frees, bytes freed, most bytes
                        // at once, most blocks at once
  TN_TRACE_RECORDS
} tn_trace_record;

/* What a conservative mark at the end found of a block. */
typedef enum tn_trace_mark {
  TN_TRACE_UNREACHABLE,  // nothing points to it
  TN_TRACE_INDIRECT,     // only blocks that are unreachable do
  TN_TRACE_INTERIOR,     // reachable only through pointers into its middle
  TN_TRACE_REACHABLE,
  TN_TRACE_MARKS
} tn_trace_mark;

/* Records of tables.  Text is a varint with its bytes, and those.  The records
 * of a kind are numbered in their order: modules, frames, threads, texts from
 * 0, stacks from 1. */
typedef enum tn_trace_table {
  TN_TRACE_MODULE = 1,   // bias, start, end, build id (text), path (text)
  TN_TRACE_MODULE_GONE,  // its number
  TN_TRACE_FRAME,        // zigzag(return address - that of the frame before),
                         // bytes / 8 from its slot to the next one outward
  TN_TRACE_STACK,    // api, outer frames shared with the stack before, bytes
                     // / 8 from the outermost frame's slot to the thread's
                     // stack_high + 1 (0: not known), flags, number of
                     // further frames, and those, inward from the shared
  TN_TRACE_THREAD,   // number, tid, stack low, high, name (text)
  TN_TRACE_PROGRAM,  // path, arguments (each ends with NUL), allocator:
                     // three texts
  TN_TRACE_TEXT,     // text
  TN_TRACE_TABLES
} tn_trace_table;

/* Flags of a stack. */
enum {
  TN_TRACE_STACK_CUT = 1,     // there are frames outside those that were kept
  TN_TRACE_STACK_BROKEN = 2,  // it could not be followed further
};

/* Which function of the allocator was called. */
#define TN_TRACE_API_TABLE(X)                                                  \
  X(TN_TRACE_API_NONE, "")                                                     \
  X(TN_TRACE_API_MALLOC, "malloc")                                             \
  X(TN_TRACE_API_CALLOC, "calloc")                                             \
  X(TN_TRACE_API_REALLOC, "realloc")                                           \
  X(TN_TRACE_API_REALLOCARRAY, "reallocarray")                                 \
  X(TN_TRACE_API_MEMALIGN, "memalign")                                         \
  X(TN_TRACE_API_ALIGNED_ALLOC, "aligned_alloc")                               \
  X(TN_TRACE_API_POSIX_MEMALIGN, "posix_memalign")                             \
  X(TN_TRACE_API_VALLOC, "valloc")                                             \
  X(TN_TRACE_API_PVALLOC, "pvalloc")                                           \
  X(TN_TRACE_API_FREE, "free")                                                 \
  X(TN_TRACE_API_NEW, "operator new")                                          \
  X(TN_TRACE_API_NEW_ARRAY, "operator new[]")                                  \
  X(TN_TRACE_API_DELETE, "operator delete")                                    \
  X(TN_TRACE_API_DELETE_ARRAY, "operator delete[]")                            \
  X(TN_TRACE_API_MMAP, "mmap")                                                 \
  X(TN_TRACE_API_MUNMAP, "munmap")                                             \
  X(TN_TRACE_API_MREMAP, "mremap")                                             \
  X(TN_TRACE_API_BRK, "brk")                                                   \
  X(TN_TRACE_API_THREAD, "pthread_create")                                     \
  X(TN_TRACE_API_PROCESS, "fork")                                              \
  X(TN_TRACE_API_CLIENT, "client")

typedef enum tn_trace_api {
#define TNI_TRACE_API_ENUM(name, text) name,
  TN_TRACE_API_TABLE(TNI_TRACE_API_ENUM)
#undef TNI_TRACE_API_ENUM
      TN_TRACE_APIS
} tn_trace_api;

#endif
