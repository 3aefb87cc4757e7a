"""The larger quote tagger (MPNet-base) as the difference that its training made to the public weights, kept as larger_stance.py keeps the larger
stance model's; the heads are kept in half precision.

    python larger_tagger.py pack  --base BASE --trained runs/tagger-larger/tagger.pt --rank 160 --out difference.safetensors
    python larger_tagger.py build --base BASE --difference difference.safetensors --out tagger.pt     # then export_quote_tagger.py

BASE is what start_stance.py made of all-mpnet-base-v2.
"""
import torch
from safetensors.torch import load_file

from larger_stance import arguments, built, pack, store
from quote_tagger import new_tagger


def main():
    args = arguments(__doc__)
    model = new_tagger(args.base)
    base = {name: weight for name, weight in model.state_dict().items() if name.startswith("mpnet.")}
    if args.what == "pack":
        trained = torch.load(args.trained, map_location="cpu", weights_only=True)["model"]
        heads = {name: weight.half() for name, weight in trained.items() if name not in base}
        store(heads | pack(base, trained, args.rank), args)
    else:
        difference = load_file(args.difference)
        heads = {name: difference[name].float() for name in model.state_dict() if name not in base}
        torch.save({"model": heads | built(base, difference), "config": model.encoder.config.to_dict()}, args.out)


if __name__ == "__main__":
    main()
