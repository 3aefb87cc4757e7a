"""Figures of a stance model in PyTorch, as score_labels.py defines them. The figures of the card are the program's own; see README.md.

    python evaluate_stance.py --model DIR ROWS.jsonl [--own ARTICLES.jsonl … --forms none around speaker both] [--out PRED.jsonl]
"""
import argparse
import collections
import json

import torch

from stance_data import load_rows
from stance_model import FIRST, HEADS, Pieces, head_of, load_model, predict

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


def labels_of(logits, rows):
    """(label, probabilities) of each row."""
    out = []
    for row, values in zip(rows, logits):
        head = head_of(row["task"])
        probs = torch.softmax(values[FIRST[head]:FIRST[head] + 3], 0).tolist()
        out.append((HEADS[head][max(range(3), key=probs.__getitem__)], dict(zip(HEADS[head], probs))))
    return out


def evaluate(model, pieces, rows, group=lambda r: r["source"], window=128):
    """Macro-F1 by source, with the mean of the stance sources."""
    pairs = collections.defaultdict(list)
    for row, (label, _) in zip(rows, labels_of(predict(model, pieces, rows, window), rows)):
        pairs[group(row)].append((row["label"], row["label"] if label in row.get("also_right", ()) else label))
    figures = {k: round(macro_f1(v), 4) for k, v in sorted(pairs.items())}
    stance = [figures[s] for s in STANCE_DEV if s in figures]
    if stance:
        figures["mean of stance"] = round(sum(stance) / len(stance), 4)
    return figures


def show(figures):
    return " ".join(f"{k} {v:.3f}" for k, v in figures.items())


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("rows", nargs="*")
    ap.add_argument("--model", required=True)
    ap.add_argument("--own", nargs="*", default=[])
    ap.add_argument("--forms", nargs="+", default=["none", "around", "speaker", "both"])
    ap.add_argument("--window", type=int, default=128)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--out")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_model(args.model)
    pieces = Pieces(tokenizer)
    if args.rows:
        rows = load_rows(args.rows)
        print(show(evaluate(model, pieces, rows, window=args.window)))
        if args.out:
            with open(args.out, "w") as file:
                for row, (label, probs) in zip(rows, labels_of(predict(model, pieces, rows, args.window), rows)):
                    file.write(json.dumps({"id": row["id"], "label": label, "probs": probs}) + "\n")
    if args.own:
        from own_articles import own_rows
        held = [r for r in own_rows(args.own) if r["held"]]
        for form in args.forms:
            rows = [dict(r, context=r.get("contexts", {}).get(form)) for r in held]
            print(form, len(rows), show(evaluate(model, pieces, rows, window=args.window)))


if __name__ == "__main__":
    main()
