"""The picture of the three-way experiment: plain SVG text, and a page with it.

A panel for each row and setting; in it a line for each arm, from the bump
arm's time to its own, on a logarithmic axis: left is faster, right is slower.
"""
import html
import math
import os

COLOURS = {"bump": "#0b6e4f", "checked": "#5fa777", "local": "#08415c",
           "glibc": "#c1292e", "mimalloc": "#e08e45", "raii-c": "#8d5a97",
           "raii-c++": "#5b3a8c", "stack": "#444444",
           "bump-clones": "#0b6e4f", "local-clones": "#08415c",
           "glibc-clones": "#c1292e"}
LEFT, TOP, GAP = 104, 92, 24           # margins; space between panels
WIDTH, LINE = 170, 15                  # of an axis; height of an arm's line
FIGURE = 62                            # room for the time, right of the axis
LOW, HIGH = 1 / 8, 32                  # ends of the axis, times the bump arm
TICKS = ((1 / 8, "1/8"), (1 / 2, "1/2"), (1, "1"), (2, "2"), (8, "8"), (32, "32"))


def x_of(ratio):
    """Where a ratio stands in a panel, from its left edge."""
    inside = min(max(ratio, LOW), HIGH)
    return WIDTH * math.log(inside / LOW) / math.log(HIGH / LOW)


def text(x, y, words, size=11, anchor="start", colour="#222", bold=False):
    weight = ' font-weight="bold"' if bold else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}"{weight}>{html.escape(words)}</text>')


def line(x1, y1, x2, y2, colour, width):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def duration(ns):
    """Three digits with a unit."""
    unit, value = ("us", ns / 1000) if ns >= 1000 else ("ns", ns)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def panel(row, times, x, y):
    """One row in one setting, its upper left corner at x, y."""
    bump = next(v for v in row if v.arm.name == "bump")
    height = LINE * len(row)
    parts = [f'<rect x="{x - 8}" y="{y}" width="{WIDTH + FIGURE + 8}" '
             f'height="{height}" fill="#f7f7f5"/>']
    for tick, _ in TICKS:
        at = x + x_of(tick)
        parts.append(line(at, y, at, y + height,
                          "#888" if tick == 1 else "#ddd", 1))
    for index, v in enumerate(row):
        middle = y + LINE * index + LINE / 2
        ratio = times[v].ns_min / times[bump].ns_min
        start, end = x + x_of(1), x + x_of(ratio)
        colour = COLOURS[v.arm.name]
        fill = "#fff" if v.arm.name.endswith("clones") else colour
        parts.append(line(start, middle, end, middle, colour, 3))
        parts.append(f'<circle cx="{end:.1f}" cy="{middle:.1f}" r="4.5" '
                     f'fill="{fill}" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(x + WIDTH + FIGURE - 4, middle + 4,
                          duration(times[v].ns_min), 10, "end"))
    return parts


def column(index):
    """The left edge of a setting's axes."""
    return LEFT + index * (WIDTH + FIGURE + GAP)


def axis(x, y):
    return [text(x + x_of(tick), y, name, 10, "middle", "#666")
            for tick, name in TICKS]


def draw(rows, times):
    """The whole picture as SVG text."""
    settings = list(dict.fromkeys(row[0].setting for row in rows))
    names = list(dict.fromkeys(row[0].row for row in rows))
    by_place = {(row[0].setting, row[0].row): row for row in rows}
    parts, y = [], TOP
    for index, setting in enumerate(settings):
        x = column(index)
        parts.append(text(x, TOP - 28, setting.name.replace("-", ", ", 1), 12,
                          bold=True))
        parts += axis(x, TOP - 10)
    for name in names:
        arms = by_place[settings[0], name]
        parts.append(text(8, y - 4, name.replace("rk4.", "rk4, n = "), 12,
                          bold=True))
        for index, v in enumerate(arms):
            parts.append(text(LEFT - 16, y + LINE * index + 11, v.arm.name, 10,
                              "end"))
        for index, setting in enumerate(settings):
            parts += panel(by_place[setting, name], times,
                           column(index), y)
        y += LINE * len(arms) + GAP
    width = column(len(settings))
    title = [text(8, 22, "One program, one algorithm, equal results: what does "
                  "getting and giving back memory cost?", 15, bold=True),
             text(8, 42, "Least time of a step, as a multiple of the branchless "
                  "bump allocator's (first line). Left of 1 is "
                  "faster. Hollow: with a copy of the loop for each short "
                  "length.", 11, colour="#555")]
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" '
         f'width="{width}" height="{y}" font-family="sans-serif">',
         f'<rect width="{width}" height="{y}" fill="#fff"/>'] +
        title + parts + ["</svg>\n"])


def write(rows, times, folder):
    """Write threeway.svg, and threeway.html, which holds it."""
    svg = draw(rows, times)
    with open(os.path.join(folder, "threeway.svg"), "w", encoding="utf-8") as file:
        file.write(svg)
    with open(os.path.join(folder, "threeway.html"), "w", encoding="utf-8") as file:
        file.write('<!doctype html><html lang="en"><meta charset="utf-8">'
                   "<title>Tenure: the three-way experiment</title>"
                   f'<body style="margin:1em">{svg}</body></html>\n')
