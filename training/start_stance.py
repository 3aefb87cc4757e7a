"""Makes a stance model to start training from: pretrained MPNet or BERT weights, and a head that knows nothing yet.

    python start_stance.py --base DIR --heads ../../shared/models/stance-v0 --out DIR

DIR holds config.json, tokenizer.json and model.safetensors of the encoder alone; what the logits mean comes from --heads.
"""
import argparse
import json
import os
import shutil

import torch
from safetensors.torch import load_file, save_file


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--base", required=True)
    ap.add_argument("--heads", required=True, help="model folder whose id2label and pooling are taken over")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    base, heads = (json.load(open(os.path.join(folder, "config.json"), encoding="utf-8")) for folder in (args.base, args.heads))
    base.pop("_name_or_path", None)
    family = base["model_type"]
    base["architectures"] = [{"bert": "Bert", "mpnet": "MPNet"}[family] + "ForSequenceClassification"]
    base |= {k: heads[k] for k in ("num_labels", "pooling", "id2label", "label2id")}
    weights = {f"{family}.{k.removeprefix(family + '.')}": v.float() for k, v in load_file(os.path.join(args.base, "model.safetensors")).items()
               if "pooler" not in k and "position_ids" not in k}
    torch.manual_seed(0)
    weights["classifier.weight"] = torch.randn(base["num_labels"], base["hidden_size"]) * .02
    weights["classifier.bias"] = torch.zeros(base["num_labels"])
    save_file(weights, os.path.join(args.out, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(args.out, "config.json"), "w", encoding="utf-8") as file:
        json.dump(base, file, indent=1)
    shutil.copyfile(os.path.join(args.base, "tokenizer.json"), os.path.join(args.out, "tokenizer.json"))


if __name__ == "__main__":
    main()
