"""The quote tagger: a BERT encoder (the larger one: MPNet), word labels for content, cue and source, and links from content to source and cue."""
import json
import math

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

from quote_words import BREAK, Pieces, chunks, read, type_id

CONTENT = ["O", "B", "I", "C"]   # C begins a further span of the quote that the previous content span belongs to
SPAN = ["O", "B", "I"]
N_LABELS = len(CONTENT) + 2 * len(SPAN) + 1   # + 1: speech (1) against belief, intention, plan (0)
LINK_DIM = 64
DISTANCES = 13                   # 0 overlapping; 1-6 candidate before; 7-12 candidate after, by powers of two
BETWEEN = 3                      # 0, 1, 2 or more
N_TYPES = 6


def distance_features(content, candidate, break_count, content_ends):
    """(distance bucket, line breaks between, other content spans between) of two word spans (first, last)."""
    if candidate[1] < content[0]:
        bucket, gap = 1, (candidate[1], content[0])
    elif candidate[0] > content[1]:
        bucket, gap = 7, (content[1], candidate[0])
    else:
        return 0, 0, 0
    bucket += min(5, int(math.log2(gap[1] - gap[0])))
    breaks = int(break_count[gap[1]] - break_count[gap[0]])
    others = sum(gap[0] < e < gap[1] for e in content_ends)
    return bucket, min(2, breaks), min(2, others)


class Tagger(nn.Module):
    def __init__(self, config):
        super().__init__()
        h = config.hidden_size
        # Under the name that the checkpoints of the family use.
        self.family = config.model_type
        self.add_module(self.family, {"bert": BertModel, "mpnet": MPNetModel}[self.family](config, add_pooling_layer=False))
        if self.family == "mpnet":  # has no types of its own
            self.mpnet.embeddings.token_type_embeddings = nn.Embedding(N_TYPES, h)
        self.dropout = nn.Dropout(0.1)
        self.labels = nn.Linear(h, N_LABELS)
        for name in ("source", "cue"):
            setattr(self, name + "_query", nn.Linear(3 * h, LINK_DIM))
            setattr(self, name + "_key", nn.Linear(2 * h, LINK_DIM))
            setattr(self, name + "_none", nn.Linear(3 * h, 1))
            setattr(self, name + "_distance", nn.Parameter(torch.zeros(DISTANCES)))
            setattr(self, name + "_breaks", nn.Parameter(torch.zeros(BETWEEN)))
            setattr(self, name + "_between", nn.Parameter(torch.zeros(BETWEEN)))

    @property
    def encoder(self):
        return getattr(self, self.family)

    def words(self, input_ids, type_ids, mask, firsts):
        """Hidden state of each word's first piece: [batch, words, hidden]."""
        embeddings = self.encoder.embeddings
        if self.family == "mpnet":
            given = {"inputs_embeds": embeddings.word_embeddings(input_ids) + embeddings.token_type_embeddings(type_ids)}
        else:
            given = {"input_ids": input_ids, "token_type_ids": type_ids}
        hidden = self.encoder(attention_mask=mask, **given).last_hidden_state
        return torch.gather(hidden, 1, firsts.unsqueeze(-1).expand(-1, -1, hidden.size(-1)))

    def link_scores(self, name, hidden, contents, candidates, features):
        """One chunk. hidden [words, h], contents [c, 2], candidates [s, 2] (first, last), features [c, s, 3] → [c, s + 1];
        the last column stands for "none of them"."""
        total = torch.cat([hidden.new_zeros(1, hidden.size(1)), hidden.cumsum(0)])
        first, last = contents[:, 0], contents[:, 1]
        mean = (total[last + 1] - total[first]) / (last + 1 - first).unsqueeze(1)
        rep = torch.cat([hidden[first], hidden[last], mean], 1)
        none = getattr(self, name + "_none")(rep)
        if not len(candidates):
            return none
        query = getattr(self, name + "_query")(rep)
        key = getattr(self, name + "_key")(torch.cat([hidden[candidates[:, 0]], hidden[candidates[:, 1]]], 1))
        score = query @ key.T / math.sqrt(LINK_DIM)
        score = score + getattr(self, name + "_distance")[features[..., 0]] + getattr(self, name + "_breaks")[features[..., 1]]
        score = score + getattr(self, name + "_between")[features[..., 2]]
        return torch.cat([score, none], 1)


CONFIGS = {"bert": BertConfig, "mpnet": MPNetConfig}
# MPNet's vocabulary is BERT's four places on, behind special tokens of its own. Its taggers have BERT's order, so that a teacher and its
# student read the same chunks: [PAD], [UNK], [CLS], [SEP] and [MASK] are these.
MPNET_SHIFT, MPNET_SPECIAL = 4, {0: 1, 100: 3, 101: 0, 102: 2, 103: 30526}
BERT_WORDS = 30522


def new_tagger(start_dir):
    """From a sentence encoder's weights, BERT's or MPNet's; every type begins as BERT's old row 0, for MPNet as nothing."""
    from safetensors.torch import load_file
    with open(start_dir + "/config.json", encoding="utf-8") as f:
        family = json.load(f)["model_type"]
    weights = {k.removeprefix(family + "."): v for k, v in load_file(start_dir + "/model.safetensors").items()}
    words, types = (f"embeddings.{name}_embeddings.weight" for name in ("word", "token_type"))
    if family == "mpnet":
        rows = torch.arange(BERT_WORDS) + MPNET_SHIFT
        rows[list(MPNET_SPECIAL)] = torch.tensor(list(MPNET_SPECIAL.values()))
        weights[words] = weights[words][rows]
        weights[types] = torch.zeros(N_TYPES, weights[words].shape[1])
    else:
        weights[types] = weights[types][:1].repeat(N_TYPES, 1)
    config = CONFIGS[family].from_pretrained(start_dir)
    config.vocab_size = len(weights[words])
    model = Tagger(quiet(config))
    missing, _ = model.encoder.load_state_dict(weights, strict=False)
    assert not [m for m in missing if "position_ids" not in m], missing
    return model


def quiet(config):
    """The configuration for training: on a CPU drawing the dropout masks costs a quarter of a step (masked input pieces regularise
    instead), and so does the backward pass of PyTorch's fused attention."""
    config.type_vocab_size = N_TYPES
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config._attn_implementation = "eager"
    return config


def trained(path):
    """The model of a checkpoint of train_quote_tagger.py."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = Tagger(quiet(CONFIGS[saved["config"]["model_type"]](**saved["config"])))
    model.load_state_dict(saved["model"])
    return model.eval()


def load(folder):
    """(model, reader) of a folder that export_quote_tagger.py wrote; int8 tensors become what they stand for."""
    from safetensors.torch import load_file
    with open(folder + "/config.json", encoding="utf-8") as f:
        config = json.load(f)
    stored = load_file(folder + "/model.safetensors")
    weights = {k: v.float() * stored[k + "_scale"].float()[:, None] if v.dtype == torch.int8 else v.float()
               for k, v in stored.items() if not k.endswith("_scale")}
    model = Tagger(quiet(CONFIGS[config["model_type"]](**{k: v for k, v in config.items() if k not in ("architectures", "quote_tagger")})))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all("position_ids" in m for m in missing), (missing, unexpected)
    return model.eval(), new_reader(folder, config["quote_tagger"])


def new_reader(folder, config):
    """The reader by a folder's tokenizer."""
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_padding(), tokenizer.no_truncation()
    return Reader(tokenizer, config)


def viterbi(scores, allowed, start):
    """Best path through [words, labels] log scores; allowed[a, b]: b may follow a; start[b]: b may begin."""
    n, k = scores.shape
    best = np.where(start, scores[0], -1e9)
    back = np.zeros((n, k), dtype=np.int64)
    for t in range(1, n):
        step = np.where(allowed, best[:, None], -1e9)
        back[t] = step.argmax(0)
        best = step.max(0) + scores[t]
    path = [int(best.argmax())]
    for t in range(n - 1, 0, -1):
        path.append(int(back[t][path[-1]]))
    return path[::-1]


def spans_of_path(path, inside, begins):
    """[(first, last, begin label)] of a label path; what is inside without a begin just before it is in none."""
    out = []
    for t, label in enumerate(path):
        if label in begins:
            out.append([t, t, label])
        elif label == inside and out and out[-1][1] == t - 1:
            out[-1][1] = t
    return out


CONTENT_ALLOWED = np.array([[b != 2 or a != 0 for b in range(4)] for a in range(4)])
SPAN_ALLOWED = np.array([[b != 2 or a != 0 for b in range(3)] for a in range(3)])
CONTENT_START = np.array([True, True, False, True])
SPAN_START = np.array([True, True, False])


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def is_word(w):
    return w.text != BREAK and w.text[0].isalnum()


def trim(words, first, last):
    """A span without marks, stops and breaks at its ends; None if no word is left."""
    while first <= last and not is_word(words[first]):
        first += 1
    while last >= first and not is_word(words[last]):
        last -= 1
    return (first, last) if first <= last else None


def snap_to_marks(words, first, last):
    """A content span that begins or ends within three words of an outer mark, inside the marks, reaches to it."""
    if words[first].inside:
        for k in range(first - 1, max(-1, first - 5), -1):
            if words[k].mark == "open" or not words[k].inside or words[k].text == BREAK:
                if words[k].mark == "open":
                    first = k + 1
                break
    if words[last].inside:
        for k in range(last + 1, min(len(words), last + 5)):
            if words[k].mark == "close" or not words[k].inside or words[k].text == BREAK:
                if words[k].mark == "close":
                    last = k - 1
                break
    return first, last


class Reader:
    """Text → chunks of model input."""

    def __init__(self, tokenizer, config):
        self.tokenizer, self.config = tokenizer, config
        ids = {t: tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]", "[PAD]", "[unused1]")}
        self.cls, self.sep, self.pad = ids["[CLS]"], ids["[SEP]"], ids["[PAD]"]
        self.pieces = Pieces(tokenizer, ids["[unused1]"])

    def read(self, text):
        words = [w for w in read(text) if self.pieces(w)]
        return words, [len(self.pieces(w)) for w in words]

    def encode(self, words, texts=None, types=None):
        ids, kinds, firsts = [self.cls], [0], []
        for i, w in enumerate(words):
            p = self.pieces(w, texts[i] if texts else None)
            firsts.append(len(ids))
            ids.extend(p)
            kinds.extend([types[i] if types else type_id(w)] * len(p))
        return ids + [self.sep], kinds + [0], firsts

    def batch(self, encoded):
        n = max(len(e[0]) for e in encoded)
        m = max(len(e[2]) for e in encoded)
        pad = lambda rows, size, value: torch.tensor([r + [value] * (size - len(r)) for r in rows])
        ids = pad([e[0] for e in encoded], n, self.pad)
        return (ids, pad([e[1] for e in encoded], n, 0), pad([[1] * len(e[0]) for e in encoded], n, 0),
                pad([e[2] for e in encoded], m, 0))


def link_inputs(words, contents, candidates):
    """Tensors for Tagger.link_scores."""
    break_count = np.concatenate([[0], np.cumsum([w.text == BREAK for w in words])])
    ends = [c[1] for c in contents]
    feats = [[distance_features(c, s, break_count, ends) for s in candidates] for c in contents]
    return (torch.tensor(contents).reshape(-1, 2), torch.tensor(candidates).reshape(-1, 2),
            torch.tensor(feats).reshape(len(contents), len(candidates), 3))


@torch.no_grad()
def tag(model, reader, articles, batch_size=16):
    """Per article: (words, [(chunk, label scores [words, labels], hidden [words, h])])."""
    model.eval()
    out, todo = [], []
    for a in articles:
        words, lengths = reader.read(a["text"])
        cs = chunks(words, lengths, reader.config["core_pieces"], reader.config["context_pieces"])
        out.append((words, [None] * len(cs)))
        todo += [(len(out) - 1, k, c) for k, c in enumerate(cs)]
    todo.sort(key=lambda t: t[2].n_pieces)
    for i in range(0, len(todo), batch_size):
        part = todo[i:i + batch_size]
        encoded = [reader.encode(out[a][0][c.begin:c.end]) for a, _, c in part]
        hidden = model.words(*reader.batch(encoded))
        scores = model.labels(hidden).float()
        for (a, k, c), h, s in zip(part, hidden, scores):
            n = c.end - c.begin
            out[a][1][k] = (c, s[:n].numpy().copy(), h[:n].clone())
    return out


@torch.no_grad()
def decode(model, config, words, tagged):
    """Quotes of one article, as dictionaries in the scorer's shape (offsets: see `to_json`)."""
    quotes = []
    for chunk, scores, hidden in tagged:
        part = words[chunk.begin:chunk.end]
        if not part:
            continue
        bias = np.array([0.0, config["begin_bias"], 0.0, config["begin_bias"]])
        content = log_softmax(scores[:, 0:4]) + bias
        path = viterbi(content, CONTENT_ALLOWED, CONTENT_START)
        spans, probs = [], np.exp(log_softmax(scores[:, 0:4]))
        for first, last, label in spans_of_path(path, 2, (1, 3)):
            t = trim(part, first, last)
            if t is None:
                continue
            score = float(1 - probs[t[0]:t[1] + 1, 0].mean())
            spans.append((*snap_to_marks(part, *t), label, score))
        kept = [s for i, s in enumerate(spans) if i == 0 or s[0] > spans[i - 1][1]]
        source = [t for f, l, _ in spans_of_path(viterbi(log_softmax(scores[:, 7:10]), SPAN_ALLOWED, SPAN_START), 2, (1,))
                  if (t := trim(part, f, l))]
        cue = [t for f, l, _ in spans_of_path(viterbi(log_softmax(scores[:, 4:7]), SPAN_ALLOWED, SPAN_START), 2, (1,))
               if (t := trim(part, f, l))]
        if not kept:
            continue
        bounds = [(s[0], s[1]) for s in kept]
        links = {}
        for name, candidates in (("source", source), ("cue", cue)):
            s = model.link_scores(name, hidden, *link_inputs(part, bounds, candidates))
            links[name] = torch.log_softmax(s, 1).numpy()
        speech = 1 / (1 + np.exp(-scores[:, 10]))
        for i, (first, last, label, score) in enumerate(kept):
            if chunk.begin + first < chunk.core:
                continue
            p = float(speech[first:last + 1].mean())
            j = int(links["cue"][i].argmax())
            c = cue[j] if j < len(cue) else None
            if c:
                p = (p + float(speech[c[0]:c[1] + 1].mean())) / 2
            k = int(links["source"][i].argmax())
            s = source[k] if k < len(source) else None
            at = lambda x: x and (x[0] + chunk.begin, x[1] + chunk.begin)
            quotes.append({"span": at((first, last)), "label": label, "score": score, "speech": p, "source": at(s), "cue": at(c),
                           "source_p": float(np.exp(links["source"][i].max())),
                           "inside": float(np.mean([w.inside for w in part[first:last + 1] if is_word(w)]))})
    return quotes


def to_json(text, words, quotes, config):
    """Joins continued quotes, drops what scores too low, and turns words into offsets."""
    out = []
    for q in quotes:
        least = config["min_score"] if q["inside"] < 0.5 else config["min_score_marked"]
        if q["score"] < least or q["speech"] < config["min_speech"]:
            continue
        start, end = words[q["span"][0]].start, words[q["span"][1]].end
        pieces, p = [], start
        for line in text[start:end].split("\n"):
            if line.strip():
                lead = len(line) - len(line.lstrip())
                pieces.append([p + lead, p + len(line.rstrip())])
            p += len(line) + 1
        s, c = q["source"], q["cue"]
        if q["label"] == 3 and out and same(out[-1], q):
            out[-1]["spans"] += pieces
            out[-1]["end"] = pieces[-1][1]
            continue
        o = {"start": pieces[0][0], "end": pieces[-1][1], "spans": pieces, "speaker": None, "speaker_start": None,
             "speaker_end": None, "cue": None, "cue_start": None, "cue_end": None, "cue_class": "speech" if q["speech"] >= 0.5 else "other",
             "score": round(q["score"], 4), "speech": round(q["speech"], 4), "_q": q}
        if s:
            o["speaker_start"], o["speaker_end"] = words[s[0]].start, words[s[1]].end
            o["speaker"] = text[o["speaker_start"]:o["speaker_end"]]
        if c:
            o["cue_start"], o["cue_end"] = words[c[0]].start, words[c[1]].end
            o["cue"] = text[o["cue_start"]:o["cue_end"]]
        out.append(o)
    for o in out:
        del o["_q"]
    return out


def same(previous, q):
    """Whether a continuation joins the previous quote: it has the same source, or none of its own."""
    return q["source"] is None or q["source"] == previous["_q"]["source"]


# The thresholds are the best of evaluate_quote_tagger.py --tune on articles kept out of training: they trade a little
# recall on quoted speech (e2e 90.6 to 90.2) for precision on indirect speech (e2e 56.8 to 70.2).
DEFAULTS = {"core_pieces": 224, "context_pieces": 48, "begin_bias": -0.5, "min_score": 0.7, "min_score_marked": 0.5,
            "min_speech": 0.5}


def predict(model, reader, articles):
    out = []
    for a, (words, tagged) in zip(articles, tag(model, reader, articles)):
        quotes = decode(model, reader.config, words, tagged)
        out.append({"id": a["id"], "quotes": to_json(a["text"], words, quotes, reader.config)})
    return out


def load_articles(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]
