/* vector.c -- lists of plain words; see core.h */
#include "gc/core/core.h"

bool
tni_vector_push(tni_vector *vector, const void *item)
{
  if (vector->count == vector->room) {
    const size_t room = vector->room ? 2 * vector->room : 64;
    void **const at = tni_meta_allocate(room * sizeof *at);
    if (!at)
      return false;
    if (vector->at) {
      memcpy(at, vector->at, vector->count * sizeof *at);
      tni_meta_free(vector->at, vector->room * sizeof *at);
    }
    vector->at = at;
    vector->room = room;
  }
  memcpy(&vector->at[vector->count++], &item, sizeof item);
  return true;
}

void
tni_vector_free(tni_vector *vector)
{
  if (vector->at)
    tni_meta_free(vector->at, vector->room * sizeof *vector->at);
  *vector = (tni_vector){0};
}
