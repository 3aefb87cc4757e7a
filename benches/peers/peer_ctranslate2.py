"""CTranslate2. Variants: `int8`, `float32`."""
import os

import ctranslate2
import numpy as np
from ctranslate2.converters import TransformersConverter

import peer

model, ids_json, threads, variant = peer.arguments()
path = os.path.join(os.path.dirname(ids_json), "ctranslate2-" + variant)
if not os.path.exists(path):
    TransformersConverter(model).convert(path, quantization=variant)
encoder = ctranslate2.Encoder(path, device="cpu", intra_threads=threads, compute_type=variant)


def encode(ids, mask):
    rows = [row[:length].tolist() for row, length in zip(ids, mask.sum(1))]
    hidden = np.array(encoder.forward_batch(rows).last_hidden_state)
    weight = mask[:, :, None].astype(hidden.dtype)
    return (hidden * weight).sum(1) / weight.sum(1)


peer.serve(encode)
