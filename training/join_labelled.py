"""Joins rows that a teacher has labelled, and adds the public rows that it has not, with their labels alone.

    python join_labelled.py --labelled FIRST.jsonl … --drop-own OLD.jsonl … --train TRAIN.jsonl … --out pool.jsonl

Of a file of --drop-own the own-written rows are left out: an older teacher's answers to texts that a newer one has labelled as well.
Sources named by --labels-alone come whole and with their labels alone: where the teacher is worse than they are.
"""
import argparse
import json

from stance_data import Mix, load_rows


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--labelled", nargs="+", required=True)
    ap.add_argument("--drop-own", nargs="*", default=[])
    ap.add_argument("--train", nargs="+", required=True)
    ap.add_argument("--labels-alone", nargs="*", default=[])
    ap.add_argument("--seed", type=int, default=71)
    ap.add_argument("--turned", type=float, default=.08)
    ap.add_argument("--rounds", type=int, default=16, help="of the mix: 16 are the whole of it")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    rows = [r for r in load_rows(args.drop_own) if not r["source"].startswith("own")] + load_rows(args.labelled)
    rows = [r for r in rows if r["source"] not in args.labels_alone]
    train = load_rows(args.train)
    rows += [r for r in train if r["source"] in args.labels_alone]
    known = {(r["text"], r["target"]) for r in rows}
    mix = Mix(train, args.seed, turned=args.turned)
    for k in range(args.rounds):
        for row in mix.round(k):
            if (row["text"], row["target"]) not in known:
                known.add((row["text"], row["target"]))
                rows.append(row)
    with open(args.out, "w", encoding="utf-8") as file:
        for row in rows:
            kept = {key: row[key] for key in ("text", "target", "label", "source", "task", "soft", "logits", "round") if key in row}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
