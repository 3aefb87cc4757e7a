"""Peak memory and time, as the corpus, one document or a folder grows.

    python3 scripts/corpus/memory.py --articles 5000,100000 --document 25,50,100 --files 200000 [--options="--rules-only"]
"""
import argparse
import os
import tempfile

import made


def numbers(text):
    return [int(number) for number in text.split(",") if number]


def show(what, ran):
    print(f"{what}: peak {ran.mebibytes:.0f} MiB, {ran.seconds:.1f} s, {ran.processor_seconds:.1f} processor seconds", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=numbers, default=[200, 1000])
    ap.add_argument("--document", type=numbers, default=[1, 2], help="MB of one text file")
    ap.add_argument("--files", type=numbers, default=[500])
    ap.add_argument("--options", default="--rules-only")
    ap.add_argument("--duplicates", default="keep,mark", help="each of these for the articles")
    ap.add_argument("--folder")
    args = ap.parse_args()
    options = args.options.split()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        os.chdir(folder)
        peaks = {}
        for count in args.articles:
            made.write("articles.jsonl", range(count))
            for duplicates in args.duplicates.split(","):
                ran = made.run("quotes", "articles.jsonl", "-q", "-o", "out.csv", "--duplicates", duplicates, *options).ok()
                show(f"{count} articles, --duplicates {duplicates}", ran)
                peaks.setdefault(duplicates, []).append(ran.mebibytes)
        for duplicates, peak in peaks.items():
            print(f"--duplicates {duplicates}: the last peak is {peak[-1] / peak[0]:.3f} times the first")
        for megabytes in args.document:
            with open("document.txt", "w", encoding="utf-8") as file:
                number = 0
                while file.tell() < megabytes * 1_000_000:
                    file.write(made.article(number) + "\n\n")
                    number += 1
            show(f"one document of {megabytes} MB", made.run("quotes", "document.txt", "-q", "-o", "document.csv", *options).ok())
            os.remove("document.txt")
        for count in args.files:
            os.mkdir("files")
            for number in range(count):
                with open(f"files/{number:07}.txt", "w", encoding="utf-8") as file:
                    file.write(made.article(number, paragraphs=2))
            show(f"a folder of {count} files", made.run("quotes", "files", "-q", "-o", "files.csv", *options).ok())


main()
