"""The rows of a lesson by a larger model's hidden states (`states.py --labelled`): public rows up to a number for each source, own-written and real ones by share.

    python lesson_rows.py --public ../../shared/stance/train.jsonl ../../shared/stance/extra_negsample_neutral.jsonl --own data/own_*.jsonl runs/real.jsonl --out rows.jsonl

`runs/real.jsonl` is what `real_labels.py` writes. What is held aside stays so. Stories of turned-about targets have sources of their own (`own_turn`, `own_turn_tone`),
so that `train_stance.py --often` can count them.
"""
import argparse
import collections
import os
import random

from own_articles import own_rows
from stance_data import KEPT, by_source, load_rows, write_shuffled

# Rows of a public source at most; what is not named is left out.
PUBLIC = {"vast": 11000, "seesaw": 6000, "newsmtsc": 9000, "pstance": 5000, "semeval16a": 3000, "dse": 6000, "arc": 2400, "ibm30k_np": 2600, "ibm30k": 2600, "perspectrum": 3500,
          "ukp_sam": 2400, "ibm_kpa21": 1300, "wtwt": 1500, "covid19stance": 2200, "vacstance": 1716, "vaccinelies": 900, "multitarget": 1100, "imgarg": 700, "mpchi": 700,
          "ibm_claimstance": 900, "ibm_claimstance_np": 1200, "fin_phrasebank": 1800, "mpqa_sent": 1800, "sst2": 2500, "persent": 2200, "sick": 500, "cad_snli": 700}
# Of texts with a target that they do not speak of, all sources together.
NEGATIVE = 2200
# Shares of the rows of a kind, by how a file's name begins; the first that fits.
ARTICLES = {"own": .8, "own_second": .8, "own_tone": .8, "own_claim": .55, "own_near": .45, "own_alias": .25, "foreign": .13}
TURNS = collections.defaultdict(lambda: .8)
REAL = {"own_real": .32, "own_real_tone": .7, "own_real_names": .7}
LATER = {"own_quote": .5, "own_quote_claim": .35, "own_quote_other": .22, "own_quote_tone": .6}
EARLIER = {"own_quote": .22, "own_quote_claim": .14, "own_quote_other": .09, "own_quote_tone": .3, "own_facet": .18, "own_names": .5}
SHARES = [("own_articles_", ARTICLES), ("own_turns", TURNS), ("own_stories_1", LATER), ("own_wordings", LATER), ("own_tones_", LATER), ("own_facets_5", LATER), ("own_", EARLIER), ("", REAL)]
TURNED = {"own_quote": "own_turn", "own_quote_claim": "own_turn", "own_quote_other": "own_turn", "own_quote_tone": "own_turn_tone"}


def public_rows(path, rng):
    sources = by_source({**{key: row[key] for key in KEPT}, "target": row["target"] or ""} for row in load_rows([path]))
    if all(source.endswith("_negsample") for source in sources):
        rows = [row for rows in sources.values() for row in rows]
        return rng.sample(rows, min(NEGATIVE, len(rows)))
    return [row for source, rows in sources.items() for row in rng.sample(rows, min(PUBLIC.get(source, 0), len(rows)))]


def drawn(path, rng, least):
    """The rows of a file of own-written or real quotes that its shares draw, raised to `least` but for targets foreign to an article."""
    name = os.path.basename(path)
    shares = next(shares for begins, shares in SHARES if name.startswith(begins))
    for row in own_rows([path]):
        share = shares["foreign"] if row.get("key") == "foreign" else max(least, shares[row["source"]])
        if not row["held"] and rng.random() < share:
            yield {key: row[key] for key in KEPT} | ({"source": TURNED[row["source"]]} if shares is TURNS else {})


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--public", nargs="*", default=[])
    ap.add_argument("--own", nargs="*", default=[])
    ap.add_argument("--least", type=float, default=0, help="share of each kind at least, of files that no lesson had")
    ap.add_argument("--seed", type=int, default=20)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    rng = random.Random(args.seed)
    rows = [row for path in args.public for row in public_rows(path, rng)] + [row for path in args.own for row in drawn(path, rng, args.least)]
    rows = list({(row["text"], row["target"], row["task"]): row for row in rows}.values())
    write_shuffled(args.out, rows, rng)


if __name__ == "__main__":
    main()
