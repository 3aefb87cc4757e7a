"""Rows for a teacher whose states and answers a smaller model learns (`states.py`), of texts that no lesson had.

    python new_pairs.py --train TRAIN.jsonl … --known POOL.jsonl --own data/own_*.jsonl --articles ARTICLES.jsonl --news 26000 --passages PASSAGES.jsonl --passage-rows 20000 --out rows.jsonl

Public rows that are not among the known ones, with their labels; pairs made of them (`transfer_pairs.py`); pairs of news articles with quotes and of
running texts, at most two of a text. With `--of-all N` pairs are made of N rows of each public source, the known ones too.
"""
import argparse
import collections
import random

import torch

from own_articles import own_rows
from stance_data import KEPT, by_source, load_rows, write_shuffled
from stance_model import Pieces, load_model
from transfer_pairs import News, NearTargets, Passages, Replaced, joined_pairs, other_pairs, replaced_pairs, turned_pairs


class Fresh:
    """Rows whose text, target and task did not come before."""

    def __init__(self, known):
        self.seen = {self.key(row) for row in known}

    @staticmethod
    def key(row):
        return row["text"], row["target"], row["task"]

    def __call__(self, rows, most=None):
        """Those of the rows that are new, of each text `most` at most."""
        texts, out = collections.Counter(), []
        for row in rows:
            if self.key(row) not in self.seen and (most is None or texts[row["text"]] < most):
                self.seen.add(self.key(row))
                texts[row["text"]] += 1
                out.append({key: row[key] for key in KEPT})
        return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True, help="whose word vectors say what is near")
    ap.add_argument("--train", nargs="+", required=True)
    ap.add_argument("--leave-out", nargs="*", default=[], help="sources of --train")
    ap.add_argument("--known", nargs="*", default=[])
    ap.add_argument("--own", nargs="*", default=[], help="own-written rows, for their targets")
    ap.add_argument("--foreign", type=float, default=.6, help="texts with another target, as a share of the stance rows")
    ap.add_argument("--crops", type=float, default=.3, help="a sentence or two of a longer text, likewise")
    ap.add_argument("--replaced", type=float, default=.45, help="texts with some words replaced, likewise, of rows of any task")
    ap.add_argument("--of-all", type=int, default=0, help="pairs are made of so many rows of each source, in place of the new ones")
    ap.add_argument("--joined", type=float, default=0, help="parts of two texts as one, as a share of the stance rows")
    ap.add_argument("--turned", type=float, default=0, help="targets turned about, as a share of the stance rows with a short one")
    ap.add_argument("--articles", nargs="*", default=[], help="news articles with quotes (score_quotes.py's schema)")
    ap.add_argument("--news", type=int, default=0, help="rows of those")
    ap.add_argument("--passages", nargs="*", default=[], help="running texts, rows of {text, source}")
    ap.add_argument("--passage-rows", type=int, nargs="*", default=[], help="rows of each of those files")
    ap.add_argument("--seed", type=int, default=37)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_model(args.model)
    train = [{**row, "target": row["target"] or ""} for row in load_rows(args.train) if row["source"] not in args.leave_out]
    own = [row for row in own_rows(args.own) if not row["held"]]
    near = NearTargets({row["target"] for row in train + own if row["task"] == "stance"}, Pieces(tokenizer), model)
    replaced, fresh, rng = Replaced(tokenizer, model), Fresh(load_rows(args.known)), random.Random(args.seed)
    if args.of_all:
        rows, paired = [], [row for rows in by_source(train).values() for row in rng.sample(rows, min(len(rows), args.of_all))]
    else:
        rows = paired = fresh(train)
    made = (other_pairs(paired, near, args.foreign, args.crops, f"{args.seed} other")
            + replaced_pairs([row for row in paired if row["task"] != "nli"], near, replaced, args.replaced, f"{args.seed} replaced")
            + joined_pairs(paired, args.joined, f"{args.seed} joined") + turned_pairs(paired, args.turned, f"{args.seed} turned"))
    rows = rows + fresh(made)
    running = News(load_rows(args.articles), near).pairs(args.news, f"{args.seed} news") if args.news else []
    for path, count in zip(args.passages, args.passage_rows, strict=True):
        running += Passages(load_rows([path]), near).pairs(count, f"{args.seed} passages")
    rows += fresh(running, most=2)
    write_shuffled(args.out, rows, rng)


if __name__ == "__main__":
    main()
