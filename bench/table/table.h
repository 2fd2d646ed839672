/* table.h -- a discipline as the harness of the property table sees it
 *
 * Each is the same small interface over its own inline functions, so that one
 * harness (measure.c, crimes.c) can ask all of them the same questions.  A
 * block is named by a token: its address, or a handle.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenure/provider.h>

/* In which order single blocks can be freed. */
typedef enum table_order {
  TABLE_ANY,
  TABLE_NEWEST,  // the newest first
  TABLE_OLDEST,  // the oldest first
  TABLE_ALL,     // none singly: all at once
} table_order;

typedef struct table_discipline {
  const char *name;
  table_order order;
  bool has_one_size;  // the size of blocks is fixed by begin
  /* Room for `capacity` bytes of blocks of `size` bytes.  false: refused. */
  bool (*begin)(size_t capacity, size_t size);
  uintptr_t (*alloc)(size_t size);             // 0 when refused
  void *(*at)(uintptr_t token);                // its memory
  void (*free)(uintptr_t token, size_t size);  // NULL with TABLE_ALL
  void (*release)(void);                       // all blocks; NULL: it cannot
  void (*end)(void);
  tn_provider *(*provide)(void);  // NULL: it is none (malloc)
  bool has_threads;               // when it is no provider: any thread may call
  /* n times: TABLE_BATCH blocks of TABLE_BLOCK bytes, written to, then freed in
   * its order; all inline. */
  void (*batches)(unsigned long n);
  /* Breaks a contract in a child process; NULL: cannot be written. */
  void (*twice)(void);     // free a block that is free
  void (*foreign)(void);   // free what is no block of it
  void (*order_of)(void);  // free in the wrong order
  void (*stale)(void);     // use a block that is free
  void (*beyond)(void);    // write beyond the end of all its memory
} table_discipline;

enum { TABLE_BATCH = 1000, TABLE_BLOCK = 64 };

/* In which order `batches` frees: TABLE_ANY is random. */
extern unsigned short table_random_order[TABLE_BATCH];

/* linear.c and single.c */
extern const table_discipline table_linear[], table_single[];
extern const size_t table_linear_count, table_single_count;

/* measure.c and owner.c: print lines "metric value". */
void table_time(const table_discipline *d);
void table_worst(const table_discipline *d);
void table_memory(const table_discipline *d);
void table_prompt(const table_discipline *d);
void table_complete(const table_discipline *d);
void table_overflow(const table_discipline *d);
void table_dynamic(const table_discipline *d);
void table_threads(const table_discipline *d);
void table_safe(const table_discipline *d);
void table_owner(void);

double table_now(void);       // ns
size_t table_resident(void);  // bytes
void table_print(const char *metric, double value);

/* How fn ends in a child process: "returns", "NULL", "stops" (a line of ours,
 * or of the C library, and an abort) or "faults".  NULL is what fn says by
 * _exit(TABLE_SAID_NULL). */
enum { TABLE_SAID_NULL = 7 };
const char *table_child(void (*fn)(const table_discipline *d),
                        const table_discipline *d);

#endif
