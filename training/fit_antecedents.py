#!/usr/bin/env python3
"""Fits the weights of the antecedents of he and she (src/attribution/names/antecedent.rs).

    cargo run --release --example antecedents -- TRAIN.jsonl > candidates.jsonl
    fit_antecedents.py TRAIN.jsonl candidates.jsonl pronouns.train.tsv

TRAIN.jsonl is the train part of the quote corpus (texts, and speaker_canonical where given by hand); pronouns.train.tsv
holds places only: a pronoun, and the name that a reader of the article gave it. A choice is right if the candidate's
name ends in the words at that place, or holds them. Multinomial logistic regression with an L2 penalty, 10-fold
cross-validated by article; prints the weights as Rust has them.
"""
import collections
import csv
import json
import re
import sys

import numpy as np
from scipy.optimize import minimize


def words(name):
    return [w for w in re.sub(r"['’]s$", "", name).lower().replace("’", "'").split() if w]


def labels(articles, places):
    gold = {}
    for row in csv.DictReader(open(places), delimiter="\t"):
        text = articles[row["article"]]["text"]
        name = re.match(r"[\w’'.-]+(?: [A-Z][\w’'.-]+)?", text[int(row["name"]):])[0]
        gold[row["article"], int(row["pronoun"])] = name
    for article in articles.values():
        for quote in article["quotes"]:
            if quote.get("speaker_canonical") and (quote.get("speaker") or "").lower() in ("he", "she"):
                gold[article["id"], quote["speaker_start"]] = quote["speaker_canonical"]
    return gold


def is_right(candidate, name):
    known, wanted = words(candidate), words(name)
    return bool(known) and (known[-1] in wanted and (len(wanted) == 1 or len(known) == 1 or wanted[0] in known or wanted[-1] not in known[-1:])
                            or known == wanted[:1] or set(wanted) <= set(known))


def fit(groups, n, strength):
    def loss(w):
        total, grad = strength * (w @ w), 2 * strength * w
        for x, right in groups:
            s = x @ w
            p = np.exp(s - s.max())
            p /= p.sum()
            q = p * right
            total -= np.log(max(q.sum(), 1e-12))
            grad -= (q / max(q.sum(), 1e-12) - p) @ x
        return total, grad
    return minimize(loss, np.zeros(n), jac=True, method="L-BFGS-B").x


def accuracy(groups, w):
    return [float(right[np.argmax(x @ w)]) for x, right in groups]


def main():
    articles = {a["id"]: a for a in map(json.loads, open(sys.argv[1]))}
    gold = labels(articles, sys.argv[3])
    groups, owners, missing = [], [], 0
    for row in map(json.loads, open(sys.argv[2])):
        name = gold.pop((row["article"], row["pronoun"]), None)
        if name is None:
            continue
        right = np.array([is_right(c, name) for c, _ in row["candidates"]], float)
        if not right.any():
            missing += 1
            if "-v" in sys.argv:
                print("no candidate", row["article"], row["pronoun"], name, [c for c, _ in row["candidates"]][:6])
            continue
        groups.append((np.array([f for _, f in row["candidates"]]), right))
        owners.append((row["article"], row["pronoun"], name, [c for c, _ in row["candidates"]]))
    n = groups[0][0].shape[1]
    ids = sorted({o[0] for o in owners})
    fold = {a: i % 10 for i, a in enumerate(ids)}
    print(f"{len(groups)} pronouns with the right candidate, {missing} without, {len(gold)} never asked")
    for strength in (0.1, 0.3, 1.0, 3.0):
        hits = []
        for k in range(10):
            w = fit([g for g, o in zip(groups, owners) if fold[o[0]] != k], n, strength)
            hits += accuracy([g for g, o in zip(groups, owners) if fold[o[0]] == k], w)
        print(f"L2 {strength}: cross-validated {100 * np.mean(hits):.1f} %")
    w = fit(groups, n, 1.0)
    hits = accuracy(groups, w)
    print(f"fitted on all, L2 1.0: {100 * np.mean(hits):.1f} %")
    print(" ".join(f"{v:.2f}" for v in w))
    if "-v" in sys.argv:
        for (x, right), owner, hit in zip(groups, owners, hits):
            if not hit:
                s = x @ w
                print(owner[0], owner[1], owner[2], [(owner[3][i], round(float(s[i]), 1)) for i in np.argsort(-s)[:4]])


main()
