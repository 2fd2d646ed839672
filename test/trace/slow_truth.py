#!/usr/bin/env python3
"""The report against valgrind: DHAT's sums by stack, memcheck's leaks by line.

Programs are deterministic and have one thread.  Stacks are compared by function
and line up to main; sums are bytes and blocks in all, at the peak, and left.  (A
stack's own maximum is not compared: valgrind 3.19 notes it at some moments only.)
"""
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

TENURE = os.path.abspath(os.environ.get("BUILD", "build")) + "/tenure"
SUMS = ["tb", "tbk", "gb", "gbk", "eb", "ebk"]
failures = 0

RESIZES = r"""
#include <stdlib.h>
__attribute__((noinline)) static void *make(size_t n) { return malloc(n); }
__attribute__((noinline)) static void *grow(void *p, size_t n) { return realloc(p, n); }
__attribute__((noinline)) static void *zero(size_t n) { return calloc(n, 3); }
int main(void)
{
  void *p = make(10);
  p = grow(p, 100);
  p = grow(p, 50);
  p = grow(p, 2000);
  free(p);
  void *q = grow(0, 7);
  q = grow(q, 9);
  void *z = zero(5);
  void *a = aligned_alloc(64, 128);
  free(make(300));
  return q == z || a == z;
}
"""

LEAKS = r"""
#include <stdlib.h>
#include <string.h>
typedef struct node { struct node *next; char text[40]; } node;
static node *reachable;
__attribute__((noinline)) static node *push(node *next)
{
  node *const n = malloc(sizeof *n);
  n->next = next;
  return n;
}
__attribute__((noinline)) static void lose(int count)
{
  for (int i = 0; i < count; i++)
    memset(malloc(100 + 10 * i), 1, 10);
}
__attribute__((noinline)) static void lose_list(void)
{
  node *list = 0;
  for (int i = 0; i < 5; i++)
    list = push(list);
  memset(&list, 0, sizeof list);
}
__attribute__((noinline)) static void lose_grown(void)
{
  char *text = malloc(10);
  text = realloc(text, 5000);
  text[0] = 1;
}
__attribute__((noinline)) static void wipe(void)
{
  volatile char room[4096];
  for (int i = 0; i < 4096; i++)
    room[i] = 0;
}
int main(void)
{
  for (int i = 0; i < 10; i++)
    reachable = push(reachable);
  lose(7);
  lose_list();
  lose_grown();
  wipe();
  return 0;
}
"""

# What each of these leaks is for memcheck to say; a function that is called
# `keep...` leaks nothing that is definitely lost.
LEAK_HEAD = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct node { struct node *left, *right; char text[24]; } node;
#define APART __attribute__((noinline)) static
APART node *grow(int depth)
{
  node *const n = calloc(1, sizeof *n);
  if (depth > 0) {
    n->left = grow(depth - 1);
    n->right = grow(depth - 1);
  }
  return n;
}
APART void wipe(void)
{
  volatile char room[8192];
  for (int i = 0; i < 8192; i++)
    room[i] = 0;
  __asm__ volatile("xor %%eax, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx; xor %%esi, %%esi;"
                   "xor %%edi, %%edi; xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d;"
                   "xor %%r11d, %%r11d" ::: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
                   "r10", "r11");
}
"""

LEAK_PROGRAMS = {
    "trees": (2, """
node *kept;
APART void lose_tree(void) { grow(5); }
APART void lose_branch(void) { kept->left = NULL; }
int main(void) { kept = grow(4); lose_tree(); lose_branch(); wipe(); return 0; }"""),
    "inside": (0, """
char *inside; char *end; node *first;
int main(void)
{
  inside = (char *)malloc(100) + 40;
  end = (char *)malloc(64) + 63;
  first = malloc(sizeof(node) * 10);
  first++;
  wipe();
  return 0;
}"""),
    "past": (1, """
char *past;
int main(void) { past = (char *)malloc(64) + 64 + 4000; wipe(); return 0; }"""),
    "rings": (3, """
node *kept;
APART void ring(int n)
{
  node *const head = calloc(1, sizeof *head);
  node *at = head;
  while (--n > 0)
    at = at->left = calloc(1, sizeof *at);
  at->left = head;
}
APART void self(void) { node *n = calloc(1, sizeof *n); n->left = n; }
APART void tail(void) { node *n = grow(0); n->left = grow(1); n->left->left->left = n->left; }
APART void keep(void) { kept = grow(0); kept->left = grow(0); kept->left->left = kept; }
int main(void) { self(); tail(); keep(); ring(1); wipe(); return 0; }"""),
    "thread data": (1, """
__thread node *mine;
static pthread_key_t key;
APART void lose(void) { mine = malloc(48); }
APART void keep(void) { mine = malloc(56); }
APART void keep_key(void) { pthread_setspecific(key, malloc(40)); }
int main(void) { pthread_key_create(&key, NULL); lose(); keep(); keep_key(); wipe(); return 0; }"""),
    "register": (1, """
APART void lose(void) { memset(malloc(30), 1, 30); }
int main(void)
{
  register node *kept __asm__("rbx") = malloc(72);
  __asm__ volatile("" : "+r"(kept));
  lose();
  wipe();
  __asm__ volatile("" : "+r"(kept));
  exit(0);
}"""),
    "frames": (1, """
APART void lose(void) { memset(malloc(30), 1, 30); }
APART void leave(node *kept)
{
  node *volatile here = kept;
  lose();
  wipe();
  if (here)
    exit(0);
}
int main(void) { leave(grow(3)); return 0; }"""),
    "threads": (2, """
static pthread_barrier_t ready;
APART void lose(size_t size) { memset(malloc(size), 1, size); }
static void *stay(void *unused)
{
  node *volatile here = malloc(100);
  lose(33);
  wipe();
  pthread_barrier_wait(&ready);
  for (;;)
    pause();
  return here ? unused : NULL;
}
static void *end(void *unused) { lose(44); wipe(); return unused; }
int main(void)
{
  pthread_t a, b;
  pthread_barrier_init(&ready, NULL, 2);
  pthread_create(&a, NULL, stay, NULL);
  pthread_create(&b, NULL, end, NULL);
  pthread_join(b, NULL);
  pthread_barrier_wait(&ready);
  wipe();
  return 0;
}"""),
    "lists": (1, """
node *list;
APART void cut(void) { list->left->left = NULL; }
int main(void)
{
  for (int i = 0; i < 20; i++) {
    node *const n = calloc(1, sizeof *n);
    n->left = list;
    list = n;
  }
  cut();
  wipe();
  return 0;
}"""),
    "resized": (2, """
char *kept;
APART void lose(void) { char *p = malloc(10); p = realloc(p, 5000); p[0] = 1; }
APART void lose_text(void) { char *p = strdup("some text"); p[0] = 'S'; }
APART void keep(void) { kept = malloc(20); kept = realloc(kept, 9000); }
int main(void) { lose(); lose_text(); keep(); wipe(); return 0; }"""),
    "clean tree": (0, """
APART void drop(node *n) { if (n) { drop(n->left); drop(n->right); free(n); } }
int main(void) { node *n = grow(6); drop(n); puts("done"); return 0; }"""),
    "clean threads": (0, """
static void *work(void *p) { free(p); return malloc(70); }
int main(void)
{
  for (int i = 0; i < 8; i++) {
    pthread_t t;
    void *p;
    pthread_create(&t, NULL, work, malloc(60));
    pthread_join(t, &p);
    free(p);
  }
  return 0;
}"""),
}


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"line {sys._getframe(1).f_lineno}: {what}")


def random_program(seed):
    """Functions that call one another, allocate and free at random."""
    rng = random.Random(seed)
    lines = ["#include <stdlib.h>", "static void *at[64]; static unsigned n = 1;",
             "static unsigned r(void) { n = n * 1103515245u + 12345u; return n >> 16; }",
             "static void set(unsigned i, void *p) { free(at[i % 64]); at[i % 64] = p; }"]
    names = [f"f{i}" for i in range(12)]
    lines += [f"void {name}(int);" for name in names]
    for name in names:
        body = []
        for _ in range(rng.randrange(3, 7)):
            size = rng.randrange(1, 3000)
            body.append(rng.choice([
                f"set(r(), malloc({size}));", f"set(r(), calloc({size}, 2));",
                f"{{ unsigned i = r() % 64; at[i] = realloc(at[i], {size}); }}",
                "set(r(), 0);",
                f"if (depth > 0) {rng.choice(names)}(depth - 1);"]))
        lines += [f"__attribute__((noinline)) void {name}(int depth)", "{", *body,
                  "__asm__ volatile(\"\");", "}"]
    lines += ["int main(void)", "{", "for (int i = 0; i < 200; i++) {",
              *(f"{name}(5);" for name in rng.sample(names, 4)), "}", "return 0;", "}"]
    return "\n".join(lines) + "\n"


def build(folder, name, text, *flags):
    (folder / f"{name}.c").write_text(text)
    subprocess.run(["/usr/bin/gcc", "-g", "-O1", "-w", *flags, "-o", name, f"{name}.c"],
                   cwd=folder, check=True)
    return folder / name


def run(*words):
    return subprocess.run(list(map(str, words)), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300).stdout.decode()


def record(program):
    run(TENURE, "run", "-o", program, program)
    return f"{program}.trace"


def sums_of(path):
    """{stack: sums} of a DHAT file."""
    data = json.loads(pathlib.Path(path).read_text())
    sums = collections.defaultdict(lambda: [0] * len(SUMS))
    for point in data["pps"]:
        stack = []
        for text in (data["ftbl"][i] for i in point["fs"]):
            name, where = re.match(r"0x[0-9A-F]+: (.*?) \((?:in )?([^()]*)\)$", text).groups()
            if "vgpreload" in where or where == "the allocator":
                continue
            stack.append((name, where if re.search(r":\d+$", where) else ""))
            if name == "main":
                break
        for i, short in enumerate(SUMS):
            sums[tuple(stack)][i] += point[short]
    return sums


def compare_dhat(folder, name, text):
    program = build(folder, name, text)
    run("valgrind", "--tool=dhat", "--num-callers=60", f"--dhat-out-file={program}.vg", program)
    run(TENURE, "export", "-f", "dhat", "-o", f"{program}.dhat", record(program))
    theirs, ours = sums_of(f"{program}.vg"), sums_of(f"{program}.dhat")
    different = [s for s in set(theirs) | set(ours) if theirs.get(s) != ours.get(s)]
    check(not different, f"{name}: {len(different)} of {len(theirs)} stacks differ, as "
          f"{[(s, dict(zip(SUMS, theirs.get(s, []))), ours.get(s)) for s in different[:2]]}")
    check(len(theirs) > 2, f"{name}: {len(theirs)} stacks")


def leaks_of_memcheck(program):
    out = f"{program}.xml"
    run("valgrind", "--leak-check=full", "--xml=yes", f"--xml-file={out}", program)
    leaks = collections.Counter()
    for error in xml.etree.ElementTree.parse(out).findall("error"):
        if error.findtext("kind") != "Leak_DefinitelyLost":
            continue
        frame = next(f for f in error.iter("frame") if f.findtext("file") and
                     f.findtext("file") == program.name + ".c")
        where = (frame.findtext("fn"), frame.findtext("file"), int(frame.findtext("line")))
        leaks[where] += int(error.findtext("xwhat/leakedblocks"))
    return leaks


def leaks_of_report(program):
    data = json.loads(run(TENURE, "report", "--json", record(program)))
    column = {name: i for i, name in enumerate(data["sites"]["columns"])}
    check(data["totals"]["has_marks"] or not data["totals"]["left_blocks"], "no marks")
    leaks = collections.Counter()
    for row in data["sites"]["rows"]:
        if row[column["lost_blocks"]]:
            where = (data["texts"][row[column["function"]]],
                     os.path.basename(data["texts"][row[column["file"]]]), row[column["line"]])
            leaks[where] += row[column["lost_blocks"]]
    return leaks


def compare_leaks(folder, name, text, *flags):
    program = build(folder, name, text, *flags)
    theirs, ours = leaks_of_memcheck(program), leaks_of_report(program)
    check(theirs == ours, f"{name}: memcheck {dict(theirs)}, the report {dict(ours)}")
    return theirs


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compare_dhat(folder, "resizes", RESIZES)
        for seed in range(4):
            compare_dhat(folder, f"random{seed}", random_program(seed))
        check(len(compare_leaks(folder, "leaks", LEAKS)) >= 3, "planted leaks")
        for name, (lost, text) in LEAK_PROGRAMS.items():
            found = compare_leaks(folder, name.replace(" ", "-"), LEAK_HEAD + text, "-pthread", "-fno-builtin")
            check(sum(found.values()) == lost, f"{name}: memcheck has {dict(found)}, {lost} planted")
        clean = "#include <stdlib.h>\nint main(void) { free(malloc(5)); return 0; }\n"
        check(not compare_leaks(folder, "clean", clean), "a clean program")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
