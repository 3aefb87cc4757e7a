"""The stance model: a BERT or MPNet encoder, the mean of its last hidden states, one linear layer with three heads of three logits.

Input, as the program forms it: `[CLS] text [SEP] target [SEP]`, or with a context `[CLS] text [SEP] context [SEP] target [SEP]`; token
type 0 up to the [SEP] before the target, 1 from the target on. An empty target leaves `[CLS] text [SEP] [SEP]`. MPNet has no token types
and two separators between parts: `<s> text </s> </s> target </s>`.
"""
import dataclasses
import json
import os

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

# Tokens of context at most: more costs time for every quote.
CONTEXT_TOKENS = 64
# Tokens of a target at most in training.
TARGET_TOKENS = 48
HEADS = {"stance": ("favor", "against", "neutral"), "sentiment": ("positive", "negative", "neutral"),
         "nli": ("entailment", "contradiction", "neutral")}
FIRST = {"stance": 0, "sentiment": 3, "nli": 6}


@dataclasses.dataclass(frozen=True)
class Form:
    """How a family of encoders joins the parts of its input."""
    first: int
    last: int
    between: tuple
    pad: int
    token_types: bool

    def overhead(self):
        """Special tokens around a text and a target."""
        return 2 + len(self.between)

    def sequence(self, text, target, context=None):
        """(ids, types) of token ids; the context is left out if it is None."""
        head = [self.first, *text, *self.between] + ([*context, *self.between] if context else [])
        return head + [*target, self.last], [0] * len(head) + [int(self.token_types)] * (len(target) + 1)

    def padded(self, sequences):
        """ids, types, mask [batch, longest] of (ids, types)."""
        longest = max(len(ids) for ids, _ in sequences)
        ids = torch.full((len(sequences), longest), self.pad, dtype=torch.long)
        types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, (i, t) in enumerate(sequences):
            ids[row, :len(i)], types[row, :len(t)], mask[row, :len(i)] = torch.tensor(i), torch.tensor(t), 1
        return ids, types, mask


FORMS = {"bert": Form(101, 102, (102,), 0, True), "mpnet": Form(0, 2, (2, 2), 1, False)}


def head_of(task):
    """The head that answers a row's task: targeted and untargeted sentiment share one."""
    return "sentiment" if task == "tsc" else task


class StanceModel(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.form = FORMS[config.model_type]
        encoder = {"bert": BertModel, "mpnet": MPNetModel}[config.model_type](config, add_pooling_layer=False)
        # Under the name that the checkpoints of the family use.
        self.family = config.model_type
        self.add_module(self.family, encoder)
        self.classifier = torch.nn.Linear(config.hidden_size, 9)

    @property
    def encoder(self):
        return getattr(self, self.family)

    def hidden(self, ids, types, mask):
        """Last hidden states [batch, tokens, hidden] of padded sequences [batch, tokens]."""
        types = {"token_type_ids": types} if self.form.token_types else {}
        return self.encoder(input_ids=ids, attention_mask=mask, **types).last_hidden_state

    def answers(self, hidden, mask):
        """Logits [batch, 9] of last hidden states."""
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        return self.classifier((hidden * weight).sum(1) / weight.sum(1))

    def forward(self, ids, types, mask):
        """Logits [batch, 9] of padded sequences [batch, tokens]."""
        return self.answers(self.hidden(ids, types, mask), mask)


def int8(matrix):
    """(int8, scale of each row) of a matrix, as unpacked() reads them."""
    scale = matrix.abs().amax(1).clamp_min(1e-12) / 127
    return torch.round(matrix / scale[:, None]).clamp(-127, 127).to(torch.int8), scale


def probabilities(task, logits):
    """Probability of each label of the head that answers the task, of a row's nine logits."""
    head = head_of(task)
    return dict(zip(HEADS[head], torch.softmax(logits[FIRST[head]:FIRST[head] + 3], 0).tolist()))


def unpacked(tensors):
    """The f32 weights of a safetensors file in f32, f16 or int8 with one scale a row (X and X_scale)."""
    out = {}
    for name, tensor in tensors.items():
        if name.endswith("_scale"):
            continue
        scale = tensors.get(name + "_scale")
        out[name] = tensor.float() if scale is None else tensor.float() * scale.float()[:, None]
    return out


def averaged(start, trained, share):
    """The weights start + share * (trained - start) of two models of one shape."""
    return {k: v + share * (trained[k] - v) if v.is_floating_point() else v for k, v in start.items()}


def load_model(folder):
    """(model, tokenizer) of a model folder or of a checkpoint folder written in training."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        raw = json.load(file)
    # Dropout costs a tenth of the time on a CPU and a model this small, trained for an epoch or two, does not need it.
    family = {"bert": BertConfig, "mpnet": MPNetConfig}[raw["model_type"]]
    config = family(**{k: v for k, v in raw.items() if k not in ("architectures", "torch_dtype", "id2label", "label2id", "num_labels")}
                        | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
                    # The backward pass of PyTorch's fused attention takes half of a training step on a CPU.
                    attn_implementation="eager")
    model = StanceModel(config)
    weights = unpacked(load_file(os.path.join(folder, "model.safetensors")))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not [name for name in missing if "position_ids" not in name], missing
    assert not [name for name in unexpected if "position_ids" not in name], unexpected
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return model, tokenizer


class Pieces:
    """Token ids of strings without special tokens, each string tokenised once."""

    def __init__(self, tokenizer):
        self.tokenizer, self.known = tokenizer, {}

    def prepare(self, strings):
        new = [s for s in dict.fromkeys(strings) if s not in self.known]
        for start in range(0, len(new), 4096):
            part = new[start:start + 4096]
            for s, e in zip(part, self.tokenizer.encode_batch(part, add_special_tokens=False)):
                self.known[s] = e.ids

    def __call__(self, string):
        ids = self.known.get(string)
        if ids is None:
            ids = self.known[string] = self.tokenizer.encode(string, add_special_tokens=False).ids
        return ids


def beginning(length, room, rng):
    """Where the part of a text that is read in training begins: anywhere in a text longer than `room`, mostly at 0. The program reads windows."""
    return 0 if length <= room or rng.random() < .6 else rng.randrange(length - room + 1)


def windows(text, room):
    """The pieces in which the program reads a text that is longer than `room`: each but the last half new."""
    step = max(room // 2, 1)
    more = -(-max(len(text) - room, 0) // step)
    for window in range(more + 1):
        end = min(window * step + room, len(text))
        yield text[max(end - room, 0):end]


@torch.inference_mode()
def predict(model, pieces, rows, window=128, batch_tokens=4096):
    """What the model answers, logits [rows, 9], to rows {"text", "target", "context"?}, read as the program does: a context fills what the
    text leaves of the window, from its beginning; a text too long for it is read in windows, whose answers are averaged."""
    form, sequences, owner = model.form, [], []
    for index, row in enumerate(rows):
        text, target = pieces(row["text"]), pieces(row["target"])[:64]
        room = window - form.overhead() - len(target)
        context = row.get("context")
        if context and len(text) + 1 < room:
            sequences.append(form.sequence(text, target, pieces(context)[:min(CONTEXT_TOKENS, room - 1 - len(text))]))
            owner.append(index)
            continue
        for part in windows(text, room):
            sequences.append(form.sequence(part, target))
            owner.append(index)
    model.eval()
    answers, counts = None, torch.zeros(len(rows), 1)
    order = sorted(range(len(sequences)), key=lambda k: len(sequences[k][0]))
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * len(sequences[order[end]][0]) <= batch_tokens:
            end += 1
        batch = order[start:end]
        out = model(*form.padded([sequences[k] for k in batch]))
        if answers is None:
            answers = torch.zeros(len(rows), out.shape[1])
        for k, row in zip(batch, out):
            answers[owner[k]] += row
            counts[owner[k]] += 1
        start = end
    return answers / counts.clamp_min(1)
