#!/usr/bin/env python3
"""Fits the weights of the antecedents of he and she (src/attribution/names/antecedent.rs).

    for name in TRAIN data/own_articles_3; do cargo run --release --example antecedents -- $name.jsonl > $(basename $name).candidates.jsonl; done
    fit_antecedents.py TRAIN.jsonl TRAIN.candidates.jsonl pronouns.train.tsv data/own_articles_3.jsonl own_articles_3.candidates.jsonl [more of these pairs]

TRAIN.jsonl is the train part of the quote corpus (texts, and speaker_canonical where given by hand); pronouns.train.tsv
holds places only: a pronoun, and the name that a reader of the article gave it. The own-written articles name the speaker
of every quote. A choice is right if the candidate's name ends in the words at that place, or holds them. Multinomial
logistic regression with an L2 penalty over both, a pronoun of the corpus counted CORPUS times; each 10-fold
cross-validated by article; prints the weights as Rust has them.
"""
import csv
import json
import re
import sys

import numpy as np
from scipy.optimize import minimize

from own_articles import located


# There are ten times as many pronouns in the own-written articles.
CORPUS = 20
STRENGTH = 10.0


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


def own_labels(articles):
    """The speakers of the quotes that "he" or "she" attributes, by the pronoun nearest to the quoted words."""
    gold = {}
    for article in articles.values():
        text, at = article["text"], 0
        for quote in article["quotes"]:
            spans = located(text, quote["spans"], at)
            if not spans or (quote["mention"] or "").lower() not in ("he", "she") or not quote["speaker"]:
                continue
            at = spans[0][0]
            distance = lambda place: min(min(abs(place - end), abs(place + len(quote["mention"]) - start)) for start, end in spans)
            places = [m.start() for m in re.finditer(rf"\b{quote['mention']}\b", text)]
            places = [p for p in places if not any(start <= p < end for start, end in spans)]
            if places:
                gold[article["id"], min(places, key=distance)] = quote["speaker"]
    return gold


def is_right(candidate, name):
    known, wanted = words(candidate), words(name)
    if len(known) > 1 and wanted[-len(known):] == known:        # "Dr Sunita Rao"
        return True
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


def choices(gold, candidates):
    """(features and which candidates are right, who was asked about what) of each pronoun with a right candidate."""
    groups, owners, missing = [], [], 0
    for row in map(json.loads, open(candidates)):
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
    print(f"{candidates}: {len(groups)} pronouns with the right candidate, {missing} without, {len(gold)} never asked")
    return groups, owners


def main():
    corpus, candidates, places, *own = [argument for argument in sys.argv[1:] if argument != "-v"]
    read = lambda path: {a["id"]: a for a in map(json.loads, open(path))}
    articles = read(corpus)
    sets = [choices(labels(articles, places), candidates), ([], [])]
    for path, own_candidates in zip(own[::2], own[1::2]):
        for all_of_it, part in zip(sets[1], choices(own_labels(read(path)), own_candidates)):
            all_of_it += part
    n = sets[0][0][0][0].shape[1]
    folds = [{a: i % 10 for i, a in enumerate(sorted({o[0] for o in owners}))} for _, owners in sets]
    hits = [[], []]
    for k in range(10):
        kept = [[g for g, o in zip(groups, owners) if fold[o[0]] != k] for (groups, owners), fold in zip(sets, folds)]
        w = fit(kept[0] * CORPUS + kept[1], n, STRENGTH)
        for (groups, owners), fold, hit in zip(sets, folds, hits):
            hit += accuracy([g for g, o in zip(groups, owners) if fold[o[0]] == k], w)
    print("cross-validated: " + ", ".join(f"{100 * np.mean(hit):.1f} %" for hit in hits))
    w = fit(sets[0][0] * CORPUS + sets[1][0], n, STRENGTH)
    print("fitted on all: " + ", ".join(f"{100 * np.mean(accuracy(groups, w)):.1f} %" for groups, _ in sets))
    print(" ".join(f"{v:.2f}" for v in w))
    if "-v" in sys.argv:
        for groups, owners in sets:
            for (x, right), owner, hit in zip(groups, owners, accuracy(groups, w)):
                if not hit:
                    s = x @ w
                    print(owner[0], owner[1], owner[2], [(owner[3][i], round(float(s[i]), 1)) for i in np.argsort(-s)[:4]])


if __name__ == "__main__":
    main()
