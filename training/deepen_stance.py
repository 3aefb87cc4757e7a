"""Makes a BERT stance model deeper within the same number of bytes: rare word pieces go, layers that first do nothing come.

    python deepen_stance.py --model DIR --after 1 3 5 --pieces 21000 --texts TRAIN.jsonl … --out DIR

Either alone as well: a model that learns a teacher's states keeps its pieces until it has (`states.py`).

A layer is put in after each of --after (counted from 0): a copy of it whose two output matrices are zero, so that it passes its input on and
learns from there (LLaMA Pro, Wu et al. 2024). Of the vocabulary stay the special tokens, all single characters of ASCII and Latin-1 and
the pieces that are most frequent in --texts; WordPiece reads a word whose piece has gone by shorter ones.
"""
import argparse
import collections
import copy
import json
import os

import torch
from safetensors.torch import save_file

from stance_data import load_rows
from stance_model import load_model

# [PAD], the unused ones, [UNK], [CLS], [SEP] and [MASK]: kept whole, so that their numbers stay.
SPECIAL = 104


def kept_pieces(tokenizer, strings, n):
    """The numbers of the n pieces that stay, ascending."""
    counts = collections.Counter()
    for encoding in tokenizer.encode_batch(strings, add_special_tokens=False):
        counts.update(encoding.ids)
    vocab = tokenizer.get_vocab()
    kept = set(range(SPECIAL)) | {k for piece, k in vocab.items() if len(piece.removeprefix("##")) == 1 and ord(piece[-1]) < 256}
    for k, _ in counts.most_common():
        if len(kept) >= n:
            break
        kept.add(k)
    return sorted(kept)


def save_tokenizer(source, out, kept):
    with open(source, encoding="utf-8") as file:
        raw = json.load(file)
    pieces = {k: piece for piece, k in raw["model"]["vocab"].items()}
    raw["model"]["vocab"] = {pieces[k]: new for new, k in enumerate(kept)}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(raw, file, ensure_ascii=False, separators=(",", ":"))


def passing_layer(layer):
    """A layer to follow `layer`, which together make what `layer` made alone: its last scale and shift move into the new layer, between whose
    two normalisations, with no scale and shift of their own, what is normalised stays as it is."""
    new = copy.deepcopy(layer)
    scale, shift = (p.clone() for p in (layer.output.LayerNorm.weight, layer.output.LayerNorm.bias))
    for norm in (layer.output.LayerNorm, new.attention.output.LayerNorm):
        norm.weight.fill_(1)
        norm.bias.zero_()
    for part in (new.attention.output.dense, new.output.dense):
        part.weight.zero_()
        part.bias.zero_()
    # The copied readers of the layer's input expect it with scale and shift.
    attention = new.attention.self
    for part in (attention.query, attention.key, attention.value):
        part.bias += part.weight @ shift
        part.weight *= scale
    return new


@torch.no_grad()
def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--after", type=int, nargs="*", default=[])
    ap.add_argument("--pieces", type=int, help="all if not given")
    ap.add_argument("--texts", nargs="*", default=[], help="rows with a text and perhaps a target, for --pieces")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    model, tokenizer = load_model(args.model)
    kept = list(range(tokenizer.get_vocab_size()))
    if args.pieces:
        rows = load_rows(args.texts)
        strings = sorted({r["text"] for r in rows} | {r["target"] for r in rows if r.get("target")})
        kept = kept_pieces(tokenizer, strings, args.pieces)
    save_tokenizer(os.path.join(args.model, "tokenizer.json"), os.path.join(args.out, "tokenizer.json"), kept)
    words = model.encoder.embeddings.word_embeddings
    words.weight = torch.nn.Parameter(words.weight[kept])
    layers = model.encoder.encoder.layer
    for at in sorted(args.after, reverse=True):
        layers.insert(at + 1, passing_layer(layers[at]))
    with open(os.path.join(args.model, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config |= {"num_hidden_layers": len(layers), "vocab_size": len(kept)}
    with open(os.path.join(args.out, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=1)
    weights = {k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    save_file(weights, os.path.join(args.out, "model.safetensors"), metadata={"format": "pt"})
    print(f"{len(layers)} layers, {len(kept)} pieces")


if __name__ == "__main__":
    main()
