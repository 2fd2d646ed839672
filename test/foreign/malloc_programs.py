"""Programs that others wrote, with and without libtenure-malloc.so.

Each row is a command whose output must be the same both times, run in a folder
of its own.  test_malloc_programs.py runs the quick rows, slow_malloc_programs.py
the short ones (`make check`), bench/heap/programs.py the long ones.  A program
that is not there is a row that fails.
"""
import concurrent.futures
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
LIBRARY = str(BUILD / "libtenure-malloc.so")

PYTHON = ("import json, re, collections as c\n"
          "d = {str(i): [i, {'k': i / 3}] for i in range(%d)}\n"
          "t = json.dumps(d); e = json.loads(t)\n"
          "print(e == d, len(t), len(re.findall('[0-9]+', t)),\n"
          "      sorted(c.Counter(t).items())[:9])\n")
PERL = ("my %%h; for my $i (1..%d) { $h{$i %% 997} .= chr(65 + $i %% 26) x 9 }"
        "my $s = join '', map { $h{$_} } sort keys %%h;"
        "$s =~ s/([A-F]+)/lc $1/ge; print length $s, ' ', unpack '%%32C*', $s")
LUA = ("local t = {} for i = 1, %d do t[i %% 5000 + 1] = {i, tostring(i) .. "
       "'x', {i}} end local n = 0 for _, v in ipairs(t) do n = n + #v[2] + "
       "v[3][1] end print(n)")
SQL = ("create table t(a integer primary key, b text, c real);"
       "with recursive n(i) as (select 1 union all select i + 1 from n where "
       "i < %d) insert into t select i, printf('%%0100d', i * 7919 %% 10007),"
       " i / 3.0 from n; create index x on t(b);"
       "select count(*), count(distinct b), sum(a), max(b) from t;"
       "select b, count(*) from t group by b order by 2 desc, 1 limit 3;"
       "pragma integrity_check;")
CXX = ("#include <map>\n#include <string>\n#include <vector>\n"
       "#include <regex>\n#include <iostream>\n"
       "int main() { std::map<std::string, std::vector<int>> m;\n"
       "  for (int i = 0; i < 100; i++) m[std::to_string(i)].push_back(i);\n"
       "  std::cout << std::regex_replace(std::string(\"a1\"),\n"
       "    std::regex(\"[0-9]\"), \"x\") << m.size(); }\n")


# Tests of ours that are programs like any other; trace/test_advice is not: its
# model is of glibc's malloc.
OWN = ("heap arena array pool ring stack buddy planned scope mem tape").split()
MODULES = ["test_json", "test_re", "test_dict", "test_list", "test_gc",
           "test_threading", "test_subprocess"]


def run(command, preload, folder, **more):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("TENURE_", "MAKE"))}
    env.update(PYTHONMALLOC="malloc", PYTHONHASHSEED="1", HOME=folder)
    if preload:
        env["LD_PRELOAD"] = LIBRARY
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True,
                          timeout=280, check=False, **more)
    return done.returncode, done.stdout, done.stderr


def compilers(source, flags):
    """Object files, byte for byte; paths are the same both times."""
    command = f"{source} && %s -std=c++17 {flags} -c a.cc -o a.o && md5sum a.o"
    return [["sh", "-c", command % f"/usr/bin/{cxx}"]
            for cxx in ("g++", "clang++")]


def write(text):
    """A shell command that makes a.cc."""
    return f"cat > a.cc <<'END'\n{text}END\ntrue"


def ourselves(flags):
    """The largest file that is at hand: all of libtenure-malloc."""
    files = BUILD / "gen/malloc"
    return [["sh", "-c",
             f"{cc} -std=c11 {flags} -I{ROOT}/include -I{ROOT}/src -I{files} "
             f"-DTN_DEBUG=0 -DTN_HARDEN=0 -c {ROOT}/src/tenure.c -o a.o && "
             "md5sum a.o"] for cc in ("/usr/bin/gcc", "/usr/bin/clang")]


def git():
    git_ = "git -c safe.directory='*' -c gc.auto=0"
    return ["sh", "-c", f"{git_} clone -q --no-hardlinks {ROOT} clone && "
            f"{git_} -C clone fsck --full --strict 2>&1 && "
            "git -C clone gc -q && git -C clone fsck --full 2>&1"]


def own_tests(folders):
    """Programs of our own tests, for what they find; built where they are not."""
    sources = [p for f in folders for p in sorted(ROOT.glob(f"test/{f}/test_*.c"))
               if p.stem != "test_advice"]
    programs = [BUILD / p.relative_to(ROOT).with_suffix("") for p in sources]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    build = os.path.relpath(BUILD, ROOT)  # as the Makefile names its targets
    subprocess.run(["make", "-s", f"BUILD={build}",
                    *(os.path.relpath(p, ROOT) for p in programs)], cwd=ROOT,
                   env=env, check=True)
    # Some look for their source from here; some tell the process's number.
    return [["sh", "-c", f"cd {ROOT}; text=$({p} 2>&1 >/dev/null); state=$?; "
             "echo \"$text\" | sed 's/[0-9][0-9]*/N/g'; exit $state"]
            for p in programs]


def quick_rows():
    return [["/usr/bin/python3", "-c", PYTHON % 3000],
            ["/usr/bin/perl", "-e", PERL % 30000],
            ["/usr/bin/lua5.4", "-e", LUA % 60000],
            ["/usr/bin/sqlite3", ":memory:", SQL % 8000],
            *compilers(write("#include <string>\nstd::string f(int i)"
                             "{ return std::to_string(i); }\n"), "-O1")]


def short_rows():
    return [["/usr/bin/python3", "-c", PYTHON % 20000],
            ["/usr/bin/perl", "-e", PERL % 200000],
            ["/usr/bin/lua5.4", "-e", LUA % 500000],
            ["/usr/bin/sqlite3", "db", SQL % 40000],
            git(), *compilers(write(CXX), "-O0"), *ourselves("-O1"),
            *own_tests(OWN)]


def long_rows():
    folders = sorted({p.parent.name for p in ROOT.glob("test/*/test_*.c")} -
                     {"base", "oom", "cmd", "gc", "conform"})
    return [["/usr/bin/python3", "-c", PYTHON % 60000],
            ["/usr/bin/perl", "-e", PERL % 900000],
            ["/usr/bin/lua5.4", "-e", LUA % 3000000],
            ["sh", "-c", f"/usr/bin/sqlite3 db \"{SQL % 500000}\" && "
             "stat -c %s db && test $(stat -c %s db) -ge 100000000"],
            git(),
            *compilers(write(CXX), "-O2"), *ourselves("-O2"),
            *own_tests(folders)]


def python_tests():
    """Python's tests of itself on ours, for what goes wrong: they tell times as
    well, and mostly wait."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(["/usr/bin/python3", "-m", "test", "-j2", *MODULES], True, folder)
    if done[0] == 0 and b"Tests result: SUCCESS" in done[1]:
        return []
    print(done[1][-3000:].decode(), done[2][-1000:].decode())
    return ["python's tests"]


def redis_start(folder, preload, long):
    """redis-server, on a socket or on loopback; and how to ask it."""
    where = ["-s", str(pathlib.Path(folder, "redis.sock"))]
    listen = ["--port", "0", "--unixsocket", where[1]]
    if long:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            where = ["-p", str(free.getsockname()[1])]
        listen = ["--port", where[1], "--bind", "127.0.0.1"]
    env = dict(os.environ, **({"LD_PRELOAD": LIBRARY} if preload else {}))
    server = subprocess.Popen(["redis-server", *listen, "--save", "", "--dir",
                               folder], env=env, stdout=subprocess.DEVNULL)
    for _ in range(200):
        ping = subprocess.run(["redis-cli", *where, "ping"],
                              capture_output=True, check=False)
        if b"PONG" in ping.stdout:
            break
        time.sleep(0.05)
    return server, where


def redis(folder, preload, long):
    """redis-server under redis-benchmark; what it then holds."""
    server, where = redis_start(folder, preload, long)

    def ask(*what):
        return subprocess.run(["redis-cli", *where, *what], check=True,
                              capture_output=True, text=True,
                              timeout=120).stdout
    try:
        subprocess.run(["redis-benchmark", *where, "-q", "-n",
                        "50000" if long else "20000", "-t",
                        "set,get,lpush,lrange_100,hset,zadd"],
                       check=True, stdout=subprocess.DEVNULL, timeout=120)
        ask("eval", "for i=1,50000 do redis.call('set', i, "
            "string.rep('x', i % 300)) end", "0")
        holds = ask("dbsize"), ask("get", "299"), ask("get", "50000")
        ask("flushall")
        subprocess.run(["redis-cli", *where, "shutdown", "nosave"], check=False,
                       timeout=60)
        return server.wait(timeout=60), holds
    finally:
        server.kill()
        server.wait()


def compare_one(row):
    """One row both ways, at once; what differs, or None."""
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        for way in ("plain", "ours"):
            os.mkdir(f"{folder}/{way}")
        plain, ours = pool.map(
            lambda way: run(row, way == "ours", f"{folder}/{way}"),
            ("plain", "ours"))
    if plain == ours and plain[0] == 0:
        return None
    return (f"{row[:3]}: {plain[0]} {plain[1][-300:]} {plain[2][-300:]}\n"
            f"  with ours: {ours[0]} {ours[1][-300:]} {ours[2][-900:]}")


def compare(rows):
    """Run every row both ways; the names of those that differ."""
    wrong = []
    for row in rows:
        said = compare_one(row)
        if said:
            wrong.append(row[0])
            print(said, file=sys.stderr)
    return wrong


def everything(long):
    """All programs, in their short or long form; the names of what differs."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        python = pool.submit(python_tests)
        wrong = compare(long_rows() if long else short_rows())
        wrong += python.result()
    with tempfile.TemporaryDirectory() as folder:
        plain = redis(folder, False, long)
        ours = redis(folder, True, long)
        if plain != ours or plain[0] != 0:
            wrong.append("redis")
            print(f"redis: {plain} {ours}")
    return wrong
