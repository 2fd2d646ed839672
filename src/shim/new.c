/* new.c -- C++'s operators new and delete, for programs without C++ too
 *
 * Under their mangled names (Itanium C++ ABI), in C: a library that needed
 * libstdc++ could not be loaded into every program.  What throws is found when
 * it is needed.  A program with its own operators keeps them.
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>

#include "shim/shim.h"

// NOLINTBEGIN(readability-identifier-naming): the ABI's names

/* A function of the C++ library, wherever it is loaded; NULL: nowhere. */
static void *
new_find(const char *name)
{
  void *const found = dlsym(RTLD_DEFAULT, name);
  if (found)
    return found;
  void *const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library ? dlsym(library, name) : NULL;
}

typedef void new_handler(void);

/* Out of memory: let the program's handler free some and try again, or throw
 * std::bad_alloc, or return NULL where nothing may be thrown. */
static TN_COLD void *
new_refused(size_t size, size_t align, bool may_throw)
{
  new_handler *(*get)(void);
  new_handler *refuse;
  *(void **)&get = new_find("_ZSt15get_new_handlerv");
  for (;;) {
    void *const block = tni_shim_allocate(size, align, 0);
    if (block)
      return block;
    new_handler *const handler = get ? get() : NULL;
    if (!handler)
      break;
    handler();  // frees memory, throws, or ends the program
  }
  if (!may_throw)
    return NULL;
  *(void **)&refuse = new_find("_ZSt17__throw_bad_allocv");
  if (refuse)
    refuse();
  tni_fatal("tenure: [shim.new] operator new is out of memory, and there is "
            "no C++ library to throw std::bad_alloc");
}

static inline void *
new_plain(size_t size, bool may_throw)
{
  void *const block = tni_heap_try_take(size);
  if (TN_LIKELY(block != NULL))
    return block;
  void *const slow = tni_shim_allocate(size, TN_ALIGN, 0);
  return TN_LIKELY(slow != NULL) ? slow
                                 : new_refused(size, TN_ALIGN, may_throw);
}

static inline void *
new_aligned(size_t size, size_t align, bool may_throw)
{
  void *const block = aligned_alloc(align, size);
  return TN_LIKELY(block != NULL) ? block : new_refused(size, align, may_throw);
}

static inline void
new_free_sized(void *pointer, size_t size, size_t align)
{
  if (TNI_HEAP_CHECKED)
    tni_shim_free_sized(pointer, size, align);
  else
    tni_shim_release(pointer);
}

#define NEW_BOTH(X) X(w, l) X(a, a)  // new and delete; new[] and delete[]

/* The alignment's type is an enumeration over size_t; nothrow_t comes by
 * reference, and nothing is in it. */
#define NEW_DEFINE(n, d)                                                       \
  void *_Zn##n##m(size_t size);                                                \
  void *_Zn##n##mRKSt9nothrow_t(size_t size, const void *nothrow);             \
  void *_Zn##n##mSt11align_val_t(size_t size, size_t align);                   \
  void *_Zn##n##mSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,      \
                                               const void *nothrow);           \
  void _Zd##d##Pv(void *p);                                                    \
  void _Zd##d##Pvm(void *p, size_t size);                                      \
  void _Zd##d##PvRKSt9nothrow_t(void *p, const void *nothrow);                 \
  void _Zd##d##PvSt11align_val_t(void *p, size_t align);                       \
  void _Zd##d##PvmSt11align_val_t(void *p, size_t size, size_t align);         \
  void _Zd##d##PvSt11align_val_tRKSt9nothrow_t(void *p, size_t align,          \
                                               const void *nothrow);           \
  TN_API void *_Zn##n##m(size_t size)                                          \
  {                                                                            \
    return new_plain(size, true);                                              \
  }                                                                            \
  TN_API void *_Zn##n##mRKSt9nothrow_t(size_t size, const void *nothrow)       \
  {                                                                            \
    (void)nothrow;                                                             \
    return new_plain(size, false);                                             \
  }                                                                            \
  TN_API void *_Zn##n##mSt11align_val_t(size_t size, size_t align)             \
  {                                                                            \
    return new_aligned(size, align, true);                                     \
  }                                                                            \
  TN_API void *_Zn##n##mSt11align_val_tRKSt9nothrow_t(                         \
      size_t size, size_t align, const void *nothrow)                          \
  {                                                                            \
    (void)nothrow;                                                             \
    return new_aligned(size, align, false);                                    \
  }                                                                            \
  TN_API void _Zd##d##Pv(void *p)                                              \
  {                                                                            \
    tni_shim_release(p);                                                       \
  }                                                                            \
  TN_API void _Zd##d##Pvm(void *p, size_t size)                                \
  {                                                                            \
    new_free_sized(p, size, TN_ALIGN);                                         \
  }                                                                            \
  TN_API void _Zd##d##PvRKSt9nothrow_t(void *p, const void *nothrow)           \
  {                                                                            \
    (void)nothrow;                                                             \
    tni_shim_release(p);                                                       \
  }                                                                            \
  TN_API void _Zd##d##PvSt11align_val_t(void *p, size_t align)                 \
  {                                                                            \
    (void)align;                                                               \
    tni_shim_release(p);                                                       \
  }                                                                            \
  TN_API void _Zd##d##PvmSt11align_val_t(void *p, size_t size, size_t align)   \
  {                                                                            \
    new_free_sized(p, size, align);                                            \
  }                                                                            \
  TN_API void _Zd##d##PvSt11align_val_tRKSt9nothrow_t(void *p, size_t align,   \
                                                      const void *nothrow)     \
  {                                                                            \
    (void)align, (void)nothrow;                                                \
    tni_shim_release(p);                                                       \
  }
NEW_BOTH(NEW_DEFINE)

// NOLINTEND(readability-identifier-naming)
