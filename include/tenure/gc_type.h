/* gc_type.h -- references, and types of objects
 *
 * A tn_ref names an object: its first byte after a header of eight bytes.  A
 * type says how large its objects are and where the references in them lie, by
 * a map of words, a list of offsets, a map of each element, or a function that
 * reports them; the collector learns it once.
 *
 *      | flags, logged | type |  fixed part ...  | elements ...      |
 *      '--- 8 bytes ----------'^-- tn_ref.at, aligned to 8 -----------'
 *
 * Invariants
 *   [gc.map]      the references of a type lie within it, and are told once.
 * Threads   types are made by any, and are constant.
 * Failure   NULL and a status, nothing changed.
 * Design    doc/design/gc.md      Tests  test/gc/, test/conform/
 * SPDX-License-Identifier: MIT
 */
#ifndef TENURE_GC_TYPE_H
#define TENURE_GC_TYPE_H

#include <tenure/base.h>

TN_BEGIN_DECLS

/* ---- Words ----------------------------------------------------------------- */

/* A reference to an object of a heap, or to nothing. */
typedef struct tn_ref {
  void *at;  // the object's first byte after its header; NULL for none
} tn_ref;

#ifdef __cplusplus
#define TN_REF_NULL (tn_ref{NULL})
#else
#define TN_REF_NULL ((tn_ref){NULL})
#endif

/* The object as a pointer to its C type, valid until the next point where a
 * collection may run.  Pure, threads: any. */
#define TN_AT(type, ref) ((type *)(ref).at)

typedef struct tn_gc tn_gc;
typedef struct tn_tracer tn_tracer;

/* The facts that inline paths rely on; src/gc/core/object.h checks them. */
#define TN_GC_HEADER  ((size_t)8)     // bytes before an object
#define TN_GC_GRANULE ((size_t)8)     // objects are multiples of it
#define TN_GC_LARGE   ((size_t)8192)  // bytes with header; more is a large object

/* What the collector knows of a kind of objects; made by tn_gc_type. */
typedef struct tn_type {
  size_t size;       // const: bytes of the fixed part
  const char *name;  // const
} tn_type;

/* ---- Types ----------------------------------------------------------------- */

/* Reports the references in an object: calls tn_gc_trace on each place. */
typedef void tn_trace_fn(void *object, tn_tracer *tracer);

/* A kind of objects: a fixed part and, when element_size is not 0, any number
 * of elements behind it, counted by a size_t at count_offset of the fixed part.
 * A type that names no reference is a leaf: the collector never reads it. */
typedef struct tn_type_spec {
  const char *name;         // for messages; kept by pointer
  size_t size;              // bytes of the fixed part, sizeof of the struct
  uint64_t map;             // bit i: word i of the fixed part is a tn_ref
  const uint32_t *offsets;  // or: byte offsets of the references
  size_t offset_count;
  size_t element_size;   // bytes, a multiple of 8 when it has references
  size_t count_offset;   // where the size_t is
  uint64_t element_map;  // bit i: word i of an element is a tn_ref
  uint64_t ambiguous;    // bit i: word i of the fixed part may be a reference
  tn_trace_fn *trace;    // or: a function; then no maps
} tn_type_spec;

/* Make a type.
 *
 *   spec    copied; name is kept by pointer
 *   status  receives why not; may be NULL
 *   returns the type, which lives as long as heap; NULL with TN_EINVAL (a map
 *           beyond the size, two ways at once), TN_ENOMEM, TN_ENOTSUP
 *           (ambiguous fields in a collector that moves everything: one line)
 *   threads any
 *   cost    O(offset_count)
 */
TN_API const tn_type *tn_gc_type(tn_gc *heap, const tn_type_spec *spec,
                                 tn_status *status);

/* Report a place of the object that a trace function was called with.
 *
 *   slot    a reference in it
 *   threads the one that called the trace function
 *   cost    O(1)
 */
TN_API void tn_gc_trace(tn_tracer *tracer, tn_ref *slot);

/* Declare a struct and a function name_type(heap, status) from one list:
 *
 *   #define NODE(REF, VALUE, T) REF(T, left) REF(T, right) VALUE(T, int, key)
 *   TN_GC_STRUCT(node, NODE)
 *
 * Threads: any. */
#define TN_GC_STRUCT(tag, FIELDS)                                              \
  struct tag {                                                                 \
    FIELDS(TNI_GC_FIELD_REF, TNI_GC_FIELD_VALUE, tag)                          \
  };                                                                           \
  static inline __attribute__((unused))                                        \
  const tn_type *tag##_type(tn_gc *tni_heap, tn_status *tni_status)            \
  {                                                                            \
    static const uint32_t tni_offsets[] = {                                    \
        FIELDS(TNI_GC_OFFSET_REF, TNI_GC_OFFSET_VALUE, tag) UINT32_MAX};       \
    const tn_type_spec tni_spec = {                                            \
        .name = #tag,                                                          \
        .size = sizeof(struct tag),                                            \
        .offsets = tni_offsets,                                                \
        .offset_count = sizeof tni_offsets / sizeof tni_offsets[0] - 1,        \
    };                                                                         \
    return tn_gc_type(tni_heap, &tni_spec, tni_status);                        \
  }                                                                            \
  struct tag

#define TNI_GC_FIELD_REF(tag, name)         tn_ref name;
#define TNI_GC_FIELD_VALUE(tag, type, name) type name;
#define TNI_GC_OFFSET_REF(tag, name)        (uint32_t) offsetof(struct tag, name),
#define TNI_GC_OFFSET_VALUE(tag, type, name)

TN_END_DECLS
#endif
