"""Writes a trained stance model as the program reads it: int8 with one scale a row, what the logits mean, temperatures.

    python export_stance.py --model runs/stance/ema --out ../models/stance [--f16] [--temperatures t.json]
"""
import argparse
import json
import os
import shutil

from safetensors.torch import load_file, save_file

from stance_model import int8, unpacked


def rounded(weights):
    """Tensors to store: the encoder's matrices as int8 X and X_scale, everything else as it is."""
    stored = {}
    for name, w in weights.items():
        w = w.float().contiguous()
        if not name.startswith("classifier") and w.dim() == 2 and w.shape[0] > 8:
            stored[name], stored[name + "_scale"] = int8(w)
        else:
            stored[name] = w
    return stored


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--f16", action="store_true", help="f16 instead of int8")
    ap.add_argument("--temperatures", help="JSON object as fit_temperatures.py writes it")
    ap.add_argument("--risk-coverage", help="JSON object that examples/fit_abstention.rs put into a config.json of the same weights and temperatures")
    ap.add_argument("--surest-sentence", nargs=2, type=float, metavar=("LEAST_WORDS", "WEIGHT"), help="how the program reads long texts: whole and by the sentence that takes a side most surely")
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    weights = unpacked(load_file(os.path.join(args.model, "model.safetensors")))
    weights = {k: v for k, v in weights.items() if "position_ids" not in k and "pooler" not in k}
    stored = {k: v.half().contiguous() for k, v in weights.items()} if args.f16 else rounded(weights)
    save_file(stored, os.path.join(args.out, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(args.model, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config.pop("torch_dtype", None)
    for name in ("temperatures", "risk_coverage", "surest_sentence"):
        config.pop(name, None)
    for name, path in (("temperatures", args.temperatures), ("risk_coverage", args.risk_coverage)):
        if path:
            with open(path, encoding="utf-8") as file:
                config[name] = json.load(file)
    if args.surest_sentence:
        least_words, weight = args.surest_sentence
        config["surest_sentence"] = {"least_words": int(least_words), "weight": weight}
    with open(os.path.join(args.out, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=1)
        file.write("\n")
    source, out = (os.path.join(folder, "tokenizer.json") for folder in (args.model, args.out))
    if os.path.abspath(source) != os.path.abspath(out):
        shutil.copyfile(source, out)
    print("model.safetensors", os.path.getsize(os.path.join(args.out, "model.safetensors")), "bytes")


if __name__ == "__main__":
    main()
