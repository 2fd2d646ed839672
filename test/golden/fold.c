/* The vector program in many variants, each a function whose machine code
 * test_fold.py counts.  A variant is one way to hold or to find the allocator;
 * the helpers are static, or always_inline where the name ends in _inline. */
#include <tenure/bump.h>

#include <stdlib.h>

/* new_vector and add over allocator type A; ALLOC(a, n) gives n floats. */
#define PROGRAM(name, QUALIFIER, A, ALLOC)                                     \
  typedef struct name##_vector {                                               \
    float *data;                                                               \
    uint32_t length;                                                           \
  } name##_vector;                                                             \
  QUALIFIER name##_vector name##_new(A *a, uint32_t length, const float *from) \
  {                                                                            \
    name##_vector v = {ALLOC(a, length), length};                              \
    for (uint32_t i = 0; i < length; i++)                                      \
      v.data[i] = from[i];                                                     \
    return v;                                                                  \
  }                                                                            \
  QUALIFIER name##_vector name##_add(A *a, name##_vector x, name##_vector y)   \
  {                                                                            \
    name##_vector v = {ALLOC(a, x.length), x.length};                          \
    for (uint32_t i = 0; i < x.length; i++)                                    \
      v.data[i] = x.data[i] + y.data[i];                                       \
    return v;                                                                  \
  }

#define RUN(name, a, n)                                                        \
  ((int)name##_add(a, name##_new(a, n, (const float[8]){1, 2}),                \
                   name##_new(a, n, (const float[8]){3, 4}))                   \
       .data[0])

#define F32(a, n)     tn_bump_f32_push(a, n)
#define F64(a, n)     ((float *)(void *)tn_bump_f64_push(a, (n + 1) / 2))
#define BYTES(a, n)   TN_NEW_ARRAY(a, float, n)
#define ALIGNED(a, n) ((float *)tn_bump_push_aligned(a, (n)*4, 64))
#define MALLOC(a, n)  ((void)(a), (float *)malloc((n) * sizeof(float)))

/* A program of its own for each variant, as sharing would change what a
 * compiler inlines. */
#define VARIANT(name, QUALIFIER, A, ALLOC)                                     \
  PROGRAM(name, QUALIFIER, A, ALLOC)                                           \
  int name(void);                                                              \
  int name(void)

/* ---- Where the memory is ------------------------------------------------- */

VARIANT(f32_on_malloc, static, tn_bump_f32, F32)
{
  float *const memory = malloc(4096);
  tn_bump_f32 a = {memory + 1024};
  const int first = RUN(f32_on_malloc, &a, 2);
  free(memory);
  return first;
}

VARIANT(bytes_on_malloc, static, tn_bump, BYTES)
{
  unsigned char *const memory = malloc(4096);
  tn_bump a = {memory + 4096};
  const int first = RUN(bytes_on_malloc, &a, 2);
  free(memory);
  return first;
}

VARIANT(f32_on_local_array, static, tn_bump_f32, F32)
{
  float memory[1024];
  tn_bump_f32 a = {memory + 1024};
  return RUN(f32_on_local_array, &a, 2);
}

static float fold_static[1024];
VARIANT(f32_on_static_array, static, tn_bump_f32, F32)
{
  tn_bump_f32 a = {fold_static + 1024};
  return RUN(f32_on_static_array, &a, 2);
}

extern float fold_extern[1024];
VARIANT(f32_on_extern_array, static, tn_bump_f32, F32)
{
  tn_bump_f32 a = {fold_extern + 1024};
  return RUN(f32_on_extern_array, &a, 2);
}

VARIANT(bytes_reserved, static, tn_bump, BYTES)
{
  tn_bump a;
  if (tn_bump_create(&a, NULL) != TN_OK)
    return -1;
  const int first = RUN(bytes_reserved, &a, 2);
  tn_bump_destroy(&a);
  return first;
}

/* ---- Where the allocator is ---------------------------------------------- */

extern tn_bump_f32 fold_slot;
VARIANT(f32_extern_slot, static, tn_bump_f32, F32)
{
  return RUN(f32_extern_slot, &fold_slot, 2);
}

VARIANT(f32_extern_slot_scope, static, tn_bump_f32, F32)
{
  TN_SCOPE(s, &fold_slot);
  return RUN(f32_extern_slot_scope, s, 2);
}

extern _Thread_local tn_bump fold_thread;
VARIANT(bytes_thread_local, static, tn_bump, BYTES)
{
  return RUN(bytes_thread_local, &fold_thread, 2);
}

VARIANT(bytes_thread_local_scope, static, tn_bump, BYTES)
{
  TN_SCOPE(s, &fold_thread);
  return RUN(bytes_thread_local_scope, s, 2);
}

tn_bump *fold_get(void);
VARIANT(bytes_from_getter_scope, static, tn_bump, BYTES)
{
  TN_SCOPE(s, fold_get());
  return RUN(bytes_from_getter_scope, s, 2);
}

/* ---- Sizes and alignment ------------------------------------------------- */

VARIANT(f32_of_8, static, tn_bump_f32, F32)
{
  float memory[1024];
  tn_bump_f32 a = {memory + 1024};
  return RUN(f32_of_8, &a, 8);
}

VARIANT(bytes_of_8_inline, TN_INLINE, tn_bump, BYTES)
{
  unsigned char memory[4096] __attribute__((aligned(16)));
  tn_bump a = {memory + 4096};
  return RUN(bytes_of_8_inline, &a, 8);
}

VARIANT(f64_on_local_array, static, tn_bump_f64, F64)
{
  double memory[1024];
  tn_bump_f64 a = {memory + 1024};
  return RUN(f64_on_local_array, &a, 2);
}

VARIANT(aligned_64_inline, TN_INLINE, tn_bump, ALIGNED)
{
  unsigned char memory[4096] __attribute__((aligned(64)));
  tn_bump a = {memory + 4096};
  return RUN(aligned_64_inline, &a, 2);
}

extern uint32_t fold_length;
VARIANT(f32_of_unknown_length, static, tn_bump_f32, F32)
{
  TN_SCOPE(s, &fold_slot);
  return RUN(f32_of_unknown_length, s, fold_length);
}

/* ---- Scopes -------------------------------------------------------------- */

VARIANT(bytes_nested_scopes, static, tn_bump, BYTES)
{
  TN_SCOPE(s, &fold_thread);
  TN_SCOPE(t, s);
  TN_SCOPE(u, t);
  return RUN(bytes_nested_scopes, u, 2);
}

VARIANT(bytes_with_scope, static, tn_bump, BYTES)
{
  int first = 0;
  TN_WITH_SCOPE(s, &fold_thread) first = RUN(bytes_with_scope, s, 2);
  return first;
}

VARIANT(bytes_scope_reset, static, tn_bump, BYTES)
{
  int first = 0;
  TN_SCOPE(s, &fold_thread);
  for (int i = 0; i < 2; i++) {
    first = RUN(bytes_scope_reset, s, 2);
    TN_SCOPE_RESET(s, &fold_thread);
  }
  return first;
}

typedef struct fold_pair {
  float x, y;
} fold_pair;

static fold_pair *
fold_add_pair(tn_bump *a, const fold_pair *x, const fold_pair *y)
{
  return TN_NEW(a, fold_pair, {x->x + y->x, x->y + y->y});
}

int tn_new_of_pairs(void);
int
tn_new_of_pairs(void)
{
  TN_SCOPE(s, &fold_thread);
  const fold_pair *const x = TN_NEW(s, fold_pair, {1, 2});
  return (int)fold_add_pair(s, x, TN_NEW(s, fold_pair, {3, 4}))->x;
}

VARIANT(bytes_keep, static, tn_bump, BYTES)
{
  float *kept = NULL;
  TN_SCOPE(out, &fold_thread);
  TN_WITH_SCOPE(s, out)
  {
    const bytes_keep_vector x = bytes_keep_new(s, 2, (const float[2]){1, 2});
    const bytes_keep_vector y = bytes_keep_new(s, 2, (const float[2]){3, 4});
    kept = bytes_keep_add(s, x, y).data;
    kept = TN_KEEP(out, s, kept, 8);
  }
  return (int)kept[0];
}

/* ---- The checked form ---------------------------------------------------- */

VARIANT(checked_local_inline, TN_INLINE, tn_checked, BYTES)
{
  TN_LOCAL(a, 4096, NULL);
  return RUN(checked_local_inline, a, 2);
}

VARIANT(checked_local_static, static, tn_checked, BYTES)
{
  TN_LOCAL(a, 4096, NULL);
  return RUN(checked_local_static, a, 2);
}

VARIANT(checked_local_of_8_inline, TN_INLINE, tn_checked, BYTES)
{
  TN_LOCAL(a, 4096, NULL);
  return RUN(checked_local_of_8_inline, a, 8);
}

VARIANT(checked_local_spills_inline, TN_INLINE, tn_checked, BYTES)
{
  TN_LOCAL(a, 4096, &fold_thread);
  return RUN(checked_local_spills_inline, a, 2);
}

VARIANT(checked_local_small_inline, TN_INLINE, tn_checked, BYTES)
{
  TN_LOCAL(a, 32, &fold_thread);
  return RUN(checked_local_small_inline, a, 2);
}

extern unsigned char fold_buffer[4096] __attribute__((aligned(16)));
VARIANT(checked_over_buffer_inline, TN_INLINE, tn_checked, BYTES)
{
  tn_checked a;
  tn_checked_over(&a, fold_buffer, sizeof fold_buffer);
  return RUN(checked_over_buffer_inline, &a, 2);
}

extern tn_checked fold_checked;
VARIANT(checked_extern_scope_inline, TN_INLINE, tn_checked, BYTES)
{
  TN_SCOPE(s, &fold_checked);
  return RUN(checked_extern_scope_inline, s, 2);
}

/* ---- malloc, which is freed by nobody here: its best case ----------------- */

typedef char fold_nothing;
VARIANT(malloc_leaked_static, static, fold_nothing, MALLOC)
{
  return RUN(malloc_leaked_static, NULL, 2);
}

VARIANT(malloc_leaked_inline, TN_INLINE, fold_nothing, MALLOC)
{
  return RUN(malloc_leaked_inline, NULL, 2);
}

/* ---- Single functions ---------------------------------------------------- */

void *push(tn_bump *b, uint32_t size);
void *
push(tn_bump *b, uint32_t size)
{
  return tn_bump_push(b, size);
}

float *push_f32(tn_bump_f32 *b, uint32_t count);
float *
push_f32(tn_bump_f32 *b, uint32_t count)
{
  return tn_bump_f32_push(b, count);
}

double *push_f64(tn_bump_f64 *b, uint32_t count);
double *
push_f64(tn_bump_f64 *b, uint32_t count)
{
  return tn_bump_f64_push(b, count);
}

void *push_aligned(tn_bump *b, uint32_t size, uint32_t align);
void *
push_aligned(tn_bump *b, uint32_t size, uint32_t align)
{
  return tn_bump_push_aligned(b, size, align);
}

/* The stores of floats must not force the cursor to be loaded again: one load
 * in all. */
void two_blocks_f32(tn_bump_f32 *b, float value);
void
two_blocks_f32(tn_bump_f32 *b, float value)
{
  float *const x = tn_bump_f32_push(b, 4);
  for (int i = 0; i < 4; i++)
    x[i] = value;
  float *const y = tn_bump_f32_push(b, 4);
  for (int i = 0; i < 4; i++)
    y[i] = value;
}

void two_blocks_bytes(tn_bump *b, float value);
void
two_blocks_bytes(tn_bump *b, float value)
{
  float *const x = TN_NEW_ARRAY(b, float, 4);
  for (int i = 0; i < 4; i++)
    x[i] = value;
  float *const y = TN_NEW_ARRAY(b, float, 4);
  for (int i = 0; i < 4; i++)
    y[i] = value;
}
