/* record.h -- what the files of the recorder share
 *
 * libtenure-record.so stands before the program's allocator and writes what
 * passes into a section of a trace (<tenure/trace.h>).  It needs libc only,
 * calls no malloc, and takes no lock where nothing is new.
 *
 *     hook --> walk the stack --> number of the stack --> record in the chunk
 *              (unwind.c)         (stacks.c)              (thread.c, file.c)
 *
 * Memory that must not outlive a fork is mapped so that a child finds zeros
 * there (MADV_WIPEONFORK), and the file's mapping is not inherited at all: a
 * child, however it was made, finds its thread without a chunk and begins a
 * section of its own.
 *
 * Invariants
 *   [record.child]   a process never writes into another's section.
 *   [record.depth]   hooks do not record what they call themselves: `busy`.
 *   [record.errno]   errno is the allocator's, never ours.
 *   [record.locks]   no lock is held while anything outside is called.
 *   [record.exact]   a stack is what unwinding by .eh_frame yields: unwind.c
 * Threads   hooks run on any thread, also in signal handlers.
 * Design    doc/design/record.md      Tests  test/record/
 * SPDX-License-Identifier: MIT
 */
#ifndef TNI_RECORD_H
#define TNI_RECORD_H

#include <sys/types.h>

#include "base/base.h"
#include "tape/tape.h"

enum {
  RECORD_DEPTH = 64,  // frames of a stack, at most
  RECORD_PATH = 512,  // frames that are remembered
  RECORD_MEMO = 6,    // inner frames of a stack that is remembered whole
  RECORD_MEMOS = 256,
  RECORD_ONES = 2048,  // stacks of one frame that are remembered
  RECORD_MODULES = 1024,
  RECORD_TICK_COARSE = 10,  // of 2 to 4 GHz: half to a quarter microsecond
  RECORD_TICK_FINE = 5,     // with several threads: 8 to 16 ns
};

#define RECORD_HOOK __attribute__((visibility("default"), used))

/* ---- The system (system.c): no errno, no cancellation, no hooks ------------ */

long tni_record_call(long number, long a, long b, long c, long d, long e,
                     long f);
void *tni_record_pages(size_t size);  // a child finds zeros; NULL: none
void *tni_record_inherited_pages(size_t size);
void tni_record_unpages(void *p, size_t size);
uint64_t tni_record_ns(int clock);
void tni_record_say(const char *text);  // one line on standard error
int tni_record_open(const char *path, int flags);
void tni_record_close(int fd);
size_t tni_record_read_file(const char *path, char *to, size_t size);
/* A hexadecimal number; *p is moved behind it. */
uintptr_t tni_record_hex(const char **p);
/* The mapping that holds p; false: none. */
bool tni_record_find_mapping(uintptr_t p, uintptr_t *low, uintptr_t *high);

/* Zero is open.  Sleeps when it must.  [record.locks] */
typedef struct record_lock {
  uint32_t word;
} record_lock;
void tni_record_lock(record_lock *lock);
void tni_record_unlock(record_lock *lock);

/* ---- Unwinding --------------------------------------------------------------- */

typedef enum record_rule_kind {
  RULE_UNKNOWN,   // no unwind information
  RULE_SP,        // CFA = sp + offset, the return address below it
  RULE_SP_FAR,    // CFA = sp + offset
  RULE_BP,        // CFA = bp + offset
  RULE_BP_DEREF,  // CFA = *(bp + offset)
  RULE_SP_DEREF,
  RULE_PLT,     // CFA = sp + offset, + 8 in the second half of a stub
  RULE_SIGNAL,  // everything is in the frame that the kernel made
  RULE_END,     // the outermost frame
  RULE_GUESS,   // there is no rule: a frame pointer, if it looks like one
} record_rule_kind;

typedef enum record_bp_kind {
  RULE_BP_SAME,
  RULE_BP_AT_CFA,  // *(CFA + bp_offset)
  RULE_BP_AT_BP,   // *(bp + bp_offset)
} record_bp_kind;

/* How to get from a frame to its caller's: 8 bytes. */
typedef struct record_rule {
  int32_t offset;
  int16_t bp_offset;
  uint8_t kind : 4;
  uint8_t bp_kind : 4;
  int8_t ra_offset;  // / 8: where the return address is, from the CFA
} record_rule;

/* rules.c: the rule at a program counter, from the .eh_frame whose header is at
 * hdr. */
record_rule tni_record_find_rule(const unsigned char *hdr, uintptr_t pc);

/* A frame: where its return address lies, and what that is.  The frames that
 * are compared lie closely, what else is known of them beside. */
typedef struct record_frame {
  uintptr_t slot;
  uintptr_t ra;
} record_frame;
typedef struct record_detail {
  uint64_t hash;      // of the path's [1] to this one
  uintptr_t bp;       // the frame pointer register there
  uintptr_t bp_slot;  // where it was read; 0: in a register
  uint32_t needs;     // what else must be as it was: path.c
  uint32_t words;     // to compare, from [0] to this one
} record_detail;

/* The word at an address of the stack. */
TN_INLINE uintptr_t
record_word(uintptr_t at)
{
  return *(const uintptr_t *)at;  // NOLINT(performance-no-int-to-ptr)
}

TN_INLINE bool
record_is_same(const record_frame *f)
{
  return record_word(f->slot) == f->ra;
}
/* The n words before end.  In fours: all lie on the thread's own stack, outward
 * of where it stands, and can be read. */
TN_INLINE bool
record_are_same(const record_frame *end, size_t n)
{
  for (; n >= 4; n -= 4, end -= 4)
    if (TN_UNLIKELY(((record_word(end[-1].slot) ^ end[-1].ra) |
                     (record_word(end[-2].slot) ^ end[-2].ra) |
                     (record_word(end[-3].slot) ^ end[-3].ra) |
                     (record_word(end[-4].slot) ^ end[-4].ra)) != 0))
      return false;
  while (n-- != 0)
    if (TN_UNLIKELY(!record_is_same(--end)))
      return false;
  return true;
}

/* The stack of the last walk: what unwinding found, outermost first.  A
 * memory: a frame is believed after the words that led to it were compared. */
typedef struct record_path {
  uint32_t count;
  uint32_t epoch;  // unlike that of a path with another [0]
  bool is_whole;   // [0] is the outermost frame of the thread
  bool is_broken;  // beyond [0] there is no rule
  bool is_stale;   // holds a signal handler: not to be believed
  bool is_own;     // on the stack that the thread was made with
  record_frame frame[RECORD_PATH];
  record_detail detail[RECORD_PATH];
  record_frame word[2 * RECORD_PATH];  // return addresses, frame pointers
} record_path;

/* A stack that was seen: some inner frames, of rules that need no frame
 * pointer, on top of the path's outer ones.  If the words at all of these
 * places are what they were, the stack is this one.  memo.c */
typedef struct record_memo {
  record_frame inner[RECORD_MEMO];  // [0] is the innermost
  uint64_t hash;                    // of the path's frame that they stand on
  uint32_t epoch;                   // of the path
  uint32_t generation;              // of the stacks' numbers
  uint32_t stack;                   // the answer
  uint32_t bp_at;  // from the first slot: where bp is saved; 0: nowhere
  uint16_t outer;  // frames of the path
  uint16_t words;  // of the path, that are compared
  uint16_t how;    // the function called, and frames asked for: memo_how
  uint16_t count;  // of inner frames
} record_memo;

/* A stack of one frame that was seen: it stands on nothing. */
typedef struct record_one {
  uintptr_t slot;
  uintptr_t ra;
  uint32_t generation;  // as in a memo
  uint32_t api;
  uint32_t stack;  // the answer
} record_one;

/* A stack that is asked for, as an event wants it. */
typedef struct record_window {
  const record_frame *frame;  // [0] is the outermost
  uint32_t count;
  uint32_t flags;  // TN_TRACE_STACK_...
  uint32_t fresh;  // of its inner frames that were not in the path
  uint64_t key;
} record_window;

/* ---- One thread --------------------------------------------------------------- */

typedef struct record_thread {
  unsigned char *at;     // in the chunk; NULL: no chunk yet
  unsigned char *limit;  // beyond it a record may not fit
  uintptr_t busy;        // frame of the hook that is at work, or RECORD_IDLE
  uint32_t number;
  uint32_t tick_log2;
  uint32_t sequence;
  uint64_t lost;
  int64_t until_sample;  // bytes, in sampled mode
  uint64_t random;
  uintptr_t stack_low;
  uintptr_t stack_high;
  uintptr_t top;        // what stack pointers are told relative to
  uintptr_t other_low;  // another stack that it was last seen on
  uintptr_t other_high;
  struct record_thread *next;  // lock: thread_lock; of those that ended
  uint8_t *chunk;              // the current one
  size_t chunk_size;
  tni_tape tape;
  record_frame innermost;  // of an event that asked for one frame
  record_path path;
  record_memo memo[RECORD_MEMOS];
  record_one one[RECORD_ONES];
} record_thread;

/* Of `busy`: an event can be recorded.  Zero, which a child finds, is not it. */
#define RECORD_IDLE ((uintptr_t)1)

/* [record.depth] The calling thread's state, with the hook whose return address is at slot
 * noted as busy; NULL when its call must not be recorded: we are inside
 * already, or off. */
record_thread *tni_record_enter_slowly(record_thread *t, uintptr_t slot);
extern __thread record_thread *tni_record_self
    __attribute__((tls_model("initial-exec")));
extern volatile bool tni_record_is_on;

TN_INLINE record_thread *
tni_record_enter(uintptr_t slot)
{
  record_thread *const t = tni_record_self;
  if (TN_UNLIKELY(t == NULL || t->busy != RECORD_IDLE || !tni_record_is_on)) {
    if (t != NULL && slot < t->busy)
      return NULL;
    return tni_record_enter_slowly(t, slot);
  }
  t->busy = slot;
  return t;
}
TN_INLINE void
tni_record_leave(record_thread *t)
{
  t->busy = RECORD_IDLE;
}

/* What a child must find as zeros. */
typedef struct record_wiped {
  uint32_t state;        // process.c
  uint32_t start_owner;  // thread that starts
  uint32_t threads;      // numbers given
  record_lock start_lock;
  record_lock thread_lock;
  record_lock stack_lock;  // stacks and tables
  record_lock rule_lock;
  record_lock module_lock;
  record_thread *idle;      // lock: thread_lock
  size_t rules;             // lock: rule_lock
  size_t stacks;            // lock: stack_lock
  size_t frames;            // lock: stack_lock
  uint32_t next_stack;      // lock: stack_lock
  uintptr_t frame_address;  // lock: stack_lock; of the last FRAME record
  uint32_t texts;           // lock: stack_lock
  uint32_t modules;         // lock: module_lock
  uint32_t last_count;      // lock: stack_lock; of the last STACK record
  uint32_t last_flags;      // lock: stack_lock
  uintptr_t last_ra[RECORD_DEPTH];
  uintptr_t last_size[RECORD_DEPTH];
  uint8_t *table_chunk;     // lock: stack_lock
  uint8_t *table_at;        // lock: stack_lock
  size_t table_size;        // lock: stack_lock
  uint32_t table_sequence;  // lock: stack_lock
} record_wiped;
extern record_wiped *tni_record_wiped;

/* ---- The process ----------------------------------------------------------------- */

typedef struct record_process {
  char directory[4096];  // const after start
  bool follow;           // const
  char path[4200];       // of the section
  bool marks;            // find what is left at the end
  bool iterates;         // const: do as with a glibc before 2.35
  bool check;            // const: compare stacks with libunwind's
  uint32_t mode;         // const: tn_trace_mode
  uint32_t depth;        // const
  uint32_t free_depth;   // const
  uint64_t rate;         // const: bytes
  uint64_t interval_ns;  // const: between two dumps of tallies
  uint64_t section;      // unlike that of a child
  uint32_t pid;
  uint32_t generation;            // of numbers of stacks: a module was unloaded
  bool has_threads;               // more than one thread was seen
  uint32_t tick_log2;             // of new chunks
  uint64_t sample_ticks;          // between two samples
  volatile uint64_t next_sample;  // of the clock's ticks; races are harmless
  bool starts_off;           // const: until the program or a signal says so
  uint32_t heard;            // atomic: the last wish that was obeyed
  tn_trace_section *header;  // NULL: nothing can be recorded
  unsigned char *base;       // of the file
  size_t room;               // bytes of the mapping
} record_process;
extern record_process tni_record;

/* process.c: begin (also again in a child). */
bool tni_record_start(void);
void tni_record_finish(tn_trace_ending ending, int status);
void tni_record_dump_tallies(void);
/* Obey the wish of a watcher, apart from writing sums. */
void tni_record_hear(uint32_t wish);
/* Is this the process whose section we have?  False in a vfork's child. */
bool tni_record_is_mine(void);

/* hooks_process.c */
void tni_record_keep_environment(bool follow);

/* file.c */
bool tni_record_create_file(void);
uint8_t *tni_record_claim(size_t size);
void tni_record_begin_chunk(uint8_t *chunk, size_t size, uint32_t kind,
                            uint32_t thread, uint32_t sequence,
                            unsigned tick_log2, uint64_t tick);
void tni_record_touch_clock(void);

/* thread.c */
bool tni_record_check_on(void);
record_thread *tni_record_new_thread(uintptr_t slot);
void tni_record_end_thread(record_thread *t);
void tni_record_set_stack(record_thread *t, uintptr_t low, uintptr_t high);
bool tni_record_new_chunk(record_thread *t, uint64_t tick);
void tni_record_other(record_thread *t, unsigned kind, const uint64_t *fields,
                      unsigned count);

/* unwind.c */
void tni_record_forget_rules(void);

/* path.c: the stack whose innermost return address is at slot. */
void tni_record_walk(record_thread *t, uintptr_t slot, uintptr_t bp,
                     uint32_t depth, record_window *window);
void tni_record_forget_path(record_thread *t);
/* The key of a window of these outermost frame and flags; inner: the hash of
 * the frames in sight without it. */
TN_INLINE uint64_t
record_key(const record_thread *t, const record_frame *f, uint32_t flags,
           uint64_t inner)
{
  const uint64_t outer =
      f->ra * 0xd6e8feb86659fd93u + (t->top - f->slot) * 4 + flags;
  const uint64_t h =
      (inner ^ outer * 0xff51afd7ed558ccdu) * 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 29;
}
/* The words by which path[count - 1] and its callers are known again, as far
 * as `frames` of them; 0: words do not suffice. */
uint32_t tni_record_path_words(const record_path *p, uint32_t count,
                               uint32_t frames);

/* memo.c */
void tni_record_keep_memo(record_thread *t, const record_window *w,
                          record_memo *m, unsigned how, uint32_t stack);

/* modules.c: .eh_frame_hdr of the module at pc; NULL: none.  Notes the module
 * in the tables when it is new. */
const unsigned char *tni_record_find_module(uintptr_t pc);
void tni_record_check_modules(void);

/* stacks.c */
uint32_t tni_record_stack(record_thread *t, const record_window *w,
                          tn_trace_api api, bool *is_new);
/* The number of a stack of one frame; 0: it is new. */
uint32_t tni_record_known_one(const record_thread *t, uintptr_t slot,
                              tn_trace_api api);
void tni_record_forget_stacks(void);

/* tables.c: the section's tables; appends one record. */
typedef struct record_row {
  unsigned char *at;
  unsigned char data[6000];
} record_row;
TN_INLINE void
record_row_begin(record_row *r)
{
  r->at = r->data;
}
TN_INLINE void
record_row_number(record_row *r, uint64_t v)
{
  r->at = tni_tape_put(r->at, v);
}
void tni_record_row_text(record_row *r, const void *text, size_t size);
void tni_record_add_row(tn_trace_table kind, const record_row *r);
void tni_record_put_row(tn_trace_table kind, const record_row *r);  // locked
uint32_t tni_record_add_text(const char *text);

/* leaks.c: note what is left and what reaches it; the stack is in use from sp
 * on. */
void tni_record_mark_left(uintptr_t sp);

/* hooks.c: find the allocator behind us; false: it is being looked up.  Its
 * name. */
bool tni_record_resolve(void);
const char *tni_record_allocator(void);

/* check.c: is the stack what libunwind says, and its number what the memo says,
 * unless that is 0? */
void tni_record_compare(const record_window *w, uint32_t stack, uint32_t memo);

/* sample.c: is an allocation of size bytes recorded?  The set of those that
 * were; false: it is full, or p is not in it. */
bool tni_record_begin_samples(void);
bool tni_record_is_sample(record_thread *t, size_t size);
bool tni_record_add_sample(uintptr_t p);
bool tni_record_take_sample(uintptr_t p);

/* tally.c: sums instead of events. */
bool tni_record_begin_tallies(void);
void tni_record_tally_alloc(uint32_t stack, uintptr_t address, size_t size);
void tni_record_tally_free(uintptr_t address);
void tni_record_tell_tallies(record_thread *t, bool in_any_case);

/* Is an allocation, or the free of a block, to be recorded?  Tallies count the
 * free here: its stack is not asked for. */
TN_INLINE bool
record_wants(record_thread *t, void *p, size_t size)
{
  return p != NULL && (TN_LIKELY(tni_record.mode != TN_TRACE_SAMPLED) ||
                       (tni_record_is_sample(t, size) &&
                        tni_record_add_sample((uintptr_t)p)));
}
TN_INLINE bool
record_knows(void *p)
{
  if (TN_LIKELY(tni_record.mode == TN_TRACE_EVENTS))
    return true;
  if (tni_record.mode == TN_TRACE_SAMPLED)
    return tni_record_take_sample((uintptr_t)p);
  tni_record_tally_free((uintptr_t)p);
  return false;
}

/* events.c: what hooks say. */
uint32_t tni_record_where(record_thread *t, uintptr_t slot, uintptr_t bp,
                          tn_trace_api api, uint32_t depth);
uint32_t tni_record_where_slowly(record_thread *t, uintptr_t slot, uintptr_t bp,
                                 tn_trace_api api, uint32_t depth);
uint64_t tni_record_tick_slowly(record_thread *t, uint64_t now);
void tni_record_alloc(record_thread *t, uint32_t stack, void *p, size_t size,
                      size_t align);
void tni_record_free(record_thread *t, uint32_t stack, void *p);
void tni_record_resize(record_thread *t, uint32_t stack, void *old, void *p,
                       size_t size);

TN_INLINE uint64_t
record_ticks(void)
{
  return __builtin_ia32_rdtsc();
}

/* The slot of the return address of the function that this stands in, and the
 * frame pointer of its caller; hooks have frame pointers. */
#define RECORD_SLOT ((uintptr_t)__builtin_frame_address(0) + 8)
#define RECORD_BP   (*(const uintptr_t *)__builtin_frame_address(0))

#endif
