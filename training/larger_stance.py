"""The larger stance model (MPNet-base) as the difference that its training made to the public weights, small enough for a repository.

    python larger_stance.py pack  --base BASE --trained runs/mpnet/ema --rank 160 --out difference.safetensors
    python larger_stance.py build --base BASE --difference difference.safetensors --out runs/larger     # then export_stance.py

BASE is what start_stance.py made of all-mpnet-base-v2. A matrix's difference is kept as the product of two matrices of `rank` columns and
rows, its best approximation of that rank (Eckart and Young 1936), in int8 with one scale a row of either; vectors and the classifier are
kept as they are. The model that `build` makes is therefore not quite the trained one: its figures are those of the card.
"""
import argparse
import os

import torch
from safetensors.torch import load_file, save_file

from stance_model import int8, unpacked
from train_stance import save_folder


def pack(base, trained, rank):
    """Tensors to store: NAME.left [out, rank] and NAME.right [rank, in] of a changed matrix, NAME of anything else that changed."""
    stored, lost = {}, []
    for name, start in base.items():
        change = trained[name] - start
        if not change.any():
            continue
        if name.startswith("classifier") or change.dim() < 2:
            stored[name] = trained[name].contiguous()
            continue
        u, s, v = torch.linalg.svd(change, full_matrices=False)
        root = s[:rank].sqrt()
        lost.append((s[rank:].square().sum() / s.square().sum()).item())
        for side, matrix in (("left", u[:, :rank] * root), ("right", v[:rank] * root[:, None])):
            stored[f"{name}.{side}"], stored[f"{name}.{side}_scale"] = int8(matrix.contiguous())
    print(f"{len(lost)} matrices; of the squared change lost: {sum(lost) / max(len(lost), 1):.3f} in the mean, {max(lost, default=0):.3f} at most")
    return stored


def built(base, stored):
    stored = unpacked(stored)
    out = {name: stored.get(name, weight) for name, weight in base.items()}
    for name in base:
        if name + ".left" in stored:
            out[name] = base[name] + stored[name + ".left"] @ stored[name + ".right"]
    return out


def arguments(description):
    ap = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("what", choices=["pack", "build"])
    ap.add_argument("--base", required=True)
    ap.add_argument("--trained")
    ap.add_argument("--difference")
    ap.add_argument("--rank", type=int, default=160)
    ap.add_argument("--out", required=True)
    return ap.parse_args()


def store(tensors, args):
    save_file(tensors, args.out, metadata={"format": "pt", "rank": str(args.rank)})
    print(args.out, os.path.getsize(args.out), "bytes")


def main():
    args = arguments(__doc__)
    base = load_file(os.path.join(args.base, "model.safetensors"))
    if args.what == "pack":
        store(pack(base, unpacked(load_file(os.path.join(args.trained, "model.safetensors"))), args.rank), args)
    else:
        save_folder(args.out, args.base, built(base, load_file(args.difference)))


if __name__ == "__main__":
    main()
