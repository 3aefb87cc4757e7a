"""Corpora made of this project's own articles: for each number and seed an article of its own, the same on every machine.

    python3 scripts/corpus/made.py 1000 > articles.jsonl

An article's paragraphs come from several of the own-written ones, and one word in seven is another one of theirs, so that no two
articles are near copies; the speech in them is found like any other's.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
WORD = re.compile(r"[A-Za-z]{3,}")


def paragraphs():
    found = []
    for name in ("own_articles_1.jsonl", "own_articles_2.jsonl"):
        with open(os.path.join(ROOT, "training", "data", name), encoding="utf-8") as file:
            for line in file:
                found += [p for p in json.loads(line)["text"].split("\n\n") if p.strip()]
    return found


PARAGRAPHS = paragraphs()
VOCABULARY = sorted({word for p in PARAGRAPHS for word in WORD.findall(p) if word.islower()})


def changed(text, share, draw):
    """The text with this share of its words (of three letters or more, in lower case) replaced."""
    def other(match):
        word = match.group()
        return draw.choice(VOCABULARY) if word.islower() and draw.random() < share else word
    return WORD.sub(other, text)


def article(number, seed=1, paragraphs=10):
    draw = random.Random(f"{seed}:{number}")
    head = " ".join(draw.choice(VOCABULARY) for _ in range(7)).capitalize()
    body = [changed(draw.choice(PARAGRAPHS), 0.15, draw) for _ in range(paragraphs)]
    return "\n\n".join([head, *body])


def write(path, numbers, seed=1, paragraphs=10):
    with open(path, "w", encoding="utf-8") as file:
        for number in numbers:
            print(json.dumps({"id": f"a{number}", "text": article(number, seed, paragraphs)}, ensure_ascii=False), file=file)


def program():
    """The program to check: QUOTESTANCE, or what `cargo build --release` has made."""
    path = os.environ.get("QUOTESTANCE") or os.path.join(ROOT, "target", "release", "quotestance")
    if not os.path.exists(path):
        sys.exit(f"{path} is not there: cargo build --release, or name the program with QUOTESTANCE")
    return os.path.abspath(path)


class Ran:
    """A command that has ended: its exit code, words, seconds, processor seconds and peak memory in MiB."""

    def __init__(self, args, **options):
        started = time.monotonic()
        process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.said = process.stdout.read().decode("utf-8", "replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        self.code = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - started
        self.processor_seconds = usage.ru_utime + usage.ru_stime
        self.mebibytes = usage.ru_maxrss / 1024
        if "panicked" in self.said:
            sys.exit(f"a panic: {args}\n{self.said}")

    def ok(self, *codes):
        if self.code not in (codes or (0,)):
            sys.exit(f"exit code {self.code}\n{self.said}")
        return self


def run(*args, **options):
    return Ran([program(), *map(str, args)], **options)


def read(path):
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("articles", type=int)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    for n in range(args.articles):
        print(json.dumps({"id": f"a{n}", "text": article(n, args.seed)}, ensure_ascii=False))
