#!/usr/bin/env python3
"""tenure plan header: it compiles as C11 and C++17, costs nothing, and its debug
build finds every wrong lifetime.  [header.alive] [header.dead] [header.free]"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TENURE = os.path.abspath(os.environ.get("BUILD", "build")) + "/tenure"
CC = os.environ.get("CC", "cc").split()
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-pedantic", "-Werror"]
ASAN = ["-fsanitize=address", "-fno-sanitize-recover=all"]
# id, lower, upper, size, align, gaps, type
DEMO = [("in", 0, 3, 64, 4, "", "float"), ("conv/1", 1, 4, 48, 8, "", "double"),
        ("pool:0", 2, 9, 40, 1, "4-6", ""), ("relu-2", 3, 6, 64, 4, "", "float"),
        ("out", 5, 9, 24, 1, "", ""), ("late", 7, 9, 72, 2, "", "short")]
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"line {sys._getframe(1).f_lineno}: {what}")


def run(*command, code=0, text=None):
    done = subprocess.run(command, input=text, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(code is None or done.returncode == code,
          f"{' '.join(command)}: {done.returncode}\n{done.stdout}")
    return done.returncode, done.stdout


def header(folder, rows, *arguments, code=0):
    """Write net.h for the rows; what the command said."""
    text = "id,lower,upper,size,align,gaps,type\n" + "".join(
        ",".join(map(str, row)) + "\n" for row in rows)
    return run(TENURE, "plan", "header", "--prefix", "net", "--nodes", "10000",
               *arguments, "-o", str(folder / "net.h"), "-", text=text, code=code)[1]


def c_name(row):
    return re.sub("[^A-Za-z0-9]", "_", row[0])


def is_alive(row, time):
    if not row[1] <= time < row[2]:
        return False
    return not any(int(low) <= time < int(high) for low, high in
                   (gap.split("-") for gap in row[5].split()))


def demo_program(rows):
    """C and C++: at each time, each live buffer is filled or looked at."""
    lines = ['#include "net.h"', "#include <string.h>",
             "static long long storage[NET_BYTES / sizeof(long long) + 1];",
             "static int holds(const unsigned char *p, int fill, size_t size) {",
             "  size_t i; for (i = 0; i < size; i++) if (p[i] != fill) return 0;",
             "  return 1; }", "int main(void) {", "  void *memory = storage;",
             "  net_plan_start(memory);"]
    for time in range(0, 9):
        lines.append(f"  net_plan_at(memory, {time});")
        for i, row in enumerate(rows):
            if not is_alive(row, time):
                continue
            name = c_name(row)
            access = f"(unsigned char *)(void *)net_{name}(memory)"
            if not is_alive(row, time - 1):
                lines.append(f"  memset(net_{name}(memory), {i + 1}, NET_{name}_SIZE);")
            lines.append(f"  if (!holds({access}, {i + 1}, NET_{name}_SIZE)) return {i + 1};")
    return "\n".join(lines + ["  return 0;", "}", ""])


def build(folder, source, *flags, compiler=None, code=0):
    """Compile source against net.h; the program."""
    program = folder / "program"
    language = ["-x", "c", "-std=c11"] if compiler is None else compiler
    (folder / "source").write_text(source)
    run(*CC, *language, *STRICT, "-O1", "-I", str(folder), *flags, "-o", str(program),
        str(folder / "source"), code=code)
    return str(program)


def test_languages(folder):
    said = header(folder, DEMO)
    check(": optimal: height " in said and said.count("\n") == 1, said)
    source = demo_program(DEMO)
    for debug in ("-DNET_DEBUG=0", "-DNET_DEBUG=1"):
        run(build(folder, source, debug))
        run(build(folder, source, debug,
                  compiler=["-x", "c++", "-std=c++17", "-Wno-unused-function"]))
    run(build(folder, source, "-DNET_DEBUG=1", *ASAN))
    build(folder, source, "-DNET_CAPACITY=100", code=1)


def test_wrong_lifetimes(folder):
    """Each lifetime made one instant shorter, at either end, is found."""
    source = demo_program(DEMO)
    for i, row in enumerate(DEMO):
        for change in ((1, 0), (0, -1)):
            wrong = (row[0], row[1] + change[0], row[2] + change[1], *row[3:])
            header(folder, DEMO[:i] + [wrong] + DEMO[i + 1:])
            code, said = run(build(folder, source, "-DNET_DEBUG=1"), code=None)
            time = row[1] if change[0] else row[2] - 1
            wanted = f"net: {c_name(row)} was used at time {time}, when it is not alive\n"
            if wrong[1] == 1 and row[1] == 0:  # then nothing is alive at time 0
                wanted = ("net: the time goes back from 1 to 0: net_plan_start begins "
                          "again\n")
            check(code == -6 and said == wanted, f"{wrong}: {code} {said}")


def test_dead_bytes(folder):
    """A pointer kept too long: writes are found, and reads by ASan."""
    header(folder, DEMO)
    kept = ('#include "net.h"\nstatic long long storage[NET_BYTES / 8 + 1];\n'
            "int main(void) { volatile float *kept; net_plan_start(storage);\n"
            "  kept = net_in(storage); kept[3] = 1; net_plan_at(storage, 2); kept[3] = 1;\n"
            "  net_plan_at(storage, 8); ACT; net_plan_at(storage, 9);\n"
            "  net_plan_at(storage, 10); ACT; net_plan_at(storage, 11); return 0; }\n")
    run(build(folder, kept, "-DNET_DEBUG=1", "-DACT="))
    code, said = run(build(folder, kept, "-DNET_DEBUG=1", "-DACT=kept[3]=7"), code=None)
    check(code == -6 and re.fullmatch(r"net: byte \d+ was written at time \d+, when it is "
                                      r"nobody's; it was that of \w+ until \d+\n", said), said)
    code, said = run(build(folder, kept, "-DNET_DEBUG=1", "-DACT=(void)kept[3]", *ASAN),
                     code=None)
    check(code != 0 and "use-after-poison" in said, said)
    back = kept.replace("net_plan_at(storage, 11)", "net_plan_at(storage, 1)")
    code, said = run(build(folder, back, "-DNET_DEBUG=1", "-DACT="), code=None)
    check(code == -6 and said == "net: the time goes back from 10 to 1: net_plan_start "
          "begins again\n", said)


def test_window(folder):
    """A gap that keeps bytes: others have the rest, and the kept ones stay."""
    header(folder, [("a", 0, 9, 8, 1, "3-6@2:6", ""), ("b", 3, 6, 2, 1, "", ""),
                    ("c", 4, 6, 2, 1, "", "")])
    source = ('#include "net.h"\n#include <string.h>\n'
              "static long long storage[NET_BYTES / 8 + 1];\n"
              "int main(void) { void *m = storage; net_plan_start(m);\n"
              "  memset(net_a(m), 1, NET_SIZE); net_plan_at(m, 3);\n"
              "  net_b(m)[1] = 2; ACT; net_plan_at(m, 4); net_c(m)[1] = 3;\n"
              "  if (net_a(m)[2] != 1 || net_a(m)[5] != 1) return 1;\n"
              "  net_plan_at(m, 6); net_a(m)[0] = net_a(m)[7] = 1;\n"
              "  return net_a(m)[2] + net_a(m)[5] - 2; }\n")
    run(build(folder, source, "-DNET_DEBUG=1", "-DACT="))
    free = 7 if "NET_c_OFFSET 6\n" in (folder / "net.h").read_text() else 0
    code, said = run(build(folder, source, "-DNET_DEBUG=1", f"-DACT=net_a(m)[{free}]=7"),
                     code=None)
    check(code == -6 and said == f"net: byte {free} was written at time 3, when it is "
          "nobody's; it was that of a until 3\n", said)


def test_free(folder):
    """An access is the addition of a constant: no call, no branch, no load."""
    header(folder, DEMO)
    (folder / "use.c").write_text(
        '#include "net.h"\nfloat *use(void *m);\n'
        "float *use(void *m) { net_plan_at(m, 3); return net_relu_2(m); }\n")
    run(*CC, "-std=c11", "-O2", "-c", "-I", str(folder), str(folder / "use.c"), "-o",
        str(folder / "use.o"))
    _, text = run("objdump", "-d", "--no-show-raw-insn", str(folder / "use.o"))
    body = text.split("<use>:")[1]
    check(not re.search(r"\b(call|j[a-z]+)\b", body), body)
    check(len(re.findall(r"^\s+[0-9a-f]+:\t(?!nop|cs|xchg)", body, re.MULTILINE)) <= 3, body)


def test_refusals(folder):
    first = DEMO[0]
    for rows, arguments, code, wanted in [
            ([first, ("conv.1", *first[1:]), ("conv-1", *first[1:])], [], 4,
             "-:4: conv-1 becomes the same C name as conv.1\n"),
            ([("plan_at", *first[1:])], [], 4, "-:2: plan_at begins with plan_, which is "
                                               "the header's own\n"),
            ([(*first[:6], "float; x")], [], 4, "-:2: in has the type 'float; x', which is "
                                                "no type name\n"),
            ([first], ["-C", "10"], 2, "-: infeasible"),
            ([first], ["--prefix", "3d"], 1, "tenure: the prefix '3d' is no C name\n")]:
        said = header(folder, rows, *arguments, code=code)
        check(wanted in said, said)
    header(folder, [("x", 0, 1, 7, 1, "", ""), ("y", 0, 1, 8, 1, "", "double")])
    program = '#include "net.h"\nint main(void) { return NET_ALIGN - 1; }\n'
    build(folder, program, code=1)
    header(folder, [("y", 0, 1, 9, 8, "", "double")])
    build(folder, program, code=1)
    header(folder, [("x", 0, 1, 7, 1, "", ""), ("y", 0, 1, 8, 24, "", "double")])
    check(run(build(folder, program), code=None)[0] == 7, "base alignment of 24")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_languages(folder)
        test_wrong_lifetimes(folder)
        test_dead_bytes(folder)
        test_window(folder)
        test_free(folder)
        test_refusals(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
