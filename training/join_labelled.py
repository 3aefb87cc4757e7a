"""Joins rows that a teacher has labelled, and adds the public rows that it has not, with their labels alone.

    python join_labelled.py --labelled FIRST.jsonl … --drop-own OLD.jsonl … --train TRAIN.jsonl … --out pool.jsonl

Of a file of --drop-own the own-written rows are left out: an older teacher's answers to texts that a newer one has labelled as well.
"""
import argparse
import json

from stance_data import Mix, load_rows


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--labelled", nargs="+", required=True)
    ap.add_argument("--drop-own", nargs="*", default=[])
    ap.add_argument("--train", nargs="+", required=True)
    ap.add_argument("--seed", type=int, default=71)
    ap.add_argument("--turned", type=float, default=.08)
    ap.add_argument("--rounds", type=int, default=16, help="of the mix: 16 are the whole of it")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    rows = [r for r in load_rows(args.drop_own) if not r["source"].startswith("own")] + load_rows(args.labelled)
    known = {(r["text"], r["target"]) for r in rows}
    mix = Mix(load_rows(args.train), args.seed, turned=args.turned)
    for k in range(args.rounds):
        for row in mix.round(k):
            if (row["text"], row["target"]) not in known:
                known.add((row["text"], row["target"]))
                rows.append({key: row[key] for key in ("text", "target", "label", "source", "task")})
    with open(args.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
