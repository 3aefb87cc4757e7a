"""One bad article among many: the rows of the others must be the same bytes as without it.

    python3 scripts/corpus/one_bad.py --articles 10000
"""
import argparse
import os
import tempfile

import made

BAD = {
    "not UTF-8": b'{"id": "bad", "text": "caf\xe9 \xff\xfe\x00 \x81"}\n',
    "not JSON": b'{"id": "bad", "text": "torn\n',
    "no text": b'{"id": "bad"}\n',
    "empty": b'{"id": "bad", "text": " "}\n',
    "a number": b"7\n",
    "zeros": bytes(1000) + b"\n",
}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=300)
    ap.add_argument("--options", default="--rules-only")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        middle = args.articles // 2
        made.write("articles.jsonl", range(args.articles))
        with open("articles.jsonl", "rb") as file:
            lines = file.readlines()
        with open("others.jsonl", "wb") as file:
            file.writelines(lines[:middle] + lines[middle + 1:])
        made.run("quotes", "others.jsonl", "-q", "-o", "others.csv", *args.options.split()).ok()
        for name, bad in BAD.items():
            with open("articles.jsonl", "wb") as file:
                file.writelines(lines[:middle] + [bad] + lines[middle + 1:])
            ran = made.run("quotes", "articles.jsonl", "-q", "-o", "articles.csv", *args.options.split()).ok(3)
            same = made.read("articles.csv") == made.read("others.csv")
            print(f"{name}: the other {args.articles - 1}: {'the same bytes' if same else 'OTHER BYTES'}; {ran.said.strip().splitlines()[0]}")


main()
