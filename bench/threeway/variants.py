"""What the three-way experiment compares: programs, arms, settings, and how
each variant is built.

A variant is one program in one arm under one setting (compiler, visible or
opaque operations, loop vectoriser on or off); the stack arm of rk4 is built for
each length.
"""
import concurrent.futures
import dataclasses
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

LENGTHS = (2, 4, 8, 16, 32, 64)
STEPS = {"vector": 10000, "rk4": 256, "physics": 20}
FLAGS = ["-D_DEFAULT_SOURCE", "-O3", "-march=x86-64-v3", "-ffp-contract=off", "-fno-math-errno",
         "-fno-pie", "-ffunction-sections", "-Wall", "-Wextra", "-Werror",
         "-I" + os.path.join(ROOT, "include")]
MIMALLOC = "libmimalloc.so.2"


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way of managing memory: its source and what it is built with."""
    name: str
    source: str                 # without the program's name and "_"
    defines: tuple = ()
    preload: str = ""
    programs: tuple = ("vector", "rk4", "physics")


ARMS = (
    Arm("bump", "bump.c"),
    Arm("checked", "bump.c", ("-DTHREEWAY_CHECKED",)),
    Arm("local", "bump.c", ("-DTHREEWAY_LOCAL",)),
    Arm("glibc", "manual.c"),
    Arm("mimalloc", "manual.c", (), MIMALLOC),
    Arm("raii-c", "raii.c"),
    Arm("raii-c++", "raii.cc"),
    Arm("stack", "stack.c"),
    Arm("bump-clones", "bump.c", ("-DTHREEWAY_CLONES",), "", ("rk4",)),
    Arm("local-clones", "bump.c", ("-DTHREEWAY_LOCAL", "-DTHREEWAY_CLONES"),
        "", ("rk4",)),
    Arm("glibc-clones", "manual.c", ("-DTHREEWAY_CLONES",), "", ("rk4",)),
)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What stands beside every figure."""
    compiler: str
    opaque: bool = False
    vectorise: bool = True

    @property
    def name(self):
        return "-".join([self.compiler, "opaque" if self.opaque else "visible"]
                        + ([] if self.vectorise else ["novec"]))

    @property
    def flags(self):
        return (["-DTHREEWAY_OPAQUE"] if self.opaque else []) + \
            ([] if self.vectorise else ["-fno-tree-loop-vectorize"])


SETTINGS = tuple(Setting(c, o) for c in ("gcc", "clang") for o in (False, True))
ALL_SETTINGS = SETTINGS + tuple(Setting("gcc", o, False) for o in (False, True))


@dataclasses.dataclass(frozen=True)
class Variant:
    """One thing that can be run: an arm of a program for vectors of n."""
    program: str
    n: int
    arm: Arm
    setting: Setting

    @property
    def name(self):
        """The name of the binary; a runtime length shares one."""
        fixed = f"-{self.n}" if self.program == "rk4" and \
            self.arm.name == "stack" else ""
        arm = "glibc" if self.arm.preload else self.arm.name
        return f"{self.setting.name}-{self.program}-{arm}{fixed}"

    @property
    def row(self):
        return f"rk4.{self.n}" if self.program == "rk4" else self.program

    @property
    def source(self):
        return os.path.join(HERE, f"{self.program}_{self.arm.source}")


def all_variants(settings, lengths, programs=("vector", "rk4", "physics")):
    """Every variant of the given settings, in the order of the tables."""
    return [Variant(program, n, arm, setting)
            for setting in settings for program in programs
            for n in (lengths if program == "rk4" else (2,))
            for arm in ARMS if program in arm.programs]


def compiler(variant):
    """The command that compiles the variant's source."""
    if variant.source.endswith(".cc"):
        name = {"gcc": "g++", "clang": "clang++"}[variant.setting.compiler]
        return [name, "-std=c++17"]
    return [variant.setting.compiler, "-std=c11"]


def compile_flags(variant):
    flags = FLAGS + list(variant.setting.flags) + list(variant.arm.defines)
    if variant.program == "rk4" and variant.arm.name == "stack":
        flags.append(f"-DVECTOR_LEN={variant.n}")
    return flags


def records_flags(variant, stem):
    """Make the compiler say what it did to the loops (see reason.py)."""
    if variant.setting.compiler == "clang":
        return [f"-foptimization-record-file={stem}.yaml",
                "-fsave-optimization-record"]
    return ["-fsave-optimization-record"]


def run(command, **options):
    """Run a command; a failure shows its output and ends the experiment."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise SystemExit(f"threeway: failed: {' '.join(command)}\n{done.stdout}")
    return done.stdout


def is_current(target, sources):
    return os.path.exists(target) and all(
        os.path.getmtime(s) <= os.path.getmtime(target) for s in sources)


def build_one(variant, folder, library, sources):
    """Compile and link one variant, unless it is newer than its sources."""
    stem = os.path.join(folder, variant.name)
    if is_current(stem, sources):
        return
    cc = compiler(variant)
    # Where the compiler is ccache: it has objects, not what came with them.
    run(cc + compile_flags(variant) + records_flags(variant, stem) +
        ["-c", variant.source, "-o", stem + ".o"],
        env={**os.environ, "CCACHE_DISABLE": "1"})
    main = os.path.join(folder, f"main-{variant.setting.compiler}.o")
    run(cc[:1] + ["-no-pie", "-Wl,--gc-sections", stem + ".o", main, library,
                  "-pthread", "-o", stem])


def build(variants, folder, library, jobs, progress=lambda *_: None):
    """Build what the variants need into folder."""
    os.makedirs(folder, exist_ok=True)
    headers = [os.path.join(HERE, f) for f in sorted(os.listdir(HERE))
               if f.endswith((".h", ".hh", ".c", ".cc"))]
    include = os.path.join(ROOT, "include", "tenure")
    sources = headers + [library, os.path.abspath(__file__)] + \
        [os.path.join(include, f) for f in os.listdir(include)]
    for cc in sorted({v.setting.compiler for v in variants}):
        run([cc, "-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-pie",
             "-c", os.path.join(HERE, "main.c"), "-o",
             os.path.join(folder, f"main-{cc}.o")])
    unique = {v.name: v for v in variants if not v.arm.preload}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = pool.map(lambda v: build_one(v, folder, library, sources),
                        unique.values())
        for index, _ in enumerate(done, 1):
            progress(index, len(unique), "building")


def user_lines(path):
    """Lines of code in a file: no comments, no blank lines."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    lines, inside = 0, False
    for line in text.splitlines():
        line = line.strip()
        if inside:
            inside = "*/" not in line
            continue
        if line.startswith("/*"):
            inside = "*/" not in line
            continue
        lines += bool(line) and not line.startswith("//")
    return lines
