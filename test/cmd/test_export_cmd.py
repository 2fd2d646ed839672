#!/usr/bin/env python3
"""tenure export: each form read back, and its sums are those of the trace."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check


def export(form, trace, folder):
    path = folder / f"x.{form}"
    report.tenure("export", "--format", form, "-o", path, trace)
    return path.read_bytes()


def fields(data):
    """(number, value) of each field of a protocol buffer message."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size


def varints(data):
    return [value for _, value in fields(b"".join(b"\x08" + part for part in split(data)))]


def split(data):
    start = 0
    for i, byte in enumerate(data):
        if byte < 128:
            yield data[start:i + 1]
            start = i + 1


def test_pprof(trace, truth, folder):
    parts = {}
    for number, value in fields(export("pprof", trace, folder)):
        parts.setdefault(number, []).append(value)
    strings = [s.decode() for s in parts[6]]
    types = [strings[dict(fields(t))[1]] for t in parts[1]]
    sums = dict.fromkeys(types, 0)
    locations = {dict(fields(p))[1] for p in parts[4]}
    for sample in map(lambda s: dict(fields(s)), parts[2]):
        check(set(varints(sample[1])) <= locations, "a location that is not there")
        for name, value in zip(types, varints(sample[2])):
            sums[name] += value
    check(strings[0] == "", "the first string")
    for name, key in [("alloc_objects", "allocs"), ("alloc_space", "bytes"),
                      ("inuse_space", "peak_bytes"), ("left_objects", "left_blocks"),
                      ("left_space", "left_bytes")]:
        check(sums[name] == truth[key], f"{name}: {sums[name]}, not {truth[key]}")


def test_json_forms(trace, truth, folder):
    dhat = json.loads(export("dhat", trace, folder))
    check(dhat["dhatFileVersion"] == 2 and dhat["ftbl"][0] == "[root]", "dhat's head")
    for short, key in [("tb", "bytes"), ("tbk", "allocs"), ("gb", "peak_bytes"),
                       ("eb", "left_bytes"), ("ebk", "left_blocks")]:
        check(sum(p[short] for p in dhat["pps"]) == truth[key], f"dhat: {short}")
    check(all(i < len(dhat["ftbl"]) for p in dhat["pps"] for i in p["fs"]), "dhat: a frame")
    scope = json.loads(export("speedscope", trace, folder))
    sums = [sum(p["weights"]) for p in scope["profiles"]]
    check(sums == [truth[k] for k in ["peak_bytes", "bytes", "allocs", "left_bytes"]], sums)
    count = len(scope["shared"]["frames"])
    for profile in scope["profiles"]:
        check(profile["endValue"] == sum(profile["weights"]), "speedscope: its end")
        check(len(profile["samples"]) == len(profile["weights"]), "speedscope: samples")
        check(all(i < count for s in profile["samples"] for i in s), "speedscope: a frame")


def perfetto_tracks(data):
    """{process: {counter: [(microseconds, value)]}}, read as the Trace Event
    Format has it: every rule that a reader of JSON traces relies on is looked at."""
    whole = json.loads(data, parse_constant=lambda word: check(False, f"perfetto: {word}"))
    check(whole.get("displayTimeUnit", "ms") in ("ms", "ns"), "perfetto: unit of time")
    names, tracks = {}, {}
    for e in whole["traceEvents"]:
        check(type(e["name"]) is str and type(e["pid"]) is int and e["pid"] >= 0, f"perfetto: {e}")
        if e["ph"] == "M":
            check(e["name"] in ("process_name", "thread_name", "process_labels"), f"perfetto: {e}")
            check(type(e["args"]["name"]) is str and e["args"]["name"] != "", f"perfetto: {e}")
            names[e["pid"]] = e["args"]["name"]
            continue
        check(e["ph"] == "C", f"perfetto: only counters and names are written: {e}")
        check(type(e["ts"]) in (int, float) and e["ts"] >= 0, f"perfetto: {e}")
        check(list(e["args"]) == ["value"] and type(e["args"]["value"]) in (int, float), f"perfetto: {e}")
        tracks.setdefault(e["pid"], {}).setdefault(e["name"], []).append((e["ts"], e["args"]["value"]))
    check(set(tracks) <= set(names), "perfetto: each process has a name")
    for counters in tracks.values():
        for name, points in counters.items():
            check(all(a[0] < b[0] for a, b in zip(points, points[1:])), f"perfetto: times of {name} rise")
    return tracks


def test_perfetto(trace, truth, folder):
    tracks = perfetto_tracks(export("perfetto", trace, folder))
    check(len(tracks) == 1, list(tracks))
    counters = next(iter(tracks.values()), {})
    live = [value for _, value in counters.get("live bytes", [])]
    check(max(live, default=0) == truth["peak_bytes"], "perfetto: live bytes")
    made = sum(value for _, value in counters.get("allocations", []))
    check(made == truth["allocs"], "perfetto: allocations")
    about = json.loads(report.tenure("report", "--json", trace)[0])["time"]
    last = max(points[-1][0] for points in counters.values())
    check(0 < last * 1000 <= about["bucket_ns"] * len(about["most"]), f"perfetto: {last} microseconds")


def test_collapsed(trace, truth, folder):
    lines = export("collapsed", trace, folder).decode().splitlines()
    check(sum(int(line.rsplit(" ", 1)[1]) for line in lines) == truth["peak_bytes"], "collapsed")
    check(all(line.count(";") == 2 for line in lines), "three frames a line")


def test_heaptrack(trace, truth, folder):
    sizes, live, peak, made, gone = [], 0, 0, 0, 0
    for line in export("heaptrack", trace, folder).decode("utf-8", "replace").splitlines():
        word, *rest = line.split()
        if word == "a":
            sizes.append(int(rest[0], 16))
        elif word == "+":
            made += 1
            live += sizes[int(rest[0], 16)]
            peak = max(peak, live)
        elif word == "-":
            gone += 1
            live -= sizes[int(rest[0], 16)]
    check((made, gone, peak) == (truth["allocs"], truth["frees"], truth["peak_bytes"]),
          f"heaptrack: {made} {gone} {peak}")


def test_wrong_use(trace):
    _, err = report.tenure("export", trace, code=1)
    check("pprof" in err, err)
    _, err = report.tenure("export", "--format", "xml", trace, code=1)
    check(err.count("\n") == 1 and "'xml' is no format" in err, err)
    kept = trace.with_suffix(".kept")
    kept.write_text("mine")
    _, err = report.tenure("export", "--format", "dhat", "-o", kept, "/no/such/file", code=1)
    check(kept.read_text() == "mine", "a trace that cannot be read costs the file that was there")
    check(err.count("\n") == 1, err)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trace, truth = report.build_sample(folder)("small.trace", 40, 100)
        test_pprof(trace, truth, folder)
        test_json_forms(trace, truth, folder)
        test_perfetto(trace, truth, folder)
        test_collapsed(trace, truth, folder)
        test_heaptrack(trace, truth, folder)
        test_wrong_use(trace)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
