"""Figures of a stance model in PyTorch, as score_labels.py defines them. The figures of the card are the program's own; see README.md.

    python evaluate_stance.py --model DIR ROWS.jsonl … [--own ARTICLES.jsonl … --forms none around speaker both] [--flips FLIPS.tsv] [--out DIR]
"""
import argparse
import collections
import hashlib
import os

import torch

from own_articles import own_rows
from stance_data import load_rows, write_rows
from stance_model import Pieces, load_model, predict, probabilities
from stance_rows import both_right, flip_rows

STANCE_DEV = ("vast", "ibm30k", "ibm30k_np", "perspectrum", "seesaw", "semeval16a", "pstance", "wtwt", "dse", "arc", "vacstance", "covid19stance")


def macro_f1(pairs):
    """Mean F1 over the labels that occur in the gold."""
    labels = sorted({g for g, _ in pairs})
    total = 0.0
    for label in labels:
        tp = sum(g == label == p for g, p in pairs)
        wrong = sum((g == label) != (p == label) for g, p in pairs)
        total += 2 * tp / (2 * tp + wrong) if tp + wrong else 0.0
    return total / len(labels)


def answers(model, pieces, rows, window=128, bf16=False):
    """(label, probabilities) of each row."""
    out = []
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = predict(model, pieces, rows, window)
    for row, values in zip(rows, logits):
        probs = probabilities(row["task"], values)
        out.append((max(probs, key=probs.get), probs))
    return out


def figures(rows, answered):
    """Macro-F1 by source, with the mean of the stance sources of the development data."""
    pairs = collections.defaultdict(list)
    for row, (label, _) in zip(rows, answered):
        pairs[row["source"]].append((row["label"], row["label"] if label in row.get("also_right", ()) else label))
    found = {k: macro_f1(v) for k, v in sorted(pairs.items())}
    stance = [found[s] for s in STANCE_DEV if s in found]
    if len(stance) > 3:
        found["mean of stance"] = sum(stance) / len(stance)
    return found


def at_most(rows, n):
    """The first n rows of each source by a hash of the id: the same sample for every model."""
    taken = collections.Counter()
    out = []
    for row in sorted(rows, key=lambda r: hashlib.sha256(str(r["id"]).encode()).digest()):
        taken[row["source"]] += 1
        if taken[row["source"]] <= n:
            out.append(row)
    return out


def show(figures):
    return " ".join(f"{k} {v:.3f}" for k, v in figures.items())


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("rows", nargs="*", help="JSONL; each file is reported by itself")
    ap.add_argument("--model", required=True)
    ap.add_argument("--at-most", type=int, help="rows of each source of each file")
    ap.add_argument("--skip", nargs="*", default=[], help="sources that are not read")
    ap.add_argument("--own", nargs="*", default=[])
    ap.add_argument("--forms", nargs="+", default=["none"])
    ap.add_argument("--flips", help="pairs of a target and its opposite (TSV)")
    ap.add_argument("--window", type=int, default=128)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--bf16", action="store_true", help="products in bf16, as in training")
    ap.add_argument("--out", help="folder for the predictions, a file for each file of rows")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_model(args.model)
    pieces = Pieces(tokenizer)
    if args.out:
        os.makedirs(args.out, exist_ok=True)

    def write(name, lines):
        if args.out:
            write_rows(os.path.join(args.out, name), lines)

    def report(name, rows):
        answered = answers(model, pieces, rows, args.window, args.bf16)
        print(name, len(rows), show(figures(rows, answered)), flush=True)
        write(name, ({"id": row["id"], "label": label, "probs": probs} for row, (label, probs) in zip(rows, answered)))
        return answered

    if args.flips:
        rows = list(flip_rows(args.flips))
        right = [label == row["label"] for row, (label, _) in zip(rows, report("flips", rows))]
        print(f"flips: both right {both_right(right)} of {len(rows) // 2}, the first {sum(right[::2])}")
    for path in args.rows:
        rows = [r for r in load_rows([path]) if r["source"] not in args.skip]
        report(os.path.basename(path), at_most(rows, args.at_most) if args.at_most else rows)
    if args.own:
        held = [r for r in own_rows(args.own) if r["held"]]
        for form in args.forms:
            rows = [{**{k: v for k, v in r.items() if k != "contexts"}, "context": r["contexts"].get(form)} for r in held]
            write(f"own-held.{form}.gold.jsonl", rows)
            report(f"own-held.{form}.jsonl", rows)


if __name__ == "__main__":
    main()
