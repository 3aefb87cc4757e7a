"""Lets every input and output call of a run fail once, and looks at what the run says and whether it goes on afterwards.

    python3 scripts/corpus/io_failures.py [--articles 12] [--calls openat,read,…]

strace (Linux) makes the n-th call of a kind fail, for each n that a run reaches. A run must end with exit code 2 or 3 and a
message, or as if nothing had happened; never by a panic; and the same command without the failure must then give the bytes of an
uninterrupted run.
"""
import argparse
import collections
import os
import re
import shutil
import tempfile

import made

# What each call may fail with.
CALLS = {
    "openat": "EMFILE", "read": "EIO", "pread64": "EIO", "write": "ENOSPC", "fdatasync": "EIO", "fsync": "EIO", "rename": "EACCES",
    "unlink": "EACCES", "ftruncate": "EIO", "lseek": "EIO", "flock": "ENOLCK", "statx": "EACCES", "getdents64": "EIO",
}


def trace(inject, command, count_only=False):
    expression = "trace=" + ",".join(CALLS) if count_only else inject
    args = ["strace", "-f", "-qq", "-o", "trace", "-e", expression]
    return made.Ran([*args, *command])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=12)
    ap.add_argument("--calls", default=",".join(CALLS))
    ap.add_argument("--options", default="--rules-only --duplicates mark")
    ap.add_argument("--ending", default="parquet")
    ap.add_argument("--verbose", action="store_true")
    args = ap.parse_args()
    if not shutil.which("strace"):
        print("skipped: strace is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("in")
        made.write("in/articles.jsonl", range(args.articles))
        for number in range(3):
            with open(f"in/{number}.txt", "w", encoding="utf-8") as file:
                file.write(made.article(1000 + number))
        with open("in/z.jsonl", "wb") as file:
            file.write(b"not JSON\n")
        out = f"out.{args.ending}"
        options = ["--threads", "1", *args.options.split()]
        command = [made.program(), "quotes", "in", "-q", "-o", out, *options]
        made.run("quotes", "in", "-q", "-o", f"whole.{args.ending}", *options).ok(3)
        whole = made.read(f"whole.{args.ending}")

        def clean():
            for name in os.listdir("."):
                if name.startswith(out):
                    os.remove(name)

        seen, bad, total = collections.Counter(), 0, 0
        said = collections.Counter()
        for call in args.calls.split(","):
            n = 0
            while True:
                n += 1
                clean()
                ran = trace(f"inject={call}:error={CALLS[call]}:when={n}", command)
                if "INJECTED" not in open("trace", encoding="utf-8", errors="replace").read():
                    break
                total += 1
                outcome = {0: "as if nothing had happened", 2: "exit code 2", 3: "exit code 3"}.get(ran.code, f"EXIT CODE {ran.code}")
                whole_then = ran.code in (0, 3) and os.path.exists(out) and made.read(out) == whole
                problem = None
                if ran.code not in (0, 2, 3):
                    # The loader's own calls fail before the program has begun.
                    problem = None if "error while loading shared libraries" in ran.said else f"exit code {ran.code}"
                    outcome = "not loaded" if problem is None else outcome
                elif ran.code == 2 and "error: " not in ran.said:
                    problem = "no message"
                elif ran.code == 3 and not whole_then and "failed: " not in ran.said:
                    problem = "no message"
                elif ran.code == 0 and not whole_then:
                    problem = "exit code 0 with other bytes"
                again = made.run(*command[1:])
                # A document that failed is done, and stands in errors.jsonl: only a new run reads it again.
                if again.code == 3 and made.read(out) != whole:
                    again = made.run(*command[1:], "--restart")
                    outcome += ", a document failed"
                if problem is None and not (again.code == 3 and made.read(out) == whole):
                    problem = f"the next run ends with {again.code}: {again.said}"
                seen[outcome] += 1
                words = re.sub(r"\d+", "N", " ".join(ran.said.split()))
                said[f"{call}: {words[:200]}"] += 1
                if problem:
                    bad += 1
                    print(f"{call} {n}: {problem}\n  {ran.said.strip()}", flush=True)
        print(f"{total} failures: {dict(seen)}; {bad} bad")
        if args.verbose:
            for words, count in sorted(said.items()):
                print(f"{count:4} {words}")


main()
