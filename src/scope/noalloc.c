#include "scope/scope.h"

#include "os/os.h"

TNI_THREAD_LOCAL unsigned tni_noalloc_depth;

/* The innermost block, for the message. */
static TNI_THREAD_LOCAL struct {
  const char *file;
  int line;
} noalloc_block;

tni_noalloc_block
tni_noalloc_begin(const char *file, int line)
{
  const tni_noalloc_block outer = {noalloc_block.file, noalloc_block.line,
                                   tni_noalloc_depth, true};
  noalloc_block.file = file;
  noalloc_block.line = line;
  tni_noalloc_depth++;
  return outer;
}

void
tni_noalloc_end(const tni_noalloc_block *block)
{
  noalloc_block.file = block->file;
  noalloc_block.line = block->line;
  tni_noalloc_depth = block->depth;
}

/* [scope.noalloc]: who allocates, and in which block. */
void
tni_noalloc_broken(const void *caller)
{
  char where[128], line[512];
  if (caller == NULL)
    caller = TNI_RETURN_ADDRESS;
  /* The call, not what follows it: after this one that is another function. */
  const size_t length =
      tni_os_symbol((const char *)caller - 1, where, sizeof where);
  tni_format(line, sizeof line,
             "tenure: [scope.noalloc] %s allocates in a TN_NOALLOC block "
             "(%s:%d)",
             length ? where : "something",
             noalloc_block.file ? noalloc_block.file : "?", noalloc_block.line);
  tni_fatal(line);
}
