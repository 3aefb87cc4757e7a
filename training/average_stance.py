"""Averages two stance models of one shape: START + SHARE * (TRAINED - START), as a folder export_stance.py reads.

    python average_stance.py --start DIR --trained DIR --share 0.5 --out DIR

`--neutral-shift` is added to the logit of stance neutral: the public corpora have other shares of neutral rows than news quotes, and it is
chosen on own-written quotes held aside. `--sentiment-neutral-shift` is the same for sentiment.
"""
import argparse

from stance_model import FIRST, HEADS, averaged, load_model
from train_stance import save_folder


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--start", required=True)
    ap.add_argument("--trained", required=True)
    ap.add_argument("--share", type=float, default=.5)
    ap.add_argument("--neutral-shift", type=float, default=0.0)
    ap.add_argument("--sentiment-neutral-shift", type=float, default=0.0)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    start, trained = (load_model(folder)[0].state_dict() for folder in (args.start, args.trained))
    weights = averaged(start, trained, args.share)
    for head, shift in (("stance", args.neutral_shift), ("sentiment", args.sentiment_neutral_shift)):
        weights["classifier.bias"][FIRST[head] + HEADS[head].index("neutral")] += shift
    save_folder(args.out, args.start, weights)


if __name__ == "__main__":
    main()
