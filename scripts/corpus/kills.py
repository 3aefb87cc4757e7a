"""Kills a run (kill -9) at random moments, again and again, and lets it end: the output must be the uninterrupted run's.

    python3 scripts/corpus/kills.py --articles 2000 --kills 200 [--options="--rules-only"]

A kill comes during the start, between two documents or within one, or in the end when files get their names. Work is counted
in processor seconds: all runs together, less a start for each kill, over those of the uninterrupted run.
"""
import argparse
import csv
import os
import random
import signal
import subprocess
import tempfile
import time

import made


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=2000)
    ap.add_argument("--kills", type=int, default=20)
    ap.add_argument("--options", default="--rules-only")
    ap.add_argument("--paragraphs", type=int, default=10, help="of an article")
    ap.add_argument("--folder")
    args = ap.parse_args()
    csv.field_size_limit(1 << 30)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        os.chdir(folder)
        made.write("articles.jsonl", range(args.articles), paragraphs=args.paragraphs)
        with open("one.txt", "w", encoding="utf-8") as file:
            file.write("Nothing was said.\n")
        options = args.options.split()
        whole = made.run("quotes", "articles.jsonl", "-q", "-o", "whole.csv", *options).ok()
        start = min(made.run("quotes", "one.txt", "-q", "-o", "one.csv", *options).ok().processor_seconds for _ in range(5))
        command = [made.program(), "quotes", "articles.jsonl", "-q", "-o", "out.csv", *options]
        draw, kills, starts, spent = random.Random(1), 0, 0, 0.0
        size = lambda name: os.path.getsize(name) if os.path.exists(name) else 0
        # So far on the average that the kills are spread over the whole run.
        step = whole_journal(folder) * max(0.2 / args.kills, 1.05 / args.kills - 2 / args.articles)
        code = None
        while code is None:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            starts += 1
            before = size("out.csv.journal")
            if kills < args.kills:
                kind = draw.random()
                if kind < 0.15:
                    time.sleep(draw.random() * 0.05)
                else:
                    further = before + draw.random() * 2 * step
                    while is_running(process) and size("out.csv.journal") < further:
                        time.sleep(0.0003)
                    time.sleep(draw.random() * 4 * whole.seconds / args.articles)
                os.kill(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            spent += usage.ru_utime + usage.ru_stime
            ended = os.waitstatus_to_exitcode(status)
            if ended == -signal.SIGKILL:
                kills += 1
            else:
                code = ended
        same = made.read("out.csv") == made.read("whole.csv")
        ids = lambda name: [row["article"] + "/" + row["quote"] for row in csv.DictReader(open(name, encoding="utf-8", newline=""))]
        got, wanted = ids("out.csv"), ids("whole.csv")
        print(f"{args.articles} articles, {kills} kills, exit code {code}: {'the same bytes' if same else 'OTHER BYTES'}, "
              f"{len(set(wanted) - set(got))} rows lost, {len(got) - len(set(got))} doubled of {len(wanted)}")
        work = (spent - start * kills) / whole.processor_seconds
        print(f"processor seconds: {whole.processor_seconds:.1f} uninterrupted, {start:.3f} a start, {spent:.1f} in all: "
              f"{work:.3f} passes beside a start for each kill")


def is_running(process):
    """Leaves its end to be waited for, so that wait4 can tell what it has used."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def whole_journal(folder):
    """Its length, or nearly: how quotes are found changes little in it."""
    made.run("quotes", "articles.jsonl", "-q", "-o", "shard.csv", "--shard", "1/1", "--rules-only").ok()
    return os.path.getsize(os.path.join(folder, "shard.csv.shard"))


main()
