"""The larger quote tagger (MPNet-base) as the difference that its training made to the public weights, kept as larger_stance.py keeps the larger
stance model's; the heads are kept in half precision.

    python larger_tagger.py pack  --start START --checkpoint runs/tagger-larger/tagger.pt --rank 160 --out difference.safetensors
    python larger_tagger.py build --start START --difference difference.safetensors --out tagger.pt     # then export_quote_tagger.py

START is what start_stance.py made of all-mpnet-base-v2.
"""
import argparse
import os

import torch
from safetensors.torch import load_file, save_file

from larger_stance import built, pack
from quote_tagger import new_tagger


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("what", choices=["pack", "build"])
    ap.add_argument("--start", required=True)
    ap.add_argument("--checkpoint")
    ap.add_argument("--difference")
    ap.add_argument("--rank", type=int, default=160)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    model = new_tagger(args.start)
    base = {name: weight for name, weight in model.state_dict().items() if name.startswith("mpnet.")}
    if args.what == "pack":
        trained = torch.load(args.checkpoint, map_location="cpu", weights_only=True)["model"]
        heads = {name: weight.half() for name, weight in trained.items() if name not in base}
        save_file(heads | pack(base, trained, args.rank), args.out, metadata={"format": "pt", "rank": str(args.rank)})
        print(args.out, os.path.getsize(args.out), "bytes")
    else:
        difference = load_file(args.difference)
        heads = {name: difference[name].float() for name in model.state_dict() if name not in base}
        torch.save({"model": heads | built(base, difference), "config": model.encoder.config.to_dict()}, args.out)


if __name__ == "__main__":
    main()
