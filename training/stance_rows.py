"""Rows for `quotestance label`.

    python stance_rows.py own ARTICLES.jsonl … --out rows.jsonl            the own-written articles held aside
    python stance_rows.py flips data/flips.tsv --out rows.jsonl            each text toward a target and toward its opposite
    python stance_rows.py score-flips data/flips.tsv PRED.jsonl            how often both come out right
"""
import argparse
import csv

from own_articles import own_rows
from stance_data import FLIP, load_rows, write_rows


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
    ap.add_argument("what", choices=["own", "flips", "score-flips"])
    ap.add_argument("files", nargs="+")
    ap.add_argument("--out")
    args = ap.parse_args()
    if args.what == "score-flips":
        return score_flips(*args.files)
    if args.what == "own":
        rows = ({k: v for k, v in r.items() if k != "contexts"} for r in own_rows(args.files) if r["held"])
    else:
        rows = flip_rows(*args.files)
    write_rows(args.out, rows)


if __name__ == "__main__":
    main()
