"""The bars of the experiment: what was promised, and what was found.

Each bar compares two arms in every row and setting that it names, for each
compiler: the geometric mean of the ratios, and the worst one.
"""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Bar:
    """over's time divided by under's: at least (or at most) so much."""
    name: str
    program: str
    over: str
    under: str
    mean: float
    worst: float                # for every single row
    at_least: bool = True
    opaque: tuple = (False, True)
    lengths: tuple = ()         # of rk4; () for all


BARS = (
    Bar("rk4: glibc over bump", "rk4", "glibc", "bump", 3.0, 2.3),
    Bar("rk4: mimalloc over bump", "rk4", "mimalloc", "bump", 2.2, 1.7),
    Bar("physics, opaque: glibc over bump", "physics", "glibc", "bump", 6.5,
        5.0, True, (True,)),
    Bar("physics, visible: local over stack", "physics", "local", "stack",
        1.05, 1.05, False, (False,)),
    Bar("rk4: checked over bump", "rk4", "checked", "bump", 1.05, 1.05, False),
    Bar("physics, visible: checked over bump", "physics", "checked", "bump",
        1.25, 1.25, False, (False,)),
    Bar("physics, opaque: checked over bump", "physics", "checked", "bump",
        1.6, 1.6, False, (True,)),
    Bar("stretch, rk4, visible, n <= 8: bump with clones over stack", "rk4",
        "bump-clones", "stack", 2.0, 2.0, False, (False,), (2, 4, 8)),
    Bar("stretch, rk4, visible, n <= 8: local with clones over stack", "rk4",
        "local-clones", "stack", 2.0, 2.0, False, (False,), (2, 4, 8)),
)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def ratios(bar, compiler, times):
    """[(ratio, variant over, variant under)] of the rows that the bar names."""
    by_key = {(v.setting, v.row, v.arm.name): v for v in times
              if v.program == bar.program and v.setting.compiler == compiler
              and v.setting.vectorise and v.setting.opaque in bar.opaque
              and (not bar.lengths or v.n in bar.lengths)}
    found = []
    for (setting, row, arm), over in by_key.items():
        under = by_key.get((setting, row, bar.under))
        if arm == bar.over and under:
            found.append((times[over].ns_min / times[under].ns_min, over, under))
    return found


def is_met(bar, mean, worst):
    if bar.at_least:
        return mean >= bar.mean and worst >= bar.worst
    return mean <= bar.mean and worst <= bar.worst


def reason_line(over, under, times, counts):
    """Where the worst row's ratio comes from, in figures."""
    text = (f"{over.setting.name} {over.row}: {over.arm.name} "
            f"{times[over].ns_min:.1f} ns, {under.arm.name} "
            f"{times[under].ns_min:.1f} ns a step")
    if over in counts and under in counts:
        many, few = (counts[v]["instructions"] for v in (over, under))
        text += (f"; instructions {many:.0f} and {few:.0f} "
                 f"({many / few:.2f} times)")
    return text


def judge(times, counts):
    """Every bar for every compiler: [(bar, compiler, mean, worst, met, why)].

    why     the reason line of a bar that is missed, else ""
    """
    verdicts = []
    for bar in BARS:
        for compiler in ("gcc", "clang"):
            found = ratios(bar, compiler, times)
            if not found:
                continue
            pick = min if bar.at_least else max
            worst, over, under = pick(found, key=lambda one: one[0])
            mean = geometric_mean([one[0] for one in found])
            met = is_met(bar, mean, worst)
            why = "" if met else reason_line(over, under, times, counts)
            verdicts.append((bar, compiler, mean, worst, met, why))
    return verdicts
