"""Rows for `quotestance label`, with the context of each quote as the program forms it in `run`.

    python stance_rows.py own ARTICLES.jsonl … --out rows.jsonl            the own-written articles held aside
    python stance_rows.py gold GOLD.jsonl STANCE.jsonl --out rows.jsonl    annotated articles (schema of the contract articles)
    python stance_rows.py flips data/flips.tsv --out rows.jsonl            each text toward a target and toward its opposite
    python stance_rows.py score-flips data/flips.tsv PRED.jsonl            how often both come out right

--form none|around|speaker|both says what the context holds. Then: quotestance label rows.jsonl --context-column context -o pred.jsonl
"""
import argparse
import csv

from own_articles import contexts, own_rows
from stance_data import FLIP, load_rows, write_rows


def gold_rows(gold, stance, form):
    """The rows of STANCE with a context from the article and the places and speakers of its quotes; labels are not looked at."""
    forms = {}
    for article in load_rows([gold]):
        quotes = sorted(({"spans": [tuple(s) for s in q["segments"]], "speaker": q["speaker"]} for q in article["quotes"]),
                        key=lambda q: q["spans"][0])
        for k, q in enumerate(quotes):
            forms[article["id"], q["spans"][0][0]] = contexts(article["text"], quotes, k)
    return [dict(row, context=forms[row["article"], row["start"]].get(form, "") if row["task"] == "stance" else "")
            for row in load_rows([stance])]


def flip_rows(path):
    with open(path, encoding="utf-8") as file:
        for k, r in enumerate(csv.DictReader(file, delimiter="\t")):
            yield {"id": f"flip-{k}-a", "text": r["text"], "target": r["target"], "label": r["label"], "source": "flips", "task": "stance"}
            yield {"id": f"flip-{k}-b", "text": r["text"], "target": r["flip"], "label": FLIP[r["label"]], "source": "flips", "task": "stance"}


def both_right(right):
    """Of how many pairs both are right, given which of flip_rows' are."""
    return sum(a and b for a, b in zip(right[::2], right[1::2]))


def score_flips(path, pred):
    got = {p["id"]: p["label"] for p in load_rows([pred])}
    rows = list(flip_rows(path))
    pairs = list(zip(rows[::2], rows[1::2]))
    right = [got[row["id"]] == row["label"] for row in rows]
    both, first = both_right(right), sum(right[::2])
    print(f"{len(pairs)} pairs; first right {first}, second right {sum(right[1::2])}, both right {both} ({both / len(pairs):.3f}); "
          f"of those with the first right, flipped rightly {both / max(first, 1):.3f}")
    for (a, b), ok in zip(pairs, zip(right[::2], right[1::2])):
        if not all(ok):
            print("  ", a["text"], "|", a["target"], got[a["id"]], "|", b["target"], got[b["id"]])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("what", choices=["own", "gold", "flips", "score-flips"])
    ap.add_argument("files", nargs="+")
    ap.add_argument("--form", default="both")
    ap.add_argument("--out")
    args = ap.parse_args()
    if args.what == "score-flips":
        return score_flips(*args.files)
    if args.what == "own":
        rows = [{k: v for k, v in dict(r, context=r["contexts"].get(args.form, "")).items() if k != "contexts"}
                for r in own_rows(args.files) if r["held"]]
    elif args.what == "gold":
        rows = gold_rows(*args.files, args.form)
    else:
        rows = flip_rows(*args.files)
    write_rows(args.out, rows)


if __name__ == "__main__":
    main()
