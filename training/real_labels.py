"""Quotes of real news and texts of public corpora with targets and labels of our own, as rows for `--own`.

    python real_labels.py --table NewsArticles.csv --articles ../../shared/quotes/polnear.train.jsonl --train ../../shared/stance/train.jsonl \
        --passages runs/passages.jsonl --out runs/real.jsonl

`data/real_labels*.jsonl` hold places and labels, none of the texts: these are not ours to pass on (data/README.md; news_articles.py says where the table is from).
"""
import argparse
import glob
import json
import os

from news_articles import articles
from own_articles import LETTERS, TONES, digest, flat
from stance_data import load_rows


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--labels", nargs="+", default=sorted(glob.glob(os.path.join(os.path.dirname(__file__), "data", "real_labels*.jsonl"))))
    ap.add_argument("--table", required=True, help="the table of news articles")
    ap.add_argument("--articles", required=True, help="PolNeAR's training articles")
    ap.add_argument("--train", required=True, help="public rows of stance")
    ap.add_argument("--passages", nargs="*", default=[], help="speeches and editorials (passages.py)")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    texts = {f"news {a['id']}": a["text"] for a in articles(args.table, 0, 10**6)}
    texts |= {f"polnear {a['id']}": a["text"] for a in load_rows([args.articles])}
    texts |= {f"train {row['id']}": row["text"] for row in load_rows([args.train])}
    texts |= {f"passage {digest(row['text'])}": row["text"] for row in load_rows(args.passages)}
    missing = 0
    with open(args.out, "w", encoding="utf-8") as file:
        for record in load_rows(args.labels):
            text = texts.get(record["doc"])
            if text is None:
                missing += 1
                continue
            words = text if "spans" not in record else flat(" ".join(text[start:end] for start, end in record["spans"]))
            if "e" in record:
                row = {"x": words, "e": [[name, TONES[letter]] for name, letter in record["e"]]}
            else:
                row = {"q": words, "s": [[target, LETTERS[letter]] for target, letter in record["s"]], "tone": TONES[record["tone"]]}
            file.write(json.dumps({"doc": record["doc"], **row}, ensure_ascii=False) + "\n")
    if missing:
        print(f"{missing} texts are not in these files: their labels are left out")


if __name__ == "__main__":
    main()
