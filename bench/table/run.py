#!/usr/bin/env python3
"""The property table: each discipline asked the same questions by one harness

    run.py [--out FOLDER]

Builds the harness (measure.c and its neighbours) against the release, debug and
hardened library, runs each property of each discipline in a process of its own,
and prints `table.PROPERTY,DISCIPLINE,metric,value`.  The table goes to standard
error as text, and to FOLDER ($BUILD/table) as table.txt and table.svg.

What the properties are is said below the table; how they are measured, in
measure.c, crimes.c and owner.c.  Times are the best of several rounds, cache
misses and instructions are counted by valgrind on its model of a cache.
"""
import argparse
import html
import math
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import cache_model  # noqa: E402

ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
MODES = {"release": ("libtenure.a", []), "debug": ("libtenure-debug.a", ["-DTN_DEBUG=1"]),
         "harden": ("libtenure-harden.a", ["-DTN_HARDEN=1"])}
SIZES = [8 << i for i in range(10)]
BATCH = 1000  # TABLE_BATCH

# Property, what the cell says, whether less is better (None: words).
ROWS = [
    ("safe", "of 5 crimes stopped, or not to be written: debug, hardened, release", False),
    ("complete", "% of forgotten bytes that come back at the end of a phase", False),
    ("prompt", "% of what is held that is dead, blocks dying at random", True),
    ("time", "ns for a block of 64 bytes: allocated, written, freed in its order", True),
    ("instructions", "instructions for the same", True),
    ("cache misses", "misses of the first-level cache for 1,000 of the same", True),
    ("worst allocate", "ns, the longest of 20,000, its page faults included", True),
    ("worst free", "ns, the longest of 20,000, or of releasing them all", True),
    ("compactness", "% more resident than asked: sizes 16 to 512 (one size: 64)", True),
    ("when full", "what becomes of a request beyond the capacity", None),
    ("sizes", "what sizes one instance serves", None),
    ("grows in place", "which block can become larger where it is", None),
    ("threads", "how many may use it at once; speed of two, of one thread's", None),
    *[(f"metadata {size}", f"bytes beside a block of {size}, rounding included", True)
      for size in SIZES],
]


def build(mode):
    library, flags = MODES[mode]
    subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={BUILD}", BUILD / library], check=True)
    program = BUILD / "bench" / "table" / mode
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), "-std=gnu11", "-O2", "-g", "-Wall",
                    "-Wextra", "-Werror", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}", *flags,
                    *sorted(HERE.glob("*.c")), BUILD / library, "-pthread", "-lm", "-o", program],
                   check=True)
    return program


def ask(program, *words):
    """{metric: text} of one run."""
    done = subprocess.run([program, *words], check=True, capture_output=True, text=True)
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


def simulate(program, name, batches):
    """(instructions, first-level data misses) of so many batches."""
    done = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=yes", *cache_model.FLAGS,
                           "--cachegrind-out-file=/dev/null", program, name, "batches", str(batches)],
                          check=True, capture_output=True, text=True)
    def find(what):
        return int(re.search(rf"{what}:\s+([\d,]+)", done.stderr)[1].replace(",", ""))
    return find("I\\s+refs"), find("D1\\s+misses")


def describe(programs, name):
    """{property: cell} of a discipline; a cell is a number or a text."""
    release = programs["release"]
    cells = {}
    caught = {mode: ask(program, name, "safe") for mode, program in programs.items()}
    cells["safe"] = " ".join(caught[mode]["caught"] for mode in ("debug", "harden", "release"))
    cells["complete"] = float(ask(release, name, "complete")["recovered_percent"])
    cells["prompt"] = float(ask(release, name, "prompt")["dead_percent"])
    cells["time"] = float(ask(release, name, "time")["ns"])
    few, many = simulate(release, name, 4), simulate(release, name, 8)
    cells["instructions"] = (many[0] - few[0]) / 4 / BATCH
    cells["cache misses"] = (many[1] - few[1]) / 4
    worst = ask(release, name, "worst")
    cells["worst allocate"] = float(worst["alloc_ns"])
    cells["worst free"] = float(worst["free_ns"])
    memory = ask(release, name, "memory")
    cells["compactness"] = float(memory["excess_percent"])
    for size in SIZES:
        cells[f"metadata {size}"] = float(memory[f"metadata_{size}"])
    cells["when full"] = ask(release, name, "overflow")["when_full"]
    dynamic = ask(release, name, "dynamic")
    cells["sizes"], cells["grows in place"] = dynamic["sizes"], dynamic["grows_in_place"]
    threads = ask(release, name, "threads")
    speed = threads.get("speed_of_two")
    cells["threads"] = f"any, {float(speed):.1f}" if speed else threads["threads"]
    return cells


def show(value):
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 9.95 else f"{value:.2f}"


def render_text(table, owner):
    names = list(table)
    first = max(len(row[0]) for row in ROWS) + 1
    width = max(9, *(len(show(v)) + 1 for cells in table.values() for v in cells.values()))
    lines = [" " * first + "".join(f"{name:>{width}}" for name in names)]
    for row, _, _ in ROWS:
        lines.append(f"{row:{first}}" + "".join(f"{show(table[n][row]):>{width}}" for n in names))
    lines += ["", *(f"{row:{first}}{what}" for row, what, _ in ROWS if "metadata" not in row),
              f"{'metadata N':{first}}bytes beside a block of N, rounding included", "",
              "Whose is this block: a tag of 16 bytes before each, or the page map (blocks picked at random from 32 MiB)",
              f"{'block':>{first}}" + "".join(f"{size:>8}" for size in SIZES)]
    for key, what in (("tag_bytes", "tag, bytes"), ("map_bytes", "map, bytes"),
                      ("tag_ns", "tag, ns"), ("map_ns", "map, ns")):
        lines.append(f"{what:>{first}}" + "".join(f"{show(owner[f'{key}_{s}']):>8}" for s in SIZES))
    lines += [f"The map takes fewer bytes from {owner['blocks_from_which_map_is_smaller']:.0f} blocks on; "
              f"a tag is 1 % of its block from {owner['size_from_which_tag_is_1_percent']:.0f} bytes on.",
              owner_sentence(owner)]
    return "\n".join(lines) + "\n"


def owner_sentence(owner):
    """From how much memory on the map is faster to ask: the crossover in time."""
    start = owner["kib_from_which_map_is_faster"]
    if not start:
        return "Picked at random from 32 MiB of blocks of 64 bytes, a tag still answers faster."
    return (f"Blocks of 64 bytes, picked at random: from {start:.0f} KiB of them on the map answers faster; its "
            "slots stay in the cache, a tag brings its block's line.")


# ---- The picture ---------------------------------------------------------------

GOOD, BAD, PLAIN = (198, 230, 205), (250, 221, 205), (240, 242, 245)


def shade(row, less_is_better, value, table):
    """The fill of a cell: from good to bad by its place between best and worst."""
    if less_is_better is None:
        return PLAIN
    def number(v):
        n = sum(map(int, v.split())) if isinstance(v, str) else v
        return math.log(max(n, 0) + 0.5) if less_is_better else n
    values = [number(cells[row]) for cells in table.values()]
    low, high = min(values), max(values)
    part = 0.5 if high == low else (number(value) - low) / (high - low)
    part = part if less_is_better else 1 - part
    return tuple(round(g + (b - g) * part) for g, b in zip(GOOD, BAD))


def render_svg(table, owner):
    names = list(table)
    left, top, cell_w, cell_h = 140, 60, 86, 24
    width = left + cell_w * len(names) + 20
    grid_h = cell_h * len(ROWS)
    chart_top = top + grid_h + 70
    height = chart_top + 230
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']

    def text(x, y, words, anchor="middle", **more):
        extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
                   f'{html.escape(words)}</text>')

    text(left, 24, "What each discipline gives, and what it gives up", "start", font_size=16,
         font_weight="bold")
    for i, name in enumerate(names):
        text(left + cell_w * (i + 0.5), top - 8, name, font_weight="bold")
    for k, (row, what, less) in enumerate(ROWS):
        y = top + k * cell_h
        out.append(f"<g><title>{html.escape(row + ': ' + what)}</title>")
        text(left - 8, y + 16, row, "end")
        for i, name in enumerate(names):
            color = shade(row, less, table[name][row], table)
            out.append(f'<rect x="{left + cell_w * i}" y="{y}" width="{cell_w - 2}" height="{cell_h - 2}" '
                       f'rx="3" fill="rgb{color}"/>')
            text(left + cell_w * (i + 0.5) - 1, y + 16, show(table[name][row]))
        out.append("</g>")
    text(left, top + grid_h + 18, "Green is better within a row, grey rows are words.  Units and meaning: "
         "table.txt, or point at a row.", "start", fill="#555")
    render_owner(out, text, owner, left, chart_top, min(620, width - left - 120))
    out.append("</svg>")
    return "\n".join(out) + "\n"


def render_owner(out, text, owner, left, top, width):
    """The chart of C8: ns of a look-up over the block's size."""
    height = 150
    series = [("tag_ns", "a tag before each block (16 bytes each)", "#b5482f"),
              ("map_ns", "the page map", "#2f6f4f")]
    top_ns = max(owner[f"{key}_{s}"] for key, _, _ in series for s in SIZES)
    ceiling = 10 ** math.ceil(math.log10(top_ns))

    def x_of(i):
        return left + width * i / (len(SIZES) - 1)

    def y_of(ns):
        return top + height - height * math.log10(max(ns, 1)) / math.log10(ceiling)

    text(left, top - 18, "Whose is this block?  ns of a look-up, blocks picked at random from 32 MiB",
         "start", font_weight="bold")
    ns = 1
    while ns <= ceiling:
        y = y_of(ns)
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        text(left - 8, y + 4, f"{ns} ns", "end", fill="#555")
        ns *= 10
    for i, size in enumerate(SIZES):
        text(x_of(i), top + height + 18, str(size), fill="#555")
    text(left + width / 2, top + height + 36, "bytes of a block", fill="#555")
    for key, label, color in series:
        points = " ".join(f"{x_of(i):.1f},{y_of(owner[f'{key}_{s}']):.1f}" for i, s in enumerate(SIZES))
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        last = y_of(owner[f"{key}_{SIZES[-1]}"])
        text(left + width, last + (-26 if key == "tag_ns" else 16), label, "end", fill=color)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=BUILD / "table")
    given = parser.parse_args()
    programs = {mode: build(mode) for mode in MODES}
    names = subprocess.run([programs["release"]], check=True, capture_output=True,
                           text=True).stdout.split()
    table = {name: describe(programs, name) for name in names}
    owner = {k: float(v) for k, v in ask(programs["release"], "owner").items()}
    for name, cells in table.items():
        for row, value in cells.items():
            print(f"table.{row.replace(' ', '_')},{name},value,{show(value)}")
    for key, value in owner.items():
        print(f"table.owner,{key},value,{value:.5g}")
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "table.txt").write_text(render_text(table, owner))
    (given.out / "table.svg").write_text(render_svg(table, owner))
    print(render_text(table, owner), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
