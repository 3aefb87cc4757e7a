"""Writes a trained quote tagger as the program reads it, and what the program's tests compare with.

The encoder's matrices become int8 with one scale a row (tensor X and X_scale); vectors and the heads stay f32.
The reference is computed from the rounded weights, so that it differs from the program's by rounding errors only.
"""
import argparse
import json
import os
import shutil

import torch
from safetensors.torch import save_file

from quote_tagger import DEFAULTS, decode, load, tag, to_json
from quote_words import chunks
from stance_model import averaged, int8

# As src/tagger.rs.
CONFIDENCE = ("agreed", "model", "rule", "score", "source_probability", "marked", "missed_marked", "missed_clause")


def rounded(weights, family):
    """The tensors to store. Small matrices stay as they are: token types, and the relative bias of an MPNet's attention."""
    stored = {}
    for name, w in weights.items():
        w = w.float().contiguous()
        if "position_ids" in name:
            continue
        if name.startswith(family + ".") and w.dim() == 2 and w.shape[0] > 32:
            stored[name], stored[name + "_scale"] = int8(w)
        else:
            stored[name] = w
    return stored


def reference(model, reader, texts):
    """Every step of each text, offsets in Unicode scalars."""
    out = []
    for text in texts:
        (words, tagged), = tag(model, reader, [{"text": text}])
        _, lengths = reader.read(text)
        config = reader.config
        steps = []
        for c in chunks(words, lengths, config["core_pieces"], config["context_pieces"]):
            ids, kinds, _ = reader.encode(words[c.begin:c.end])
            steps.append({"begin": c.begin, "core": c.core, "end": c.end, "ids": ids, "types": kinds})
        quotes = decode(model, config, words, tagged)
        found = to_json(text, words, quotes, config)
        for q in found:
            for key in ("speaker", "cue_start", "cue_end", "cue_class"):
                q.pop(key)
        out.append({"text": text, "words": [[w.start, w.end, w.mark, w.inside] for w in words], "chunks": steps, "quotes": found})
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--checkpoint", required=True, help="tagger.pt of train_quote_tagger.py")
    ap.add_argument("--start", required=True, help="folder of the encoder it was trained from, for tokenizer.json (an MPNet's: of a BERT)")
    ap.add_argument("--out", required=True, help="the model folder, such as models/tagger")
    ap.add_argument("--tagger", help="an exported tagger that the checkpoint is averaged with, such as the one it was trained on from")
    ap.add_argument("--share", type=float, default=1.0, help="the checkpoint's share of that average")
    ap.add_argument("--articles", help="own-written articles for the reference, a JSON list of texts")
    ap.add_argument("--reference", help="the reference to write, such as tests/reference/tagger.json")
    ap.add_argument("--confidence", help="what fit_quote_confidence.py printed, or zeros, to fit it; without it the program says no `confidence`")
    ap.add_argument("--min-speech", type=float, default=DEFAULTS["min_speech"])
    args = ap.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    weights, family = saved["model"], saved["config"]["model_type"]
    if args.tagger:
        weights = averaged(load(args.tagger)[0].state_dict(), weights, args.share)
    os.makedirs(args.out, exist_ok=True)
    save_file(rounded(weights, family), args.out + "/model.safetensors", metadata={"format": "pt"})
    thresholds = dict(DEFAULTS, min_speech=args.min_speech)
    if args.confidence == "zeros":
        thresholds["confidence"] = dict.fromkeys(CONFIDENCE, 0.0)
    elif args.confidence:
        with open(args.confidence, encoding="utf-8") as f:
            thresholds["confidence"] = json.load(f)
    keep = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
            "type_vocab_size", "vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id", "relative_attention_num_buckets")
    config = {"architectures": ["QuoteTagger"], "model_type": family, **{k: saved["config"][k] for k in keep if k in saved["config"]},
              "quote_tagger": thresholds}
    with open(args.out + "/config.json", "w", encoding="utf-8") as f:
        json.dump(config, f, indent=2)
        f.write("\n")
    shutil.copyfile(args.start + "/tokenizer.json", args.out + "/tokenizer.json")
    print("model.safetensors", os.path.getsize(args.out + "/model.safetensors"), "bytes")
    if args.reference:
        model, reader = load(args.out)
        with open(args.articles, encoding="utf-8") as f:
            texts = json.load(f)
        with open(args.reference, "w", encoding="utf-8") as f:
            f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in reference(model, reader, texts)) + "\n]\n")


if __name__ == "__main__":
    main()
