/* swap.c -- two blocks exchanged in assembly (swap.S) and by tn_mem_swap
 *
 * Both must leave the same bytes, whatever the length and where the blocks
 * begin; then whole pages change places without being copied.
 */
#include <tenure/mem.h>
#include <tenure/vm.h>

#include <stdio.h>
#include <string.h>

/* swap.S */
void swap_through(void *a, void *b, void *placeholder, size_t size);

static int
is_same(size_t size, size_t shift)
{
  unsigned char a[300], b[300], c[300], d[300], placeholder[300];
  for (size_t i = 0; i < sizeof a; i++) {
    a[i] = c[i] = (unsigned char)(i * 7 + size);
    b[i] = d[i] = (unsigned char)(i * 11 + shift);
  }
  swap_through(a + shift, b, placeholder, size);
  tn_mem_swap(c + shift, d, size);
  return memcmp(a, c, sizeof a) == 0 && memcmp(b, d, sizeof b) == 0;
}

int
main(void)
{
  for (size_t size = 0; size < 280; size++)
    if (!is_same(size, size % 20))
      return 1;
  const size_t block = (size_t)16 << 20;
  void *base;
  if (tn_vm_reserve(2 * block, block, &base) != TN_OK ||
      tn_vm_commit_lazy(base, 2 * block) != TN_OK)
    return 1;
  unsigned char *const front = base, *const back = front + block;
  memset(front, 'f', block);
  memset(back, 'b', block);
  const bool is_moved = tn_mem_swap_pages(front, back, block);
  printf("280 lengths agree; two blocks of 16 MiB %s\n",
         is_moved ? "changed places in the page tables" : "were copied");
  return front[block - 1] == 'b' && back[0] == 'f' ? 0 : 1;
}
