/* gc.c -- a tree of words that keeps itself: no free anywhere
 *
 * Inserts words into a search tree on a collected heap, twice over, so that the
 * first tree becomes garbage; then walks the second.
 */
#include <stdio.h>
#include <string.h>

#include <tenure/gc.h>

#define TREE(REF, VALUE, T)                                                    \
  REF(T, left) REF(T, right) VALUE(T, const char *, word) VALUE(T, int, count)
TN_GC_STRUCT(tree, TREE);

static tn_ref
insert(tn_mutator *m, const tn_type *type, tn_ref root, const char *word)
{
  TN_ROOTS(m, r, root);
  r.root = root;
  if (!root.at) {
    const tn_ref made = TN_GC_NEW(m, struct tree, type);
    if (made.at)
      *TN_AT(struct tree, made) = (struct tree){.word = word, .count = 1};
    return made;
  }
  const int order = strcmp(word, TN_AT(struct tree, root)->word);
  if (order == 0) {
    TN_AT(struct tree, root)->count++;
    return root;
  }
  const tn_ref below = order < 0 ? TN_AT(struct tree, root)->left
                                 : TN_AT(struct tree, root)->right;
  const tn_ref made = insert(m, type, below, word);  // may move r.root
  tn_gc_write(m, r.root,
              order < 0 ? &TN_AT(struct tree, r.root)->left
                        : &TN_AT(struct tree, r.root)->right,
              made);
  return r.root;
}

static void
print(tn_ref root)
{
  if (!root.at)
    return;
  print(TN_AT(struct tree, root)->left);
  printf("%d %s\n", TN_AT(struct tree, root)->count,
         TN_AT(struct tree, root)->word);
  print(TN_AT(struct tree, root)->right);
}

int
main(void)
{
  static const char *const words[] = {"to", "be", "or", "not", "to", "be"};
  tn_gc *const heap = tn_gc_create(NULL, NULL);
  tn_mutator *const m = heap ? tn_gc_attach(heap, NULL) : NULL;
  const tn_type *const type = m ? tree_type(heap, NULL) : NULL;
  if (!type)
    return 1;
  {
    TN_ROOTS(m, r, root);
    for (int round = 0; round < 2; round++) {
      r.root = TN_REF_NULL;
      for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        r.root = insert(m, type, r.root, words[i]);
      tn_gc_collect(m, TN_GC_FULL);
    }
    print(r.root);
  }
  tn_gc_detach(m);
  tn_gc_destroy(heap);
  return 0;
}
