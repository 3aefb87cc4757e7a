"""Shards 1/1, 3/3 and 16/16, at 1, 2 and 8 threads, merged: the bytes of the whole, in every format.

    python3 scripts/corpus/shards.py --articles 2000
"""
import argparse
import os
import tempfile

import made


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=200)
    ap.add_argument("--options", default="--rules-only")
    ap.add_argument("--endings", default="csv,jsonl,articles.jsonl,parquet")
    ap.add_argument("--duplicates", default="keep,mark,skip")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        made.write("articles.jsonl", range(args.articles))
        made.write("more.jsonl", range(args.articles // 2, args.articles))
        for ending in args.endings.split(","):
            for duplicates in args.duplicates.split(","):
                options = ["articles.jsonl", "more.jsonl", "-q", "--duplicates", duplicates, *args.options.split()]
                results = set()
                for threads in (1, 2, 8):
                    made.run("quotes", "-o", f"whole.{ending}", "--threads", threads, *options).ok()
                    results.add(made.read(f"whole.{ending}"))
                    for of in (1, 3, 16):
                        parts = [f"part{number}.{ending}" for number in range(1, of + 1)]
                        for number, part in enumerate(parts, 1):
                            made.run("quotes", "-o", part, "--shard", f"{number}/{of}", "--threads", threads, *options).ok()
                        made.run("merge", *parts, "-q", "-o", f"merged.{ending}").ok()
                        results.add(made.read(f"merged.{ending}"))
                print(f"{ending}, --duplicates {duplicates}: {len(results)} different results of 12, {len(next(iter(results)))} bytes", flush=True)


main()
