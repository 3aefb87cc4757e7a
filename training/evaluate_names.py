#!/usr/bin/env python3
"""How many quotes have the right full name: `evaluate_names.py GOLD.jsonl PRED.articles.jsonl [-v]`.

GOLD is shared/contracts/gold.jsonl (`segments`, `mention` as offsets, `speaker` as full name). A quote counts when half
of its words or more are found; names are compared without case, article and titles. By type of the gold's mention.
"""
import collections
import json
import re
import sys

PRONOUNS = {"he", "she", "they", "it", "i", "we", "one", "who"}


def plain(name):
    return re.sub(r"^(the|a|an|one) ", "", (name or "").lower().replace("’", "'")).strip()


def kind(mention, speaker):
    if mention is None:
        return "carried"
    if mention.lower() in PRONOUNS:
        return "pronoun"
    if " and " in mention:
        return "coordinated"
    if plain(mention) == plain(speaker):
        return "full name"
    return "part or title" if plain(speaker).split()[-1] in plain(mention) else "description"


def main():
    pred = {a["id"]: a["quotes"] for a in map(json.loads, open(sys.argv[2]))}
    table, types = collections.defaultdict(lambda: [0, 0]), collections.Counter()
    for article in map(json.loads, open(sys.argv[1])):
        text = article["text"]
        for quote in article["quotes"]:
            gold = {i for s, e in quote["segments"] for i in range(s, e)}
            def share(q):
                found = {i for s, e in q["spans"] for i in range(s, e)}
                return len(found & gold) / len(found | gold)
            best = max(pred.get(article["id"], []), key=share, default=None)
            if best is None or share(best) < 0.5:
                continue
            mention = quote["mention"] and text[slice(*quote["mention"])]
            found = best["speaker_canonical"]
            right = plain(found) == plain(quote["speaker"])
            row = table[kind(mention, quote["speaker"])]
            row[0] += right
            row[1] += 1
            types[best["speaker_type"]] += 1
            if not right and "-v" in sys.argv:
                print(f"{article['id']}: {mention!r} -> {quote['speaker']!r}, found {best['speaker']!r} -> {found!r} ({best['speaker_type']})")
    for name, (right, count) in sorted(table.items()):
        print(f"{name:14} {right:3}/{count:3}  {100 * right / count:5.1f} %")
    right, count = map(sum, zip(*table.values()))
    print(f"{'all':14} {right:3}/{count:3}  {100 * right / count:5.1f} %", dict(types))


main()
