"""Fits the confidence of attributions: how probable it is that the words are a quote and that the speaker is right.

    python training/export_quote_tagger.py … --out runs/unfitted --confidence zeros
    cargo run --release --example tagged_spans -- ../shared/quotes/polnear.train.jsonl train.spans.jsonl runs/unfitted
    quotestance quotes ../shared/quotes/polnear.train.jsonl -q -o train.articles.jsonl --tagger runs/unfitted
    python training/fit_quote_confidence.py ../shared/quotes polnear.train.jsonl train.spans.jsonl train.articles.jsonl > confidence.json
    python training/export_quote_tagger.py … --out models/tagger --confidence confidence.json
    python training/fit_quote_confidence.py ../shared/quotes polnear.dev.jsonl dev.spans.jsonl dev.articles.jsonl --check

Only the 40 articles kept out of the tagger's training are fitted on; what rules have found and the tagger has not is counted in all, for there
is little of it. The zeros say .5 of what the tagger has, so that no clause is left out as doubtful, and 0 of what it has not.
With --check, how well the `confidence` of the quotes given is calibrated.
A quote counts as right where half its words or more are a gold quote's and the surnames are equal (`score_quotes.py`).
"""
import argparse
import json
import math
import random
import sys

parser = argparse.ArgumentParser()
parser.add_argument("folder", help="holds score_quotes.py and the gold file")
parser.add_argument("gold")
parser.add_argument("spans", help="from examples/tagged_spans.rs")
parser.add_argument("quotes", help="from quotestance quotes, .articles.jsonl")
parser.add_argument("--check", action="store_true")
args = parser.parse_args()
sys.path.insert(0, args.folder)
import score_quotes as score  # noqa: E402

GROUPS = ["agreed", "model", "rule"]


def logit(p):
    p = min(max(p, 0.01), 0.99)
    return math.log(p / (1 - p))


def right(article, quotes):
    """Of each quote, whether it and its speaker are in the gold."""
    text = article["text"]
    mask, words = score.quoted_mask(text), score.word_spans(text)
    starts = [start for start, _ in words]
    lower = [text[start:end].casefold() for start, end in words]
    prepare = lambda some: score.prepare(text, some, False, mask, starts, lower)
    gold, found = prepare(article["quotes"]), prepare(quotes)
    result = [False] * len(found)
    for i, j, shared in score.greedy(gold, found):
        want, have = gold[i].q.get("speaker"), found[j].q.get("speaker")
        result[j] = shared >= 0.5 and bool(want) and bool(have) and score.last_name(want) == score.last_name(have)
    return [(item.q, ok) for item, ok in zip(found, result)]


def features(text, spans, quote):
    """As src/finder/confidence.rs; None for a quote that only rules found."""
    best, most = None, 0
    for span in spans:
        shared = sum(max(0, min(e, b) - max(s, a)) for s, e in span["lines"] for a, b in quote["spans"][:1])
        if shared > most:
            best, most = span, shared
    if best is None:
        return None
    group = quote["rule"] if quote["rule"] in GROUPS else "rule"
    linked = group != "rule"
    return [float(group == g) for g in GROUPS] + [
        logit(best["score"]),
        logit(best["source_probability"]) if linked else 0.0,
        float(quote["kind"] != "indirect"),
    ]


load = lambda path: [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]
gold = load(f"{args.folder}/{args.gold}")
order = gold[:]
random.Random(0).shuffle(order)
keep = {article["id"] for article in order[:40]}
spans = {line["id"]: line["spans"] for line in load(args.spans)}
quotes = {line["id"]: line["quotes"] for line in load(args.quotes)}
rows, labels, said, missed = [], [], [], {True: [], False: []}
for article in gold:
    if article["id"] not in quotes:
        continue
    # Spans are in bytes, quotes in characters.
    text = article["text"]
    at = [0]
    for char in text:
        at.append(at[-1] + len(char.encode()))
    for quote, ok in right(article, quotes[article["id"]]):
        if not quote.get("speaker"):
            continue
        if args.check:
            if quote.get("confidence") is not None:
                said.append((quote["confidence"], ok, quote["kind"]))
            continue
        quote = dict(quote, spans=[[at[s], at[e]] for s, e in quote["spans"]])
        row = features(text, spans.get(article["id"], []), quote)
        if quote["confidence"] == 0:
            missed[quote["kind"] != "indirect"].append(ok)
        elif row is not None and article["id"] in keep:
            rows.append(row)
            labels.append(ok)

if args.check:
    for kind in [None, "direct", "mixed", "indirect"]:
        some = [(p, ok) for p, ok, k in said if kind in (None, k)]
        bins = [[] for _ in range(10)]
        for p, ok in some:
            bins[min(9, int(p * 10))].append((p, ok))
        mean = lambda values: sum(values) / len(values)
        gap = sum(len(b) * abs(mean([p for p, _ in b]) - mean([ok for _, ok in b])) for b in bins if b) / len(some)
        brier = mean([(p - ok) ** 2 for p, ok in some])
        print(f"{kind or 'all'}: {len(some)} quotes, right {mean([ok for _, ok in some]):.3f}, ECE {gap:.3f}, Brier {brier:.3f}")
        if kind is None:
            for at, b in enumerate(bins):
                if b:
                    print(f"  {at / 10:.1f}: {len(b):5d}  said {mean([p for p, _ in b]):.3f}  right {mean([ok for _, ok in b]):.3f}")
else:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000).fit(rows, labels)
    fitted = dict(zip(GROUPS + ["score", "source_probability", "marked"], model.coef_[0]))
    for kind, found in (("marked", missed[True]), ("clause", missed[False])):
        fitted["missed_" + kind] = (sum(found) + 1) / (len(found) + 2)
    print(len(rows), "quotes;", *(len(found) for found in missed.values()), "that the tagger has not, marked and clauses", file=sys.stderr)
    print(json.dumps({name: round(float(value), 3) for name, value in fitted.items()}, indent=2))
