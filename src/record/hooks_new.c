/* hooks_new.c -- operator new and delete; see record.h
 *
 * The real operators do the work, new-handlers and exceptions included; what
 * they ask of malloc is not recorded again, as the thread is busy.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "record/hooks.h"
#include "record/write.h"

/* Find the real operator once, and call it. */
#define NEW_REAL(type, name)                                                   \
  static type real;                                                            \
  type call = __atomic_load_n(&real, __ATOMIC_RELAXED);                        \
  if (TN_UNLIKELY(call == NULL)) {                                             \
    void *const found = tni_record_next(#name);                                \
    memcpy(&call, &found, sizeof call);                                        \
    __atomic_store_n(&real, call, __ATOMIC_RELAXED);                           \
  }

#define NEW_HOOK(name, api, align, params, types, args)                        \
  RECORD_HOOK void *name params;                                               \
  RECORD_HOOK void *name params                                                \
  {                                                                            \
    typedef void *(*fn)types;                                                  \
    NEW_REAL(fn, name)                                                         \
    record_thread *const t = tni_record_enter(RECORD_SLOT);                    \
    void *const p = call args;                                                 \
    if (t != NULL) {                                                           \
      record_allocated(t, RECORD_SLOT, RECORD_BP, api, p, size, align);        \
      tni_record_leave(t);                                                     \
    }                                                                          \
    return p;                                                                  \
  }

#define DELETE_HOOK(name, api, params, types, args)                            \
  RECORD_HOOK void name params;                                                \
  RECORD_HOOK void name params                                                 \
  {                                                                            \
    typedef void(*fn) types;                                                   \
    NEW_REAL(fn, name)                                                         \
    record_thread *const t = p ? tni_record_enter(RECORD_SLOT) : NULL;         \
    if (t != NULL)                                                             \
      record_freed(t, RECORD_SLOT, RECORD_BP, api, p);                         \
    call args;                                                                 \
    if (t != NULL)                                                             \
      tni_record_leave(t);                                                     \
  }

#define NEW_NEW       TN_TRACE_API_NEW
#define NEW_NEW_ARRAY TN_TRACE_API_NEW_ARRAY
#define NEW_DELETE    TN_TRACE_API_DELETE
#define NEW_DEL_ARRAY TN_TRACE_API_DELETE_ARRAY

/* size; size, nothrow; size, align; size, align, nothrow */
NEW_HOOK(_Znwm, NEW_NEW, 0, (size_t size), (size_t), (size))
NEW_HOOK(_Znam, NEW_NEW_ARRAY, 0, (size_t size), (size_t), (size))
NEW_HOOK(_ZnwmRKSt9nothrow_t, NEW_NEW, 0, (size_t size, const void *n),
         (size_t, const void *), (size, n))
NEW_HOOK(_ZnamRKSt9nothrow_t, NEW_NEW_ARRAY, 0, (size_t size, const void *n),
         (size_t, const void *), (size, n))
NEW_HOOK(_ZnwmSt11align_val_t, NEW_NEW, align, (size_t size, size_t align),
         (size_t, size_t), (size, align))
NEW_HOOK(_ZnamSt11align_val_t, NEW_NEW_ARRAY, align,
         (size_t size, size_t align), (size_t, size_t), (size, align))
NEW_HOOK(_ZnwmSt11align_val_tRKSt9nothrow_t, NEW_NEW, align,
         (size_t size, size_t align, const void *n),
         (size_t, size_t, const void *), (size, align, n))
NEW_HOOK(_ZnamSt11align_val_tRKSt9nothrow_t, NEW_NEW_ARRAY, align,
         (size_t size, size_t align, const void *n),
         (size_t, size_t, const void *), (size, align, n))

DELETE_HOOK(_ZdlPv, NEW_DELETE, (void *p), (void *), (p))
DELETE_HOOK(_ZdaPv, NEW_DEL_ARRAY, (void *p), (void *), (p))
DELETE_HOOK(_ZdlPvm, NEW_DELETE, (void *p, size_t s), (void *, size_t), (p, s))
DELETE_HOOK(_ZdaPvm, NEW_DEL_ARRAY, (void *p, size_t s), (void *, size_t),
            (p, s))
DELETE_HOOK(_ZdlPvRKSt9nothrow_t, NEW_DELETE, (void *p, const void *n),
            (void *, const void *), (p, n))
DELETE_HOOK(_ZdaPvRKSt9nothrow_t, NEW_DEL_ARRAY, (void *p, const void *n),
            (void *, const void *), (p, n))
DELETE_HOOK(_ZdlPvSt11align_val_t, NEW_DELETE, (void *p, size_t a),
            (void *, size_t), (p, a))
DELETE_HOOK(_ZdaPvSt11align_val_t, NEW_DEL_ARRAY, (void *p, size_t a),
            (void *, size_t), (p, a))
DELETE_HOOK(_ZdlPvmSt11align_val_t, NEW_DELETE, (void *p, size_t s, size_t a),
            (void *, size_t, size_t), (p, s, a))
DELETE_HOOK(_ZdaPvmSt11align_val_t, NEW_DEL_ARRAY,
            (void *p, size_t s, size_t a), (void *, size_t, size_t), (p, s, a))
DELETE_HOOK(_ZdlPvSt11align_val_tRKSt9nothrow_t, NEW_DELETE,
            (void *p, size_t a, const void *n), (void *, size_t, const void *),
            (p, a, n))
DELETE_HOOK(_ZdaPvSt11align_val_tRKSt9nothrow_t, NEW_DEL_ARRAY,
            (void *p, size_t a, const void *n), (void *, size_t, const void *),
            (p, a, n))
