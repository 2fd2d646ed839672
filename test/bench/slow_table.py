#!/usr/bin/env python3
"""bench/table: every cell of the property table is there and makes sense, and
the picture shows the same cells."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/table"))
import run  # noqa: E402

HAVE = {"local", "frame", "bump", "arena", "ring", "pool", "handles", "shared", "buddy", "heap", "malloc"}
WORDS = {"when full": {"NULL", "stops", "grows"}, "sizes": {"any", "one"},
         "grows in place": {"any", "last", "none"}}


def cell_is_right(row, name, value):
    """Whether the text of a cell is one that can be."""
    if row in WORDS:
        return value in WORDS[row]
    if row == "safe":
        return re.fullmatch(r"[0-5] [0-5] [0-5]", value)
    if row == "threads":
        return re.fullmatch(r"one|any, \d+\.\d", value)
    number = float(value)
    if row in ("complete", "prompt"):
        return 0 <= number <= 100
    if row.startswith("metadata") or row == "compactness":
        return -2 < number < 2000
    return 0 < number < 1e7


def complaints(lines, text, picture):
    cells = {}
    for line in lines:
        found = re.fullmatch(r"table\.(\w+),(\w+),value,(.+)", line)
        if not found:
            yield f"not a line of a benchmark: {line!r}"
        elif found[1] != "owner":
            cells[found[1].replace("_", " "), found[2]] = found[3]
    rows = [row for row, _, _ in run.ROWS]
    names = {name for _, name in cells}
    if not HAVE <= names:
        yield f"disciplines missing: {HAVE - names}"
    for row in rows:
        for name in names:
            value = cells.get((row, name), "")
            if not value or not cell_is_right(row, name, value):
                yield f"{row}, {name}: {value!r}"
    # What must come out whatever the machine.
    if float(cells["complete", "malloc"]) > 50 or float(cells["complete", "bump"]) < 90:
        yield "forgotten blocks: malloc loses them, a bump allocator does not"
    if float(cells["prompt", "pool"]) != 0 or float(cells["prompt", "bump"]) < 20:
        yield "a pool frees at once, a bump allocator holds what is dead"
    if float(cells["metadata 64", "malloc"]) < 8 or float(cells["metadata 64", "bump"]) > 1:
        yield "malloc has headers, a bump allocator has none"
    if int(cells["safe", "handles"].split()[0]) < 5 or int(cells["safe", "malloc"][0]) > 3:
        yield "handles stop every crime in debug builds"
    shown = [t.text for t in xml.etree.ElementTree.fromstring(picture).iter() if t.tag.endswith("text")]
    for value in cells.values():
        if value not in shown:
            yield f"the picture does not show {value!r}"
            break
        shown.remove(value)
    for row in rows:
        if row not in shown or not re.search(rf"^{re.escape(row)} ", text, re.MULTILINE):
            yield f"no row {row} in the picture or the text"
    if "The map takes fewer bytes from" not in text:
        yield "the crossover of tags and map is not printed"


def main():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([ROOT / "bench/table/run.py", "--out", folder], check=True,
                              capture_output=True, text=True)
        text = pathlib.Path(folder, "table.txt").read_text()
        picture = pathlib.Path(folder, "table.svg").read_text()
    wrong = list(complaints(done.stdout.splitlines(), text, picture))
    print(*wrong, f"table: {len(wrong)} complaints", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
