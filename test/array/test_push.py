#!/usr/bin/env python3
"""Count the instructions of a push in gcc's and clang's code.

Each function below is one loop of pushes.  What the loop has beyond its own
count (add, compare, jump) is the push: at most 5 instructions through a
pointer, 4 for a local array, one conditional jump, no call.  An index into
segments is at most 9 instructions without a jump.
"""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = r"""
#include <tenure/array.h>
typedef TN_ARRAY(int) ints;
typedef TN_SEGMENTS(int) segments;

void through_pointer(ints *a, int n)
{
  for (int i = 0; i < n; i++)
    tn_array_push(a, i);
}
void segments_through_pointer(segments *a, int n)
{
  for (int i = 0; i < n; i++)
    tn_array_push(a, i);
}
size_t local(tn_provider *provider, int n)
{
  ints a;
  tn_array_init(&a, provider);
  for (int i = 0; i < n; i++)
    tn_array_push(&a, i);
  return tn_len(&a);
}
size_t local_segments(tn_provider *provider, int n)
{
  segments a;
  tn_array_init(&a, provider);
  for (int i = 0; i < n; i++)
    tn_array_push(&a, i);
  return tn_len(&a);
}
int segment_index(segments *a, size_t i)
{
  return *tn_array_at(a, i);
}
"""
LOOP_ITSELF = 3
MOST = {"through_pointer": 5, "segments_through_pointer": 5, "local": 4,
        "local_segments": 4}
MOST_INDEX = 9
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("failed:", what)


def disassemble(compiler):
    """{function: [(address, instruction)]} of SOURCE."""
    with tempfile.TemporaryDirectory() as folder:
        c_file, object_file = folder + "/push.c", folder + "/push.o"
        with open(c_file, "w") as out:
            out.write(SOURCE)
        subprocess.run([compiler, "-std=c11", "-O2", "-Wall", "-Wextra",
                        "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
                        "-Iinclude", "-c", c_file, "-o", object_file],
                       check=True)
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-M",
                               "intel", object_file], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    functions, current = {}, []
    for line in text.splitlines():
        head = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        if head:
            current = functions.setdefault(head[1], [])
        code = re.match(r" +([0-9a-f]+):\t(.*?)\s*$", line)
        if code:
            current.append((int(code[1], 16), code[2]))
    return functions


def first_loop(code):
    """The instructions of the loop that the first jump backwards closes."""
    for address, text in code:
        jump = re.match(r"j\w+ +([0-9a-f]+)", text)
        if jump and int(jump[1], 16) < address:
            return [t for a, t in code if int(jump[1], 16) <= a <= address]
    return []


def main():
    for compiler in ["gcc", "clang"]:
        functions = disassemble(compiler)
        for name, most in MOST.items():
            loop = first_loop(functions[name])
            push = len(loop) - LOOP_ITSELF
            print(f"{compiler},{name},instructions,{push}")
            told = f"{compiler} {name}:\n  " + "\n  ".join(loop)
            check(3 <= push <= most, told)
            check(sum(t.startswith("j") for t in loop) == 2, told)
            check(not any("call" in t for t in loop), told)
        index = [t for _, t in functions["segment_index"]]
        index = index[:index.index("ret")]
        print(f"{compiler},segment_index,instructions,{len(index)}")
        check(len(index) <= MOST_INDEX and not any(t.startswith("j")
                                                   for t in index),
              f"{compiler} segment_index:\n  " + "\n  ".join(index))
    return failures != 0


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    sys.exit(main())
