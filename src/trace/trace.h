/* trace.h -- the door of trace: reading a recorded run
 *
 * The events of all threads and processes of a run in the order of their time,
 * and the tables that they refer to.  A call stack is a node of one tree for
 * the whole run, so that equal stacks of two processes are equal numbers.
 *
 *     tni_trace *t;
 *     if (tni_trace_open(path, &t, problem, sizeof problem) == TN_OK) {
 *       tni_trace_event e;
 *       while (tni_trace_next(t, &e))
 *         ...
 *       tni_trace_close(t);
 *     }
 *
 * Invariants
 *   [trace.order]  times never fall; of one thread's events none is passed by
 *                  another of the same thread; at equal times allocations come
                  first, then resizes, frees last: see doc/design/tape.md.
 *   [trace.bound]  memory is that of the tables and 64 KiB a thread that is
 *                  alive at one time, never that of the events.
 *   [trace.rest]   what is damaged costs itself only, and is told by
 *                  tni_trace_problem.
 * Threads   one owner of each tni_trace.
 * Design    doc/design/tape.md      Tests  test/trace/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_TRACE_H
#define TNI_TRACE_H

#include <tenure/trace.h>

/* No such process, thread, frame ... */
#define TNI_TRACE_NONE UINT32_MAX

typedef enum tni_trace_kind {
  TNI_TRACE_ALLOC,        // address, size, align (0: none asked)
  TNI_TRACE_FREE,         // address
  TNI_TRACE_RESIZE,       // old -> address (0: refused, old stays), size.
                          // old 0 does not occur: that is ALLOC
  TNI_TRACE_RESIZE_OPEN,  // address: a resize by this thread is under way; the
                          // address may be handed out again before RESIZE, so
                          // set the block aside.  Only with several threads
  TNI_TRACE_MAP,          // address, size, extra: protection, flags, file
                          // descriptor + 1
  TNI_TRACE_UNMAP,        // address, size
  TNI_TRACE_REMAP,        // old, old_size -> address, size
  TNI_TRACE_BREAK,        // address = start, size = bytes of the data segment
  TNI_TRACE_THREAD_OPEN,  // extra: index of the thread that made it
  TNI_TRACE_THREAD_CLOSE,
  TNI_TRACE_PROCESS_OPEN,   // see tni_trace_process_at(process)->origin: a fork
                            // has the blocks of its parent, an exec has none
  TNI_TRACE_PROCESS_CLOSE,  // the last event of a process
  TNI_TRACE_FORK,           // extra: pid of the child (the parent's event)
  TNI_TRACE_EXEC,           // (about to be replaced)
  TNI_TRACE_EXIT,           // extra: status given to exit
  TNI_TRACE_SAMPLE,     // size = bytes resident; extra: of these of files, of
                        // stacks; page faults so far
  TNI_TRACE_LEFT,       // address, size; extra: tn_trace_mark.  At the end, for
                        // each live block of a process that ended by itself
  TNI_TRACE_MARK,       // text
  TNI_TRACE_POOL_OPEN,  // pool; text = its name; old = pool it is carved from
  TNI_TRACE_POOL_CLOSE,  // pool
  TNI_TRACE_POOL_RESET,  // pool: all of its blocks are free
  TNI_TRACE_POOL_ALLOC,  // pool, address, size
  TNI_TRACE_POOL_FREE,   // pool, address
  TNI_TRACE_LOST,        // extra: events that this thread could not record
  TNI_TRACE_MISUSE,      // address; extra: the api that allocated it
  TNI_TRACE_TALLY,       // bounded mode, per stack: extra: allocations, bytes,
                         // frees, bytes freed, peak bytes, peak blocks
  TNI_TRACE_KINDS
} tni_trace_kind;

typedef struct tni_trace_event {
  tni_trace_kind kind;
  tn_trace_api api;  // which function was called
  uint32_t process;  // index
  uint32_t thread;   // index, unlike those of other processes' threads
  uint32_t stack;    // node of the stack tree; 0: not known
  uint32_t context;  // for tni_trace_slots
  uint64_t time_ns;  // since the run began
  uint64_t sp;       // where the frame that called the allocator ends: address
                     // of the return address; 0: not known
  uint64_t address;
  uint64_t size;
  uint64_t align;
  uint64_t old;
  uint64_t old_size;
  uint64_t pool;
  uint64_t extra[6];
  const char *text;
} tni_trace_event;

typedef struct tni_trace_module {
  const char *path;
  const unsigned char *build_id;
  size_t build_id_size;  // bytes; 0: it has none
  uint64_t bias;         // where it lay first: address = offset + bias
  uint64_t start;        // its range then
  uint64_t end;
} tni_trace_module;

/* A frame: a return address.  The instruction that called is before it, so
 * look up offset - 1. */
typedef struct tni_trace_frame {
  uint32_t module;  // index; TNI_TRACE_NONE: offset is the address itself
  uint64_t offset;  // address as in the module's file
} tni_trace_frame;

/* A node of the stack tree: the stack of its parent, and one call more.  Node
 * 0 is the root and has no frame.  `frame` is TNI_TRACE_NONE for "and more
 * outside", where a stack was cut to the depth asked. */
typedef struct tni_trace_node {
  uint32_t parent;  // less than the node itself
  uint32_t frame;
  uint32_t depth;  // of the root: 0
} tni_trace_node;

typedef struct tni_trace_process {
  uint32_t pid;
  uint32_t parent;  // index; TNI_TRACE_NONE: the first
  tn_trace_origin origin;
  tn_trace_ending ending;
  int status;
  const char *path;
  const char *const *arguments;  // count of them
  size_t count;
  const char *allocator;  // "system", "tenure"
  tn_trace_mode mode;
  uint64_t rate;   // mean bytes between two sampled allocations
  uint32_t depth;  // frames kept
  uint32_t free_depth;
  uint64_t begin_ns;
  uint64_t end_ns;
  uint64_t lost;
} tni_trace_process;

typedef struct tni_trace_thread {
  uint32_t process;
  uint32_t tid;
  uint64_t stack_low;  // 0: not known
  uint64_t stack_high;
  const char *name;
} tni_trace_thread;

typedef struct tni_trace tni_trace;

/* Open a trace and read its tables.
 *
 *   problem  filled with one line when nothing of it can be read
 *   errors   TN_ENOENT, TN_EACCES, TN_EIO, TN_ENOMEM; TN_EINVAL is no trace;
 *            TN_ENOTSUP is one of a later version
 */
tn_status tni_trace_open(const char *path, tni_trace **out, char *problem,
                         size_t size);
void tni_trace_close(tni_trace *t);

/* The next event into *event; false at the end. */
bool tni_trace_next(tni_trace *t, tni_trace_event *event);

/* Begin again with the first event. */
void tni_trace_rewind(tni_trace *t);

/* What is wrong with the file, in one line; NULL when nothing is known to be.
 * May change while events are read. */
const char *tni_trace_problem(const tni_trace *t);

/* Bytes of the file, and how many of them have been read: for progress. */
uint64_t tni_trace_size(const tni_trace *t);
uint64_t tni_trace_position(const tni_trace *t);

/* Tables.  Indices count from 0; [trace.before] all are known after open. */
uint32_t tni_trace_processes(const tni_trace *t);
const tni_trace_process *tni_trace_process_at(const tni_trace *t, uint32_t i);
uint32_t tni_trace_threads(const tni_trace *t);
const tni_trace_thread *tni_trace_thread_at(const tni_trace *t, uint32_t i);
uint32_t tni_trace_modules(const tni_trace *t);
const tni_trace_module *tni_trace_module_at(const tni_trace *t, uint32_t i);
uint32_t tni_trace_frames(const tni_trace *t);
const tni_trace_frame *tni_trace_frame_at(const tni_trace *t, uint32_t i);
uint32_t tni_trace_nodes(const tni_trace *t);
const tni_trace_node *tni_trace_node_at(const tni_trace *t, uint32_t i);

/* The frames of a stack, the innermost first: frames[0] called the allocator,
 * frames[1] called the function that frames[0] is in, and so on.
 *   returns how many there are, also when that is more than room */
uint32_t tni_trace_stack(const tni_trace *t, uint32_t stack, uint32_t *frames,
                         uint32_t room);

/* The addresses where the return addresses of an event's stack lay, the
 * innermost first: slots[0] == event->sp.  The activation that frames[i]
 * returns to ends where slots[i + 1] is popped: it contains the whole life of a
 * block if no event of its thread until the free had an sp at or above that.
 *   returns how many are known, also when that is more than room; 0: none */
uint32_t tni_trace_slots(const tni_trace *t, const tni_trace_event *event,
                         uint64_t *slots, uint32_t room);

/* "malloc", "operator new[]" ... */
const char *tni_trace_api_name(tn_trace_api api);

#endif
