#!/usr/bin/env python3
"""tenure, tenure plan solve, verify and bound: answers, files, exit codes."""
import itertools
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TENURE = os.path.abspath(os.environ.get("BUILD", "build")) + "/tenure"
SVG = "{http://www.w3.org/2000/svg}"
FIVE = "id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\nb4,9,21,4\nb5,0,21,4\n"
# The free bytes below the first live block must be found: 180, not 240.
THREE = "id,start,end,size\na,0,1,100\nb,1,2,80\nc,2,3,60\n"
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print(f"line {sys._getframe(1).f_lineno}: {what}")


def tenure(*arguments, text=None, code=0):
    """Run the command with text on its standard input; (stdout, stderr)."""
    done = subprocess.run([TENURE, *arguments], input=text, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != code:
        global failures
        failures += 1
        line = sys._getframe(1).f_lineno
        print(f"line {line}: tenure {' '.join(arguments)}: exit code "
              f"{done.returncode}, wanted {code}\n{done.stderr}")
    return done.stdout, done.stderr


def solve(text, *arguments, code=0):
    return tenure("plan", "solve", *arguments, "-", text=text, code=code)


def offsets(out):
    """{id: offset} of a CSV file whose first column is the id."""
    header, *rows = [line.split(",") for line in out.splitlines()]
    return {row[0]: int(row[header.index("offset")]) for row in rows}


def test_frame():
    out, _ = tenure("--version")
    check(out.startswith("tenure ") and out.count("\n") == 1, out)
    out, _ = tenure("--help")
    check("plan" in out, out)
    for words, wanted in [
            (["paln"], "tenure: unknown command 'paln'; did you mean 'plan'? "
                       "(tenure --help lists all)\n"),
            (["plan", "slove"], "tenure: unknown command 'slove'; did you mean 'solve'? "
                                "(tenure plan --help lists all)\n"),
            (["plan", "solve", "--capcity", "3"],
             "tenure: unknown option '--capcity'; did you mean '--capacity'? "
             "(tenure plan solve --help lists all)\n"),
            (["zebra"], "tenure: unknown command 'zebra' (tenure --help lists all)\n"),
            (["plan", "solve"], "tenure: which IN.csv? (tenure plan solve --help "
                                "says more)\n"),
            (["plan", "solve", "a", "b"], "tenure: one IN.csv, please: 'b' is too many\n"),
            (["plan", "solve", "a", "--capacity"], "tenure: option --capacity needs a "
                                                   "value\n"),
            (["plan", "solve", "a", "--json=1"], "tenure: option --json takes no value\n"),
            (["plan", "solve", "a", "-C", "3X"],
             "tenure: '3X' is no value for --capacity: must fit into SIZE (256K, 8M)\n"),
            (["plan", "solve", "a", "-C", "4294967297G"],
             "tenure: '4294967297G' is no value for --capacity: must fit into SIZE "
             "(256K, 8M)\n"),
            (["plan", "solve", "/nowhere"],
             "tenure: cannot read /nowhere: No such file or directory\n"),
            (["plan", "solve", "/"], "tenure: cannot read /: Is a directory\n")]:
        out, error = tenure(*words, code=1)
        check(error == wanted and not out, error)
    for command in ["solve", "verify", "header", "bound"]:
        out, _ = tenure("plan", command, "--help")
        check(out.startswith(f"usage: tenure plan {command} "), out)
    tenure(code=1)
    tenure("plan", code=1)


def test_solve():
    out, error = solve(FIVE)
    check(out.splitlines()[0] == "id,lower,upper,size,offset", out)
    check(error.startswith("-: optimal: height 12 bytes, bound 12, 5 buffers, "), error)
    check([line.rsplit(",", 1)[0] for line in out.splitlines()] == FIVE.splitlines(), out)
    check(tenure("plan", "verify", "-C", "12", "-", text=out)[0]
          == "-: right: 5 buffers, height 12 bytes\n", out)
    _, error = solve(THREE)
    check("optimal: height 180 bytes" in error, error)
    out, _ = solve(FIVE.replace("size\n", "size,offset\n").replace(",4\n", ",4,\n")
                   .replace("b5,0,21,4,", "b5,0,21,4,4"))
    check(offsets(out)["b5"] == 4 and out.count("\n") == 6, out)
    out, _ = solve(FIVE.replace("\n", "\r\n\r\n"))
    check("\r" not in out and out.count("\n") == 6, out)
    first, _ = solve(FIVE, "--nodes", "1000")
    check(first == solve(FIVE, "--nodes", "1000")[0], "two runs differ")
    out, _ = solve("id,lower,upper,size,share\na,0,2,8,b\nb,1,3,8,\n")
    check(offsets(out) == {"a": 0, "b": 0}, out)
    out, _ = solve("id,lower,upper,size,gaps\na,0,9,8,3-6\nb,3,6,8,\n")
    check(offsets(out) == {"a": 0, "b": 0}, out)
    _, error = solve("id,lower,upper,size,gaps\na,0,9,8,3-6@0:4\nb,3,6,8,\n")
    check("optimal: height 12 bytes" in error, error)
    out, error = solve("id,lower,upper,size,gaps\na,0,9,8,3-6@2:6\nb,3,6,2,\nc,4,6,2,\n")
    check("optimal: height 8 bytes" in error, error)
    check(sorted(offsets(out).values()) == [0, 0, 6] and
          "right" in tenure("plan", "verify", "-C", "8", "-", text=out)[0], out)
    check("wrong: " in tenure("plan", "verify", "-", code=2,
                              text=out.replace("3-6@2:6", "3-6@2:7"))[0], out)


def test_threads():
    rows = [f"b{i},{i * 7 % 23},{i * 7 % 23 + 1 + i * 5 % 11},{i * 37 % 64 + 1}"
            for i in range(40)]
    text = "\n".join(["id,lower,upper,size", *rows, ""])
    plans = {solve(text, "--nodes", "5000", "--threads", str(threads))[0]
             for threads in range(6)}
    check(len(plans) == 1 and "offset" in plans.pop(),
          "the plan is the same on any number of threads")


def test_pools():
    text = "id,lower,upper,size\na,0,9,60\nb,0,9,60\nc,0,9,30\n"
    pools = ["--pool", "sram:100:1", "--pool", "psram:1K:40"]
    out, error = solve(text, *pools)
    check(", cost 2490, " in error, error)  # 90 * 1 + 60 * 40
    check(tenure("plan", "verify", *pools, "-", text=out)[0].startswith("-: right"), out)
    for wrong in ["sram", "sram:", "sram:1:", "sram:1:2:3", ":1", "sram:1:x", "sram:1:2M"]:
        _, error = solve(text, "--pool", wrong, code=1)
        check(f"pool '{wrong}' is not NAME:SIZE[:COST]" in error, error)


def test_no_plan():
    out, error = solve(FIVE, "-C", "11", code=2)
    check(not out and error.startswith("-: infeasible: proved: no plan fits, capacity 11"),
          error)
    check("3 buffers cannot be placed together, any one fewer can: " in error, error)
    check(error.count("\n") == 2, error)
    out, _ = solve(FIVE, "-C", "11", "--json", code=2)
    answer = json.loads(out)
    check(answer["status"] == "infeasible" and len(answer["conflict"]) == 3
          and answer["lower_bound"] == 12, out)
    load = json.loads(solve(hard_text(), "--nodes", "1", "--json")[0])["lower_bound"]
    _, error = solve(hard_text(), "-C", str(load), "--nodes", "1", code=3)
    check(error.startswith("-: unknown: no plan that fits was found, and none was ruled "
                           "out, "), error)


def test_bad_input():
    for text, wanted in [
            ("", "-:0: the file is empty"),
            ("id,lower,upper,size\na,0,1,0\n", "-:2: size 0 is less than 1"),
            ("id,lower,upper,size\na,5,5,1\n", "-:2: the lifetime [5, 5) is empty"),
            ("id,lower,upper,size\na,0,1,nan\n", "-:2: size 'nan' is not a whole number"),
            ("id,lower,upper,size\na,0,1,4611686018427387904\nb,0,1,1\n", "-:"),
            ("id,lower,upper,size\na,0,1,4611686018427387905\n", "-:2: size "),
            ("id,lower,upper,size\na,0,1,1\na,0,1,1\n", "-:3: id 'a' is that of line 2")]:
        for command in ["solve", "header"]:
            out, error = tenure("plan", command, "-", text=text, code=4)
            check(error.startswith(wanted) and error.count("\n") == 1 and not out,
                  f"{text!r}: {error}")
    _, error = solve("id,lower,upper,size\na,0,1,4611686018427387904\n")
    check("height 4611686018427387904 bytes" in error, error)
    solve("id,lower,upper,size,offset\na,0,1,4,4611686018427387904\n", code=2)


def test_verify():
    right = "id,lower,upper,size,offset,align\na,0,3,8,0,8\nb,2,5,8,8,1\nc,3,5,8,0,1\n"
    check(tenure("plan", "verify", "-", text=right)[0]
          == "-: right: 3 buffers, height 16 bytes\n", "right")
    for wrong, wanted in [
            (right.replace("8,8,1", "8,7,1"),
             "-:3: wrong: b at 7 shares bytes with a (line 2) at 0, and both are alive\n"),
            (right.replace("8,0,8", "8,4,8"),
             "-:2: wrong: a at 4 is not a multiple of its alignment 8\n"),
            (right.replace("c,3,5", "c,2,5"), None)]:
        out, _ = tenure("plan", "verify", "-", text=wrong, code=2)
        check(wanted is None or out == wanted or "shares" in wanted and "shares" in out, out)
    out, _ = tenure("plan", "verify", "-C", "15", "-", text=right, code=2)
    check(out == "-:3: wrong: b at 8 ends above the capacity 15\n", out)
    _, error = tenure("plan", "verify", "-", code=4, text=right.replace("8,8,1", "8,,1"))
    check(error == "-:3: b has no offset: this is no plan\n", error)


def test_mutants():
    """Every single change of an offset in a plan without slack is wrong."""
    rows = [("a", 0, 8, 4, 0), ("b", 0, 3, 4, 4), ("c", 3, 8, 4, 4), ("d", 0, 5, 4, 8),
            ("e", 5, 8, 4, 8)]
    head = "id,lower,upper,size,offset\n"
    for i, change in itertools.product(range(len(rows)), (-4, -1, 1, 4)):
        moved = [row if j != i else (*row[:4], row[4] + change)
                 for j, row in enumerate(rows)]
        if moved[i][4] >= 0:
            text = head + "".join(",".join(map(str, row)) + "\n" for row in moved)
            tenure("plan", "verify", "-C", "12", "-", text=text, code=2)


def test_files(folder):
    source = folder / "in.csv"
    source.write_text("id,lower,upper,size,gaps\n\"<a>&,\",0,9,8,3-6\nb,3,6,8,\nc,0,9,4,\n")
    names = [str(folder / name) for name in ("out.csv", "p.svg", "p.html")]
    out, _ = tenure("plan", "solve", str(source), "-o", names[0], "--svg", names[1],
                    "--html", names[2], "--json")
    answer = json.loads(out)
    check(answer["height"] == 12 and answer["buffers"][0]["id"] == "<a>&,", out)
    check(answer["status"] == "optimal" and answer["witness"]["is_load"], out)
    svg = xml.etree.ElementTree.parse(names[1]).getroot()
    boxes = [r for r in svg.iter(SVG + "rect") if r.get("class") == "b"]
    check(sorted(r.get("data-i") for r in boxes) == ["0", "0", "1", "2"], "pieces")
    check(len([p for p in svg.iter(SVG + "path") if p.get("class") == "l"]) == 1, "load")
    area = sum(float(r.get("width")) * float(r.get("height")) for r in boxes)
    highest = min(float(r.get("y")) for r in boxes)
    line = next(e for e in svg.iter(SVG + "line") if e.get("class") == "h")
    check(abs(highest - float(line.get("y1"))) < 0.1 and area > 0, "height line")
    page = pathlib.Path(names[2]).read_text()
    check("&lt;a&gt;&amp;," in page and "<a>" not in page and "<svg" in page, "page")
    check("http" not in page.replace("http://www.w3.org/2000/svg", ""), "page is alone")
    _, error = tenure("plan", "solve", str(source), "-o", str(folder / "no/out"), code=1)
    check("cannot write" in error, error)
    if os.path.exists("/dev/full"):
        _, error = tenure("plan", "solve", str(source), "-o", "-", "--svg", "/dev/full",
                          code=1)
        check("cannot write /dev/full" in error, error)


def test_bound_of_trace(folder):
    """Of a trace that bound_trace.c writes."""
    program, trace = str(folder / "bound_trace"), str(folder / "run.trace")
    subprocess.run(["/usr/bin/gcc", "-O1", "-std=gnu11", "-Iinclude", "-Isrc",
                    "-o", program, "test/cmd/bound_trace.c"],
                   check=True)
    subprocess.run([program, trace], check=True)
    out = json.loads(tenure("plan", "bound", "--json", trace)[0])
    # Most live at once: what was resized to 200, 4096 (aligned), 32.
    check(out["blocks"] == 7 and out["never_freed"] == 3, str(out))
    check(out["lower_bound"] == 208 + 4096 + 32, str(out))
    check(out["status"] == "optimal" and out["live_pages_bytes"] == 3 * 4096, str(out))


def test_bound_of_run(folder):
    """Of a run that `tenure run` has recorded: all of its processes."""
    program = str(folder / "bound_run")
    subprocess.run(["/usr/bin/gcc", "-O0", "-o", program, "test/cmd/bound_run.c"], check=True)
    tenure("run", "-q", "-o", str(folder / "run"), program)
    out, error = tenure("plan", "bound", "--json", str(folder / "run.trace"))
    answer = json.loads(out)
    first, child = answer["processes"]
    need = 1000000 + 100 * 5008
    check(first["blocks"] == 102 and first["never_freed"] == 0, out)
    check(first["lower_bound"] == first["height"] == need, out)
    check(need <= first["live_pages_bytes"] <= need + 102 * 2 * 4096, out)
    # The child has the block that its parent keeps, and one of its own.
    check(child["blocks"] == 2 and child["never_freed"] == 1, out)
    check(child["height"] == child["lower_bound"] == 4000000, out)
    check(child["program"] == first["program"] == program and
          child["pid"] != first["pid"], out)
    for key in ("blocks", "never_freed", "lower_bound", "height", "live_pages_bytes"):
        check(answer[key] == first[key] + child[key], f"{key}: {out}")
    check(answer["status"] == "optimal" and error == "", out + error)
    out, _ = tenure("plan", "bound", str(folder / "run.trace"))
    lines = out.splitlines()
    check(len(lines) == 5 and lines[0].endswith("run.trace: 2 processes, bytes") and
          str(need + 4000000) in lines[4] and lines[4].endswith("each at its most"), out)


def test_bound_of_less(folder):
    """Of runs whose trace has sums or samples, of a future one, and of what is none."""
    for option, code, words in (("--tallies", 4, "there is no event in it, only sums"),
                                ("--sample=1", 0, "this is of the sampled blocks only")):
        tenure("run", "-q", "-o", str(folder / "less"), option, str(folder / "bound_run"))
        _, error = tenure("plan", "bound", str(folder / "less.trace"), code=code)
        check(error == f"{folder / 'less.trace'}: {words}\n", error)
    whole = (folder / "less.trace").read_bytes()
    for data, words in ((whole[:8] + b"\x4d" + whole[9:], " is of version 77 of the format; this reads up to 1"),
                        (bytes(500), " is neither a trace nor a text"), (b"", "1: the file is empty")):
        (folder / "less").write_bytes(data)
        _, error = tenure("plan", "bound", str(folder / "less"), code=4)
        check(error == f"{folder / 'less'}:{words}\n", error)


def test_damaged_events():
    """Whatever the bytes, `bound` answers or names a line."""
    good = "op,address,size\nalloc,0x1000,100\nheld,,9000\nfree,0x1000,\nalloc,16,0\n"
    words = [",", "\n", "-1", "0x", "9" * 30, "alloc", "\x01", "free,16,\n"]
    for i in range(60):
        at, word = i * 37 % len(good), words[i % len(words)]
        text = good[:at] + word + good[at + i % 5:]
        done = subprocess.run([TENURE, "plan", "bound", "-"], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        check(done.returncode == 0 or done.returncode == 4 and
              re.match(r"-:\d+: ", done.stderr), f"{text!r}: {done}")


def hard_text():
    """Nothing proves this one in the time of a test."""
    return "id,lower,upper,size\n" + "".join(
        f"{i},{i * 37 % 101},{i * 37 % 101 + 3 + i * 13 % 29},"
        f"{1000 + i * 7919 % 6007}\n" for i in range(300))


def test_hint():
    """A plan to start from: the answer is no higher."""
    first, _ = solve(hard_text(), "--nodes", "200000")
    height = tenure("plan", "verify", "-", text=first)[0]
    again, _ = solve(first.replace(",offset\n", ",hint\n"), "--nodes", "1")
    moved = [line.rsplit(",", 2)[0] + "," + line.rsplit(",", 1)[1]
             for line in again.splitlines()]
    check(tenure("plan", "verify", "-", text="\n".join(moved))[0] == height, height)


def test_terminal(folder):
    """Progress is for a terminal; an interrupt ends with the best plan."""
    path = folder / "hard.csv"
    path.write_text(hard_text())
    command = [TENURE, "plan", "solve", str(path), "--time", "0"]
    outer, inner = pty.openpty()
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=inner)
    os.close(inner)
    shown = b""
    while shown.count(b"gap") < 2:
        shown += os.read(outer, 1000)
    run.send_signal(signal.SIGINT)
    out = run.communicate(timeout=60)[0]
    check(b"height" in shown and b"bound" in shown, shown)
    check(run.returncode == 0 and out.count(b"\n") == 301, run.returncode)
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    check(error.count(b"\n") == 1 and b"\r" not in error, error)


def test_bound():
    events = ("op,address,size\n\nalloc,0x1000,100\nalloc,0x1080,50\nfree,0x1000,\r\n"
              "alloc,0x3000,100\nheld,,9000\nfree,0x1080,\nalloc,4096,0\n")
    out, _ = tenure("plan", "bound", "-", text=events)
    check(out == "-: 4 blocks, 2 never freed\n"
          "  bound (no plan is below)                176 bytes\n"
          "  clairvoyant allocator                   176 bytes, optimal\n"
          "  the allocator held                     9000 bytes, 51.136 of the "
          "clairvoyant\n", out)
    out, _ = tenure("plan", "bound", "--json", "-", text=events.replace("held,,9000\n", ""))
    check(json.loads(out) == {"blocks": 4, "never_freed": 2, "lower_bound": 176,
                              "height": 176, "status": "optimal",
                              "live_pages_bytes": 8192}, out)
    out, _ = tenure("plan", "bound", "-", text="op,address,size\nalloc,16,100\n"
                    "alloc,160,50")
    check("clairvoyant allocator                   176 bytes" in out, out)
    out, _ = tenure("plan", "bound", "-", text="op,address,size\nalloc,4000,20000\n"
                    "free,4000,\nalloc,4000,16\n")
    check("pages with live bytes                 24576 bytes" in out, out)
    for text, wanted in [
            ("", "-:1: the file is empty"),
            ("alloc,1,2\n", "-:1: the first line must be op,address,size"),
            ("op,address,size\n", "-:2: there is no alloc"),
            ("op,address,size\nalloc,0x10\n", "-:2: this is not op,address,size"),
            ("op,address,size\nmalloc,0x10,3\n", "-:2: the op is not alloc, free or held"),
            ("op,address,size\nalloc,x,3\n", "-:2: the address is not a number"),
            ("op,address,size\nalloc,1,-3\n", "-:2: the size is not a number"),
            ("op,address,size\nalloc,1,9999999999999999999\n", "-:2: a number is beyond"),
            ("op,address,size\nfree,16,\n", "-:2: the address is not that of a live"),
            ("op,address,size\nalloc,16,1\nalloc,16,1\n", "-:3: the address is that of")]:
        _, error = tenure("plan", "bound", "-", text=text, code=4)
        check(error.startswith(wanted) and error.count("\n") == 1, error)


def main():
    test_frame()
    test_solve()
    test_threads()
    test_pools()
    test_no_plan()
    test_bad_input()
    test_verify()
    test_mutants()
    test_bound()
    test_damaged_events()
    test_hint()
    with tempfile.TemporaryDirectory() as folder:
        test_files(pathlib.Path(folder))
        test_bound_of_trace(pathlib.Path(folder))
        test_bound_of_run(pathlib.Path(folder))
        test_bound_of_less(pathlib.Path(folder))
        test_terminal(pathlib.Path(folder))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
