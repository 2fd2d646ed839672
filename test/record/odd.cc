// odd.cc -- what makes unwinding and hooks hard: exceptions, jumps, handlers,
// dynamic stacks, other stacks, operators
// SPDX-License-Identifier: MIT
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <new>
#include <string>
#include <ucontext.h>
#include <vector>

static void *volatile sink;
static jmp_buf env;

__attribute__((noinline)) static void
deep(int depth, int what)
{
  char *const p =
      static_cast<char *>(alloca(static_cast<size_t>(depth % 7 + 1) * 24));
  memset(p, 0, 24);
  sink = malloc(24);
  free(sink);
  if (depth > 0)
    deep(depth - 1, what);
  else if (what == 1)
    throw 5;
  else if (what == 2)
    longjmp(env, 1);
  sink = p;
}

// Two ways to innermost() whose frames end at the same address: the return
// address of the first lies, unchanged, in the frame of the second.  Only the
// frame pointers that were saved tell them apart.
__attribute__((noinline)) static void
leaf()
{
  sink = malloc(55);
  sink = nullptr;
}

__attribute__((noinline)) static void
innermost(size_t size)
{
  sink = alloca(size);
  leaf();
  sink = nullptr;
}

__attribute__((noinline)) static void
middle(size_t size)
{
  sink = alloca(size);
  innermost(32);
  sink = nullptr;
}

__attribute__((noinline)) static void
outer(size_t size)
{
  sink = alloca(size);
  if (size == 0) {
    middle(512);
    sink = nullptr;
  } else {
    middle(512 - size);
    sink = env;
  }
}

// The same, where a remembered stack's inner frames lead there: twice() asks at
// another place each time, so that the path is still the first way's.  In
// saver() the frame pointer is saved and holds what it held the first way, in
// keeper() it is where it was.
__attribute__((noinline)) static void
keeper(int what)
{
  if (what & 1) {
    sink = malloc(56);
    sink = nullptr;
  }
  if (what & 2) {
    sink = malloc(57);
    sink = nullptr;
  }
}

static void *first_frame;  // of twice(), the first way

__attribute__((noinline)) static void
saver(int what)
{
  asm volatile("mov %0, %%rbp" : : "m"(first_frame) : "rbp");
  if (what & 1) {
    sink = malloc(58);
    sink = nullptr;
  }
  if (what & 2) {
    sink = malloc(59);
    sink = nullptr;
  }
}

__attribute__((noinline)) static void
twice(size_t size, int what)
{
  sink = alloca(size);
  if (what & 1)
    first_frame = __builtin_frame_address(0);
  if (what & 4)
    saver(what);
  else
    keeper(what);
  sink = nullptr;
}

__attribute__((noinline)) static void
two_ways(size_t size, int what)
{
  sink = alloca(size);
  if (size == 0) {
    twice(512, what);
    sink = nullptr;
  } else {
    twice(512 - size, what);
    sink = env;
  }
}

// The frame at which a walk of limited depth ends is another one, all further
// in is the same.
__attribute__((noinline)) static void
chain(int depth, int what)
{
  if (depth > 0)
    chain(depth - 1, what);
  else
    keeper(what);
  sink = nullptr;
}

__attribute__((noinline)) static void
two_ends(int depth)
{
  for (int i = 0; i < 4; i++) {
    chain(depth, 3);
    sink = nullptr;
    chain(depth, 3);
  }
}

static void
handler(int)
{
  sink = malloc(33);  // safe: raised between allocator calls
  free(sink);
}

static ucontext_t outside, inside;
static void
coroutine()
{
  for (int i = 0; i < 10; i++) {
    sink = malloc(44);
    free(sink);
    swapcontext(&inside, &outside);
  }
}

struct alignas(64) wide {
  char c[64];
};

int
main()
{
  for (int i = 0; i < 50; i++) {
    deep(i, 0);
    try {
      deep(i, 1);
    } catch (int) {
    }
    if (setjmp(env) == 0)
      deep(i, 2);
  }
  for (int i = 0; i < 20; i++)
    outer(i % 2 ? 256 : 0);
  for (int i = 0; i < 20; i++)
    two_ways(i % 2 ? 256 : 0, (i % 4 < 2 ? 0 : 4) + (i % 2 ? 2 : 3));
  for (int i = 0; i < 12; i++)
    two_ends(i);
  deep(300, 0);
  stack_t alternate = {};
  alternate.ss_size = 1 << 16;
  alternate.ss_sp = malloc(alternate.ss_size);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR2, &action, nullptr);
  raise(SIGUSR2);
  getcontext(&inside);
  inside.uc_stack.ss_size = 1 << 16;
  inside.uc_stack.ss_sp = malloc(1 << 16);
  inside.uc_link = &outside;
  makecontext(&inside, coroutine, 0);
  for (int i = 0; i < 10; i++)
    swapcontext(&outside, &inside);
  delete new int(3);
  delete[] new int[7];
  delete new wide;
  delete[] new (std::nothrow) wide[2];
  try {
    sink = operator new(static_cast<size_t>(1) << 62);
  } catch (std::bad_alloc &) {
  }
  std::vector<std::string> words;
  for (int i = 0; i < 200; i++)
    words.emplace_back(40, 'x');
  void *const library = dlopen("libz.so.1", RTLD_NOW);
  if (library != nullptr)
    dlclose(library);
  sink = malloc(7);
  return 0;
}
