"""Figures of a model folder (models/tagger) on articles with gold quotes, in full precision or as the int8 engine computes.

--tune tries the thresholds on the articles that training kept aside (the first N of the shuffled training file)."""
import argparse
import copy
import itertools
import json
import random
import sys

import torch

from quote_tagger import decode, load, load_articles, tag, to_json
from train_quote_tagger import figures, show


def round_activations(model):
    """Every encoder product gets its input rounded to int8, one symmetric scale a row, as the int8 engine does."""
    def rounded(_, inputs):
        x = inputs[0]
        scale = x.abs().amax(-1, keepdim=True).clamp_min(1e-12) / 127
        return (torch.round(x / scale) * scale,)

    for module in model.encoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(rounded)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--articles", required=True)
    ap.add_argument("--scorer", required=True, help="folder of score_quotes.py")
    ap.add_argument("--held", type=int, default=0, help="only the articles that training kept aside")
    ap.add_argument("--limit", type=int, default=0)
    ap.add_argument("--int8", action="store_true", help="round activations too")
    ap.add_argument("--tune", action="store_true")
    ap.add_argument("--predictions", help="write them here, in the scorer's shape")
    args = ap.parse_args()
    sys.path.insert(0, args.scorer)
    import score_quotes
    articles = load_articles(args.articles)
    if args.held:
        random.Random(0).shuffle(articles)
        articles = articles[:args.held]
    articles = articles[:args.limit or None]
    model, reader = load(args.model)
    if args.int8:
        round_activations(model)
    tagged = tag(model, reader, articles)

    def predicted(config, decoded={}):
        bias = config["begin_bias"]
        if bias not in decoded:
            decoded[bias] = [decode(model, config, w, t) for w, t in tagged]
        return [{"id": a["id"], "quotes": to_json(a["text"], w, copy.deepcopy(q), config)}
                for a, (w, _), q in zip(articles, tagged, decoded[bias])]

    found = predicted(reader.config)
    print(show(figures(articles, found, score_quotes)), flush=True)
    if args.predictions:
        with open(args.predictions, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(p, ensure_ascii=False) + "\n" for p in found)
    if args.tune:
        for bias, score, speech in itertools.product((-0.5, 0.0), (0.5, 0.6, 0.7, 0.8), (0.0, 0.2, 0.35, 0.5)):
            config = dict(reader.config, begin_bias=bias, min_score=score, min_speech=speech)
            f = figures(articles, predicted(config), score_quotes)
            print(f"begin_bias {bias} min_score {score} min_speech {speech}: {show(f)}", flush=True)


if __name__ == "__main__":
    main()
