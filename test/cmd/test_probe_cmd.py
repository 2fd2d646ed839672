#!/usr/bin/env python3
"""tenure probe: text, JSON, a picture.  No time is asserted: machines are busy."""
import json
import os
import pathlib
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, "test/cmd")
import test_report_cmd as report  # noqa: E402

check = report.check


def main():
    with tempfile.TemporaryDirectory() as name:
        svg = pathlib.Path(name) / "ladder.svg"
        out, _ = report.tenure("probe", "--json", "--time", "100ms", "--most", "2M", "--svg", svg)
        ladder = json.loads(out)
        for key in ["lines", "pages"]:
            sizes = [step["bytes"] for step in ladder[key]]
            costs = [step["ns"] for step in ladder[key]]
            check(sizes == sorted(set(sizes)) and sizes[-1] == 2 << 20, sizes)
            check(costs == sorted(costs) and costs[0] > 0, costs)
        check(set(ladder["knees"]) <= {step["bytes"] for step in ladder["lines"]}, "knees")
        check(ladder["fault_ns"] > 0, ladder["fault_ns"])
        picture = xml.etree.ElementTree.parse(svg).getroot()
        lines = [e.get("points").split() for e in picture if e.tag.endswith("polyline")]
        check([len(p) for p in lines] == [len(ladder["pages"]), len(ladder["lines"])], "lines")
        os.environ["XDG_CACHE_HOME"] = f"{name}/cache"
        report.tenure("probe", "--save", "--time", "50ms", "--most", "1M")
        saved = json.loads((pathlib.Path(name) / "cache/tenure-probe.json").read_text())
        check(saved["fault_ns"] > 0 and saved["lines"], saved)
    out, _ = report.tenure("probe", "--time", "50ms", "--most", "1M")
    check("2 MiB" in out and out.count("ns") > 10, out)
    _, err = report.tenure("probe", "--most", "1K", code=1)
    check(err.count("\n") == 1, err)
    return report.failures > 0


if __name__ == "__main__":
    sys.exit(main())
