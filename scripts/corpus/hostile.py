"""Bombs and malformed documents: what is refused, how fast, and that nothing else is lost.

    python3 scripts/corpus/hostile.py [--marks 1000000] [--options="--rules-only"]
"""
import argparse
import gzip
import json
import os
import random
import subprocess
import tempfile

import made

GOOD = "“We will fight it in court,” said Ann Lee, the mayor.\n"


def bombs():
    with gzip.open("gzip.txt.gz", "wb", 9) as file:
        for _ in range(1024):
            file.write(bytes(1 << 20))
    with gzip.open("table.csv.gz", "wb", 9) as file:
        file.write(b"id,text\n1,\"")
        for _ in range(1024):
            file.write(b"a" * (1 << 20))
    yield "gzip.txt.gz"
    yield "table.csv.gz"
    zeros = subprocess.run("head -c 4G /dev/zero | zstd -q -19 --long=27 -o zstd.txt.zst || true", shell=True, check=False)
    if zeros.returncode == 0 and os.path.exists("zstd.txt.zst"):
        yield "zstd.txt.zst"
    else:
        print("no zstd bomb: the command zstd is not here")
    with open("nested.html", "w", encoding="utf-8") as file:
        file.write("<html><body>" + "<div>" * 200_000 + GOOD)
    yield "nested.html"
    with open("tables.html", "w", encoding="utf-8") as file:
        file.write("<html><body>" + "<table><tr><td>" * 65_000 + GOOD)
    yield "tables.html"
    with open("formatting.html", "w", encoding="utf-8") as file:
        # Each paragraph takes up all of these anew, as HTML wants it.
        file.write("<html><body>" + "".join(f"<a id=x{n}><b id=y{n}>" for n in range(190)) + f"</p>{GOOD}<p>" * 18_000)
    yield "formatting.html"
    with open("unclosed.csv", "w", encoding="utf-8") as file:
        file.write('id,text\n1,"' + "a" * 1_000_000)
    yield "unclosed.csv"


def malformed(marks):
    draw = random.Random(3)
    noise = bytes(draw.randrange(256) for _ in range(200_000))
    yield "utf8.txt", GOOD.encode() * 50 + b"\xff\xfe\x80 \xc3" + GOOD.encode()
    yield "noise.txt", noise
    for ending in ("html", "csv", "jsonl", "parquet", "tsv"):
        yield f"noise.{ending}", noise
        yield f"gz.{ending}.gz", b"\x1f\x8b" + noise
        yield f"zst.{ending}.zst", b"\x28\xb5\x2f\xfd" + noise
    yield "parquet.parquet", b"PAR1" + noise + b"PAR1"
    yield "utf16le.txt", b"\xff\xfe" + GOOD.encode("utf-16-le")
    yield "utf16be.txt", b"\xfe\xff" + GOOD.encode("utf-16-be")
    yield "utf16odd.txt", b"\xff\xfe" + GOOD.encode("utf-16-le")[:-1]
    yield "utf16lone.txt", b"\xff\xfe\x00\xd8" + GOOD.encode("utf-16-le")
    yield "windows.txt", "“Le café est fermé,” said Ann Lee.\n".encode("cp1252")
    yield "nul.txt", GOOD.encode().replace(b" ", b" \0") * 20
    yield "bom.txt", b"\xef\xbb\xbf" * 3 + GOOD.encode()
    yield "crlf.txt", (GOOD * 3).replace("\n", "\r\n").encode()
    yield "cr.txt", (GOOD * 3).replace("\n", "\r").encode()
    yield "empty.txt", b""
    yield "empty.csv", b""
    yield "empty.jsonl", b"\n\n"
    yield "empty.html", b"<html></html>"
    yield "deep.jsonl", b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    yield "controls.txt", "".join(map(chr, range(1, 0x250))).encode() + GOOD.encode()
    yield "combining.txt", ("“a" + "\u0301" * 100_000 + "” said Ann Lee.\n").encode()
    yield "bidi.txt", ("\u202e" + GOOD + "\u2066" * 1000).encode()
    yield "line.txt", (GOOD.strip() + " ").encode() * 20_000
    for name, mark in (("double", '"'), ("open", "“"), ("close", "”"), ("single", "'"), ("guillemets", "«»"), ("mixed", "“\"'‘„")):
        yield f"marks-{name}.txt", (mark * (marks // len(mark))).encode()
        yield f"marks-said-{name}.txt", (f"{mark} said Ann Lee. " * (marks // (8 * len(mark)))).encode()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--marks", type=int, default=100_000)
    ap.add_argument("--options", default="--rules-only")
    ap.add_argument("--folder")
    args = ap.parse_args()
    options = args.options.split()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        os.chdir(folder)
        with open("good.txt", "w", encoding="utf-8") as file:
            file.write(GOOD)
        start = min(made.run("quotes", "good.txt", "-q", "-o", "good.csv", *options).ok().seconds for _ in range(3))
        print(f"a start takes {start:.2f} s")
        for name in bombs():
            ran = made.run("quotes", name, "good.txt", "-q", "-o", f"{name}.csv", *options)
            with open(f"{name}.csv", encoding="utf-8") as file:
                rows = len(file.readlines()) - 1
            print(f"{name}, {os.path.getsize(name) / 1e6:.2f} MB: exit code {ran.code}, {ran.seconds:.2f} s, "
                  f"{ran.mebibytes:.0f} MiB, {rows} rows: {ran.said.strip().splitlines()[0][:150] if ran.said.strip() else ''}")
        os.mkdir("malformed")
        slow = []
        for name, content in malformed(args.marks):
            path = os.path.join("malformed", name)
            with open(path, "wb") as file:
                file.write(content)
            ran = made.run("quotes", path, "-q", "-o", "one.csv", "--restart", *options)
            if ran.code not in (0, 2, 3):
                print(f"{name}: EXIT CODE {ran.code}: {ran.said}")
            slow.append((ran.seconds, ran.mebibytes, name, ran.code))
        slow.sort(reverse=True)
        print("slowest:", "; ".join(f"{name} {seconds:.2f} s, {memory:.0f} MiB, exit code {code}" for seconds, memory, name, code in slow[:5]))
        ran = made.run("quotes", "malformed", "good.txt", "-q", "-o", "all.csv", *options).ok(3)
        counts = json.loads(made.read("all.csv.run.json"))["counts"]
        print(f"{len(slow)} malformed documents: 0 panics; together {counts['articles']} articles read, {counts['failed']} documents failed")


main()
