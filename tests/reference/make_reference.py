"""Writes tests/reference/NAME.json: what transformers + torch (f32) give for own-written (text, target) pairs.

    python tests/reference/make_reference.py MODEL_FOLDER tests/reference/NAME.json

The model folder is one of ours: an encoder in HF's names under `bert.`, a classifier over the mean
of the last hidden states. Needs torch, transformers, safetensors.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

LONG = (
    "The chairwoman of the harbour board, speaking after a meeting that lasted nine hours, said the "
    "dredging contract had been awarded without a second bid, that the port would pay for it out of "
    "reserves, and that nobody on the council had been told before the papers were signed. "
)
PAIRS = [
    ("We will fight this contract in every court there is.", "the contract"),
    ("We will fight this contract in every court there is.", ""),
    ("I welcome the agreement and thank everybody who worked on it.", "the agreement"),
    ("The vote is on Tuesday.", "the merger"),
    ("", "the merger"),
    ("", ""),
    ("No.", "a new airport"),
    ("It's the best thing that has happened to this town in 30 years!", "the stadium"),
    ("It's the best thing that has happened to this town in 30 years!", "the mayor"),
    ("he said he would \u201cnever, ever\u201d sign such a deal", "deal"),
    ("\u201cNot one cent,\u201d she said, \u201cwill go to the consultants.\u201d", "the consultants"),
    ("Die Gewerkschaft lehnt den Vertrag ab, erkl\u00e4rte M\u00fcller.", "Vertrag"),
    ("\u6211\u4eec\u652f\u6301\u8fd9\u9879\u653f\u7b56\u3002", "\u653f\u7b56"),
    ("\u041c\u044b \u043f\u0440\u043e\u0442\u0438\u0432 \u044d\u0442\u043e\u0433\u043e \u0441\u043e\u0433\u043b\u0430\u0448\u0435\u043d\u0438\u044f.", "\u0441\u043e\u0433\u043b\u0430\u0448\u0435\u043d\u0438\u0435"),
    ("Nous sommes tr\u00e8s d\u00e9\u00e7us par ce march\u00e9 \u00e0 5\u00a0M\u20ac.", "le march\u00e9"),
    ("cafe\u0301 owners are furious about the levy", "the levy"),
    ("Great job \U0001f44f\U0001f44f another tax on tourists \U0001f926\U0001f3fd\u200d\u2640\ufe0f", "tourist tax"),
    ("a\u200bb\u00adc \ufeffzero-width and soft hyphens\u2028everywhere", "typography"),
    ("\x00control\x07 characters\x1b and \ufffd replacement", "noise"),
    ("#StopTheDeal @council this is OUTRAGEOUS!!! http://example.org/x?y=1", "the deal"),
    ("According to the report, costs rose by 41.7 % to $1,234,567.89.", "the audit"),
    ("antidisestablishmentarianism-supercalifragilisticexpialidocious-pneumonoultramicroscopicsilicovolcanoconiosis", "long words"),
    ("x" * 150, "a word beyond the tokenizer's limit"),
    ("The union opposes the merger; the shareholders support it.", "the merger"),
    ("The union opposes the merger; the shareholders support it.", "the union"),
    ("The union opposes the merger; the shareholders support it.", "the shareholders"),
    ("I do not support the bill, and I do not oppose it either.", "the bill"),
    ("Only a fool would call the ferry contract a success.", "the ferry contract"),
    ("If the price were lower we might have considered it.", "the price"),
    ("Vaccines save lives. Period.", "vaccination"),
    ("They promised jobs. We got a car park.", "the developer"),
    ("The ministry declined to comment.", "the ministry"),
    ("Everyone I have spoken to is delighted with the school's new roof", "the new roof"),
    ("I quit", "I quit"),
    ("..." * 20, "???"),
    ("Mixed CASE Words And \u0130stanbul \u00df \ufb01 ligatures", "Stra\u00dfe"),
    (LONG, "the dredging contract"),
    (LONG * 3, "the council"),
    (LONG * 7, "the port"),
    (LONG * 8 + "It was wrong.", "the harbour board's decision to award the contract without a second bid"),
]


def main(folder, out):
    folder = Path(folder)
    raw = json.loads((folder / "config.json").read_text())
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    stored = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    scales = {name: stored.pop(name) for name in list(stored) if name.endswith("_scale")}  # of int8 matrices, one a row
    tensors = {name: tensor * scales[name + "_scale"][:, None] if name + "_scale" in scales else tensor for name, tensor in stored.items()}
    config = BertConfig(**{key: value for key, value in raw.items() if key != "architectures"})
    config._attn_implementation = "eager"
    model = BertModel(config, add_pooling_layer=False).eval()
    encoder = {name.removeprefix("bert."): tensor for name, tensor in tensors.items() if name.startswith("bert.")}
    missing, unexpected = model.load_state_dict(encoder, strict=False)
    assert not [name for name in missing if "position_ids" not in name] and not unexpected, (missing, unexpected)

    rows = []
    with torch.inference_mode():
        for text, target in PAIRS:
            encoding = tokenizer.backend_tokenizer.encode(text, target)
            ids, types = encoding.ids, encoding.type_ids
            assert len(ids) <= 512, len(ids)
            hidden = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).last_hidden_state
            logits = hidden.mean(1) @ tensors["classifier.weight"].T + tensors["classifier.bias"]
            rows.append({"text": text, "target": target, "ids": ids, "types": types,
                         "logits": [round(value, 6) for value in logits[0].tolist()]})
    with open(out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(len(rows), "pairs, longest", max(len(row["ids"]) for row in rows), "tokens")


main(*sys.argv[1:])
