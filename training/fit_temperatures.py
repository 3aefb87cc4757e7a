"""Fits one temperature a head on predictions of `quotestance label` made with temperatures of 1, and says what it does to the
calibration error (ECE, 15 bins, as score_labels.py) on rows it has not seen.

    python fit_temperatures.py --pair GOLD.jsonl PRED.jsonl [--pair …] [--report GOLD.jsonl PRED.jsonl …] --out temperatures.json

Rows of a --pair are split in halves by a hash of their id: the first half fits, the second is reported on. Rows of a --report are only
reported on. Each source weighs the same, so that a large one does not decide.
"""
import argparse
import collections
import json
import math

from stance_data import half, load_rows
from stance_model import head_of


def read(gold, pred, group=None):
    """(head, source, id, label, probabilities, right labels) of each row that has a prediction."""
    known = {p["id"]: p["probs"] for p in load_rows([pred])}
    return [(head_of(r["task"]), r["source"], r["id"], r["label"], known[r["id"]], {r["label"], *r.get("also_right", ())})
            for r in load_rows([gold]) if r["id"] in known]


def heated(probs, temperature):
    powers = {k: max(p, 1e-7) ** (1 / temperature) for k, p in probs.items()}
    total = sum(powers.values())
    return {k: p / total for k, p in powers.items()}


def loss(rows, temperature):
    """Mean over sources of the mean negative log likelihood."""
    by_source = collections.defaultdict(list)
    for _, source, _, label, probs, _ in rows:
        by_source[source].append(-math.log(heated(probs, temperature)[label]))
    return sum(sum(v) / len(v) for v in by_source.values()) / len(by_source)


def ece(rows, temperature):
    bins = collections.defaultdict(list)
    for _, _, _, _, probs, right in rows:
        probs = heated(probs, temperature)
        top = max(probs, key=probs.get)
        bins[min(14, int(probs[top] * 15))].append((probs[top], top in right))
    return sum(abs(sum(c for c, _ in b) - sum(ok for _, ok in b)) for b in bins.values()) / max(len(rows), 1)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--pair", nargs=2, action="append", default=[])
    ap.add_argument("--report", nargs=2, action="append", default=[])
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    rows = [r for pair in args.pair for r in read(*pair)]
    fitted = {}
    for head in ("stance", "sentiment", "nli"):
        fit = [r for r in rows if r[0] == head and half(r[2]) == 0]
        if not fit:
            continue
        # Convex in 1/T: a fine grid is as good as a search.
        best = min((t / 100 for t in range(50, 401, 2)), key=lambda t: loss(fit, t))
        fitted[head] = best
        test = [r for r in rows if r[0] == head and half(r[2]) == 1]
        print(f"{head}: temperature {best}, fitted on {len(fit)} rows; other half, {len(test)} rows: ECE {ece(test, 1):.3f} -> {ece(test, best):.3f}")
        for source in sorted({r[1] for r in test}):
            some = [r for r in test if r[1] == source]
            print(f"  {source:18s} {len(some):5d} {ece(some, 1):.3f} -> {ece(some, best):.3f}")
    for pair in args.report:
        for source in sorted({(r[0], r[1]) for r in read(*pair)}):
            some = [r for r in read(*pair) if (r[0], r[1]) == source]
            print(f"  {source[0]}:{source[1]} {len(some)} {ece(some, 1):.3f} -> {ece(some, fitted[source[0]]):.3f}")
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(fitted, file)


if __name__ == "__main__":
    main()
