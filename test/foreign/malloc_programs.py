"""Programs that others wrote, with and without libtenure-malloc.so.

Each row is a command whose output must be the same both times.  The long rows
are for `make check`; test_malloc_programs.py runs the short ones.
"""
import os
import pathlib
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


def run(command, preload, folder, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENURE_")}
    env.update(PYTHONMALLOC="malloc", PYTHONHASHSEED="1", HOME=folder)
    if preload:
        env["LD_PRELOAD"] = LIBRARY
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True,
                          timeout=280, check=False, **more)
    return done.returncode, done.stdout, done.stderr


def compilers(folder, source):
    """Object files, byte for byte; .file and paths are the same both times."""
    pathlib.Path(folder, "a.cc").write_text(source)
    return [["sh", "-c", f"{cxx} -std=c++17 -O1 -c a.cc -o a.o && md5sum a.o"]
            for cxx in ("/usr/bin/g++", "/usr/bin/clang++")]


def short_rows(folder):
    return [["/usr/bin/python3", "-c", PYTHON % 3000],
            ["/usr/bin/perl", "-e", PERL % 30000],
            ["/usr/bin/lua5.4", "-e", LUA % 60000],
            ["/usr/bin/sqlite3", ":memory:", SQL % 8000],
            *compilers(folder, "#include <string>\nstd::string f(int i)"
                               "{ return std::to_string(i); }\n")]


def long_rows(folder):
    modules = ["test_json", "test_re", "test_dict", "test_list", "test_gc",
               "test_threading", "test_subprocess"]
    clone = str(pathlib.Path(folder, "clone"))
    source = str(ROOT)
    return [["/usr/bin/python3", "-c", PYTHON % 60000],
            ["/usr/bin/perl", "-e", PERL % 900000],
            ["/usr/bin/lua5.4", "-e", LUA % 3000000],
            ["sh", "-c", f"rm -f db; /usr/bin/sqlite3 db \"{SQL % 400000}\";"
                         "stat -c %s db"],
            ["sh", "-c", f"rm -rf {clone} && git -c safe.directory='*' clone "
                         f"-q --no-hardlinks {source} {clone} && git -C "
                         f"{clone} fsck --full --strict 2>&1 && git -C {clone}"
                         " gc -q && git -C {0} fsck 2>&1".format(clone)],
            *compilers(folder, CXX)], [
                "/usr/bin/python3", "-m", "test", "-j2", *modules]


def redis(folder, preload):
    """redis-server under redis-benchmark, on a socket; what it then holds."""
    socket = str(pathlib.Path(folder, "redis.sock"))
    env = dict(os.environ, **({"LD_PRELOAD": LIBRARY} if preload else {}))
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "",
         "--dir", folder], env=env, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.exists(socket):
                break
            time.sleep(0.05)
        ask = ["redis-cli", "-s", socket]
        subprocess.run(["redis-benchmark", "-s", socket, "-n", "20000", "-q",
                        "-t", "set,get,lpush,lrange_100,hset,zadd"],
                       check=True, stdout=subprocess.DEVNULL, timeout=120)
        subprocess.run(ask + ["eval", "for i=1,50000 do redis.call('set', i, "
                              "string.rep('x', i % 300)) end", "0"],
                       check=True, stdout=subprocess.DEVNULL, timeout=120)
        keys = subprocess.run(ask + ["dbsize"], capture_output=True, text=True,
                              check=True, timeout=60).stdout
        digest = subprocess.run(ask + ["get", "299"], capture_output=True,
                                text=True, check=True, timeout=60).stdout
        subprocess.run(ask + ["flushall"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        subprocess.run(ask + ["shutdown", "nosave"], check=False, timeout=60)
        return server.wait(timeout=60), keys, digest
    finally:
        server.kill()
        server.wait()


def compare(rows):
    """Run every row both ways; the names of those that differ."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(folder):
            plain = run(row, False, folder)
            ours = run(row, True, folder)
            if plain != ours or plain[0] != 0:
                wrong.append(row[0])
                print(f"{row[:3]}: {plain[0]} {plain[1][-300:]} "
                      f"{plain[2][-300:]}\n  with ours: {ours[0]} "
                      f"{ours[1][-300:]} {ours[2][-900:]}", file=sys.stderr)
    return wrong
