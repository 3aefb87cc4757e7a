"""Planted wire copies, and how many of them are found: trimmed at the end, under another headline, with some words changed.

    python3 scripts/corpus/copies.py --articles 20000 [--copies 4000]

Copies stand anywhere after their first print. Precision: articles marked as copies that are copies of that very first print.
"""
import argparse
import collections
import json
import os
import random
import tempfile

import made


def copied(text, kind, draw):
    head, *body = text.split("\n\n")
    if kind in ("trimmed", "all"):
        body = body[: max(1, round(len(body) * draw.uniform(0.6, 0.9)))]
    if kind in ("headline", "all"):
        head = " ".join(draw.choice(made.VOCABULARY) for _ in range(8)).capitalize()
    text = "\n\n".join([head, *body])
    return changed_words(text, 0.05, draw) if kind in ("words", "all") else text


def changed_words(text, share, draw):
    """This share of all words, of any kind."""
    words = text.split(" ")
    for place in range(len(words)):
        if draw.random() < share:
            words[place] = draw.choice(made.VOCABULARY)
    return " ".join(words)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=1000, help="copies among them")
    ap.add_argument("--copies", type=int)
    args = ap.parse_args()
    draw = random.Random(11)
    copies = args.copies or args.articles // 5
    firsts = args.articles - copies
    # (place in the run, id, text of, kind): a copy comes at a random place after its first print.
    run = [(float(number), f"a{number}", number, None) for number in range(firsts)]
    for copy in range(copies):
        of = draw.randrange(firsts)
        kind = draw.choice(["trimmed", "headline", "words", "all"])
        run.append((draw.uniform(of + 0.1, firsts + 1), f"c{copy}", of, kind))
    run.sort()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("articles.jsonl", "w", encoding="utf-8") as file:
            for _, id_, of, kind in run:
                text = made.article(of)
                text = copied(text, kind, draw) if kind else text
                print(json.dumps({"id": id_, "text": text}, ensure_ascii=False), file=file)
        ran = made.run("quotes", "articles.jsonl", "-q", "-o", "out.jsonl", "--shard", "1/1", "--rules-only", "--duplicates", "mark").ok()
        marked = {}
        with open("out.jsonl.shard", encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line.split(" ", 1)[1])
                if isinstance(entry, dict) and "done" in entry:
                    first = entry["done"].get("duplicate_of")
                    marked[entry["done"]["id"]] = first and first["id"]
    found, wanted = collections.Counter(), collections.Counter()
    right = wrong = 0
    for _, id_, of, kind in run:
        expected = f"a{of}" if kind else None
        if kind:
            wanted[kind] += 1
            found[kind] += marked[id_] == expected
        if marked[id_]:
            right += marked[id_] == expected
            wrong += marked[id_] != expected
    print(f"{len(run)} articles, {copies} copies: {sum(found.values()) / copies:.2%} found, precision {right / max(1, right + wrong):.2%} "
          f"({wrong} wrong); {ran.seconds:.1f} s, {ran.mebibytes:.0f} MiB")
    print("; ".join(f"{kind}: {found[kind]} of {wanted[kind]}" for kind in wanted))


main()
