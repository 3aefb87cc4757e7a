"""A teacher's last hidden states, by which a smaller model learns more of a text than three probabilities say (Jiao et al. 2020, TinyBERT).

    python states.py --labelled POOL.jsonl --teacher LARGER_MODEL --student DIR --tokens 6e6 --out DIR
    cargo run --release --example token_states -- LARGER_MODEL DIR/ids.jsonl DIR/projection.f32 DIR/states.i8 DIR/logits.f32
    python train_stance.py --states DIR …

The first command chooses rows, one of each text while there are any; what is left of them goes to `others.jsonl`. Both models must split a text into the
same pieces, as BERT's and MPNet's do. `projection.f32` holds the mean and the 256 directions in which the states, each number divided
by its standard deviation, vary most; `widths.npy` how much. A row that no teacher has answered gets its probabilities from `logits.f32`, but for those of
--labels-alone, whose labels are better than the teacher. Folders that are taught together have the same directions (`--directions`).
"""
import argparse
import collections
import os
import random
import shutil

import numpy as np
import torch

from own_articles import own_rows
from stance_data import KEPT, load_rows, write_rows
from stance_model import TARGET_TOKENS, Pieces, beginning, load_model, probabilities

DIRECTIONS = 256
# Steps of a width in examples/token_states.rs.
UNITS = 24
# Tokens of a row at most, the teacher's special ones among them.
LONGEST = 112


def chosen(rows, rng):
    """All rows, the first of each text before the second of any, and so on."""
    seen, laps = collections.Counter(), collections.defaultdict(list)
    for row in rng.sample(rows, len(rows)):
        laps[seen[row["text"]]].append(row)
        seen[row["text"]] += 1
    return [row for lap in sorted(laps) for row in laps[lap]]


@torch.inference_mode()
def projection(model, ids):
    """(mean [hidden], directions [hidden, DIRECTIONS], widths [DIRECTIONS]) of the states of {"text", "target"} ids."""
    states, ids = [], sorted(ids, key=lambda r: len(r["text"]) + len(r["target"]))
    for k in range(0, len(ids), 32):
        padded, types, mask = model.form.padded([model.form.sequence(r["text"], r["target"]) for r in ids[k:k + 32]])
        hidden = model.hidden(padded, types, mask).float()
        states.append(hidden[mask.bool()])
    states = torch.cat(states)
    mean, deviation = states.mean(0), states.std(0)
    states = (states - mean) / deviation
    values, vectors = torch.linalg.eigh(states.T @ states / len(states))
    widths, vectors = values.flip(0)[:DIRECTIONS].sqrt(), vectors.flip(1)[:, :DIRECTIONS]
    return mean, vectors / deviation[:, None] / widths, widths


class States:
    """The states of the rows of folders, in directions whose variance adds up to 1."""

    def __init__(self, folders):
        widths = torch.from_numpy(np.load(os.path.join(folders[0], "widths.npy")))
        self.directions = len(widths)
        self.scale = widths / widths.square().sum().sqrt() / UNITS
        self.numbers, self.rows, self.others = [], [], []
        for folder in folders:
            self.numbers.append(np.memmap(os.path.join(folder, "states.i8"), np.int8, "r").reshape(-1, self.directions))
            self.rows += self.read(folder, len(self.numbers) - 1)
            self.others += load_rows([os.path.join(folder, "others.jsonl")])
        # Of the mean over a row's tokens: it varies less than a single state does.
        means = torch.stack([self.of(row).mean(0) for row in self.rows[:2000]])
        self.pooled_variance = means.var(0).sum()

    def read(self, folder, number):
        """The rows of a folder, with the teacher's answers; of an unfinished one those that it has states of."""
        answers, at = np.memmap(os.path.join(folder, "logits.f32"), np.float32, "r").reshape(-1, 9), 0
        for row, logits in zip(load_rows([os.path.join(folder, "rows.jsonl")]), answers):
            row["at"], at = (number, at), at + row["states"]
            if at > len(self.numbers[number]):
                break
            if "soft" not in row and not row["label_alone"]:
                row["soft"] = list(probabilities(row["task"], torch.from_numpy(logits.copy())).values())
            yield row

    def of(self, row):
        """[tokens, directions] of a row: those of its text's pieces from `start` on, then of its target's."""
        number, at = row["at"]
        return torch.from_numpy(self.numbers[number][at:at + row["states"]].astype(np.float32)) * self.scale

    def fit(self, model, batches):
        """The linear map from the model's states to these, by least squares, as `model.states`."""
        with torch.no_grad():
            found, wanted = zip(*(self.pair(model.hidden(*model.form.padded([b[:2] for b in batch])), batch)[:2] for batch in batches))
            found, wanted = torch.cat(found), torch.cat(wanted)
            found = torch.cat([found, torch.ones(len(found), 1)], 1)
            solved = torch.linalg.solve(found.T @ found + 10 * torch.eye(found.shape[1]), found.T @ wanted)
            model.states = torch.nn.Linear(found.shape[1] - 1, self.directions)
            model.states.weight.copy_(solved[:-1].T), model.states.bias.copy_(solved[-1])

    def pair(self, hidden, batch):
        """(the model's states, the teacher's, the number in the batch of the row that each is of) of the rows of a batch that have any."""
        index, owner, wanted = [], [], []
        for k, (ids, types, row) in enumerate(batch):
            if "at" not in row:
                continue
            first = k * hidden.shape[1]
            target = len(types) - 1 - sum(types)  # what stands before it is of type 0, the last [SEP] of type 1
            text = row["states"] - (sum(types) - 1)
            index += [*range(first + 1, first + 1 + text), *range(first + target + 1, first + len(ids) - 1)]
            owner += [k] * row["states"]
            wanted.append(self.of(row))
        if not index:
            return hidden.new_zeros(0, hidden.shape[2]), torch.zeros(0, self.directions), torch.zeros(0, dtype=torch.long)
        return hidden.flatten(0, 1)[torch.tensor(index)], torch.cat(wanted), torch.tensor(owner)

    def loss(self, model, hidden, batch):
        """Shares of the variance that the model's states miss, of the states and of their means over a row, added."""
        found, wanted, owner = self.pair(hidden, batch)
        if not len(owner):
            return torch.zeros(())
        missed = model.states(found).float() - wanted
        means = torch.zeros(len(batch), self.directions).index_add_(0, owner, missed)
        counts = torch.zeros(len(batch)).index_add_(0, owner, torch.ones(len(owner)))
        means = means[counts > 0] / counts[counts > 0, None]
        return missed.square().sum(1).mean() + means.square().sum(1).mean() / self.pooled_variance


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--labelled", nargs="*", default=[], help="rows that a teacher has labelled, or public ones")
    ap.add_argument("--own", nargs="*", default=[], help="own-written articles and quotes, or real_labels.py's (JSONL); a part of them is held aside")
    ap.add_argument("--teacher", required=True)
    ap.add_argument("--student", required=True)
    ap.add_argument("--tokens", type=float, default=1e12, help="tokens of the rows chosen")
    ap.add_argument("--labels-alone", nargs="*", default=[], help="sources taught by their labels alone; their rows without one are left out")
    ap.add_argument("--directions", help="an earlier folder, whose projection.f32 and widths.npy are taken")
    ap.add_argument("--seed", type=int, default=17)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    rng = random.Random(args.seed)
    teacher, teacher_tokenizer = load_model(args.teacher)
    student_pieces, teacher_pieces = Pieces(load_model(args.student)[1]), Pieces(teacher_tokenizer)
    own = [{k: r[k] for k in KEPT} for r in own_rows(args.own) if not r["held"]]
    labelled = load_rows(args.labelled) + list({(r["text"], r["target"], r["task"]): r for r in own}.values())
    order = chosen([row for row in labelled if row["label"] is not None or row["source"] not in args.labels_alone], rng)
    for pieces in (student_pieces, teacher_pieces):
        pieces.prepare([row[k] for row in order for k in ("text", "target")])
    rows, others, tokens = [], [], 0
    for row in order:
        text, target = (teacher_pieces(row[k]) for k in ("text", "target"))
        if tokens > args.tokens or (len(text), len(target)) != tuple(len(student_pieces(row[k])) for k in ("text", "target")):
            others.append(row)
            continue
        target = target[:TARGET_TOKENS]
        room = LONGEST - teacher.form.overhead() - len(target)
        start = beginning(len(text), room, rng)
        text = text[start:start + room]
        alone = row["label"] is not None and row["source"] in args.labels_alone
        rows.append(({**row, "start": start, "states": len(text) + len(target), "label_alone": alone}, {"text": text, "target": target}))
        tokens += len(text) + len(target)
    rng.shuffle(rows)
    for name, content in (("rows", [row for row, _ in rows]), ("ids", [ids for _, ids in rows]), ("others", others)):
        write_rows(os.path.join(args.out, name + ".jsonl"), content)
    print(f"{len(rows)} rows of {tokens:,} tokens; {len(others)} others")
    if args.directions:
        for name in ("projection.f32", "widths.npy"):
            shutil.copy(os.path.join(args.directions, name), args.out)
        return
    mean, directions, widths = projection(teacher, [ids for _, ids in rows[:1000]])
    np.concatenate([mean.numpy(), directions.numpy().ravel()]).astype(np.float32).tofile(os.path.join(args.out, "projection.f32"))
    np.save(os.path.join(args.out, "widths.npy"), widths.numpy().astype(np.float32))
    print(f"the directions hold {widths.square().sum() / len(mean):.3f} of the variance")


if __name__ == "__main__":
    main()
