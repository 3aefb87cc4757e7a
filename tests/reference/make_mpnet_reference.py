"""Writes tests/reference/mpnet.json: what transformers + torch (f32) give for a small MPNet with token types, as a quote tagger's encoder is.

    PYTHONPATH=training python tests/reference/make_mpnet_reference.py tests/reference/mpnet.json

Its weights are counted out, so that a test can make the same: see `weight`. Needs torch, transformers.
"""
import json
import sys

import torch
from transformers import MPNetConfig

from quote_tagger import Tagger, quiet

SIZES = {"vocab_size": 30522, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128,
         "max_position_embeddings": 42, "layer_norm_eps": 1e-5, "relative_attention_num_buckets": 32}


def weight(tensor, name, shape):
    """A tensor of the model, the how-manieth by name: numbers from -.25 to .25; a norm's weights are one more."""
    size = torch.Size(shape).numel()
    counted = (tensor * 7919 + torch.arange(size) * 104729) % 2003
    return ((counted / 2003 - .5) / 2).reshape(shape) + float(name.endswith("LayerNorm.weight"))


def main(out):
    encoder = Tagger(quiet(MPNetConfig(**SIZES))).eval()
    shapes = {name: tensor.shape for name, tensor in encoder.state_dict().items() if name.startswith("mpnet.") and "position_ids" not in name}
    weights = {name: weight(k, name, shapes[name]) for k, name in enumerate(sorted(shapes))}
    encoder.load_state_dict(weights, strict=False)
    rows = []
    for length in (1, 3, 12, 40):
        ids, types = ([(step * k + length) % below for k in range(length)] for step, below in ((1009, 30522), (5, 6)))
        with torch.inference_mode():
            states = encoder.words(torch.tensor([ids]), torch.tensor([types]), torch.ones(1, length), torch.arange(length)[None])
        rows.append({"ids": ids, "types": types, "mean": [round(value, 6) for value in states[0].mean(0).tolist()]})
    with open(out, "w") as file:
        json.dump({"config": {"model_type": "mpnet", "type_vocab_size": 6, **SIZES}, "tensors": {name: list(shapes[name]) for name in sorted(shapes)}, "rows": rows}, file)
        file.write("\n")


main(*sys.argv[1:])
