"""Fits the last layer of a stance model anew on labelled rows, the encoder held still: a head learns its own sources' labels within minutes.

    python fit_heads.py --model DIR --rows ROWS.jsonl … --out DIR

Each head moves from where it is by what lowers the cross-entropy with the labels, and is held back by `--stiffness` times the squared move.
A source weighs as the square root of its rows; within one, labels weigh as if they were equally frequent to the power `--balance`, so that
a macro-averaged figure counts them alike (`--own-balance` for own-written and real quotes, whose shares of labels are the program's task).

`--public-neutral X` adds X to the logit of stance neutral for what looks like a row of the public corpora and nothing for what looks like a
quote in news, by the line through the pooled states that best tells the two apart: the corpora ask for fewer neutral labels than quotes do.
"""
import argparse
import collections
import random

import torch

from stance_data import by_source, load_rows
from stance_model import FIRST, HEADS, Pieces, head_of, load_model, predict
from train_stance import save_folder


def is_own(row):
    return row["source"].startswith("own")


def weights_of(rows, balance, own_balance):
    """One weight a row, of sum 1."""
    size = collections.Counter(r["source"] for r in rows)
    count = collections.Counter((r["source"], r["label"]) for r in rows)
    labels = collections.Counter(source for source, _ in count)
    weights = torch.tensor([(size[s] / (labels[s] * count[s, r["label"]])) ** (own_balance if is_own(r) else balance) / size[s] ** .5
                            for r in rows for s in [r["source"]]])
    return weights / weights.sum()


def move(states, logits, wanted, weights, stiffness):
    """What to add to a head's weights [3, hidden] and biases [3]; states [rows, hidden] are of mean 0 and variance 1 over all numbers."""
    matrix, bias = torch.zeros(3, states.shape[1], requires_grad=True), torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([matrix, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        losses = torch.nn.functional.cross_entropy(logits + states @ matrix.T + bias, wanted, reduction="none")
        loss = (losses * weights).sum() + stiffness * matrix.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return matrix.detach(), bias.detach()


def public_line(states, public):
    """(weights [hidden], bias) of the least-squares line that is 1 on public rows and 0 on the others, both kinds weighing alike."""
    weights = torch.where(public, .5 / public.sum(), .5 / (~public).sum())
    centre = weights @ states
    off = states - centre
    spread = (off * weights[:, None]).T @ off
    spread += .01 * spread.trace() / len(spread) * torch.eye(len(spread))
    line = torch.linalg.solve(spread, (off * weights[:, None]).T @ (public.float() - .5))
    return line, .5 - line @ centre


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--rows", nargs="+", required=True, help="JSONL; rows without a label and pairs of sentences are left out")
    ap.add_argument("--out", required=True)
    ap.add_argument("--heads", nargs="*", default=["sentiment"], choices=["stance", "sentiment"], help="those that are fitted")
    ap.add_argument("--of-source", type=int, default=2500, help="rows of a source at most")
    ap.add_argument("--balance", type=float, default=1.0)
    ap.add_argument("--own-balance", type=float, default=.5)
    ap.add_argument("--stiffness", type=float, default=.05)
    ap.add_argument("--public-neutral", type=float, default=0.0)
    ap.add_argument("--seed", type=int, default=3)
    args = ap.parse_args()
    rng = random.Random(args.seed)
    sources = by_source(row for row in load_rows(args.rows) if row["label"] is not None and row["task"] != "nli")
    rows = [row for _, own in sorted(sources.items()) for row in rng.sample(own, min(len(own), args.of_source))]
    model, tokenizer = load_model(args.model)
    classifier, model.classifier = model.classifier, torch.nn.Identity()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = predict(model, Pieces(tokenizer), rows)
    weight, bias = classifier.weight.detach().clone(), classifier.bias.detach().clone()
    logits, centre, scale = states @ weight.T + bias, states.mean(0), states.std()
    for head in args.heads:
        chosen = [k for k, row in enumerate(rows) if head_of(row["task"]) == head]
        part = [rows[k] for k in chosen]
        wanted = torch.tensor([HEADS[head].index(row["label"]) for row in part])
        own = slice(FIRST[head], FIRST[head] + 3)
        matrix, added = move((states[chosen] - centre) / scale, logits[chosen, own], wanted,
                             weights_of(part, args.balance, args.own_balance), args.stiffness)
        weight[own] += matrix / scale
        bias[own] += added - matrix @ centre / scale
        print(head, len(part), "rows, moved by", round(matrix.norm().item(), 3), flush=True)
    if args.public_neutral:
        chosen = [k for k, row in enumerate(rows) if row["task"] == "stance"]
        line, at = public_line(states[chosen], torch.tensor([not is_own(rows[k]) for k in chosen]))
        neutral = FIRST["stance"] + HEADS["stance"].index("neutral")
        weight[neutral] += args.public_neutral * line
        bias[neutral] += args.public_neutral * at
    model.classifier = classifier
    save_folder(args.out, args.model, {**model.state_dict(), "classifier.weight": weight, "classifier.bias": bias})


if __name__ == "__main__":
    main()
