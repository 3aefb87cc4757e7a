"""Trains the quote tagger on articles with gold quotes. See README.md for the command.

On some processors oneDNN's AMX kernels crash; ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16 in the environment avoids them."""
import argparse
import collections
import copy
import os
import random
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

from own_articles import located
from quote_tagger import DEFAULTS, Tagger, is_word, link_inputs, load, load_articles, new_reader, new_tagger, predict, spans_of_path, trained, trim
from quote_words import BREAK, read, type_id

STYLES = {  # 1:1 replacements of double marks, open and close
    "straight": ('"', '"'), "curly": ("“", "”"), "guillemets": ("«", "»"), "british": ("‘", "’"), "british straight": ("'", "'")}


def restyle(text, rng):
    """The text with its double marks in another style, offsets unchanged."""
    name = rng.choice(list(STYLES))
    o, c = STYLES[name]
    out = list(text)
    for w in read(text):
        if w.end - w.start == 1 and w.mark == "open" and w.text in '"“':
            out[w.start] = o
        elif w.end - w.start == 1 and w.mark == "close" and w.text in '"”':
            out[w.start] = c
        elif name.startswith("british") and w.inside and w.text in "‘’" and not (out[w.start - 1].isalnum() and w.end < len(text)
                                                                                    and text[w.end].isalnum()):
            if w.text == "‘":
                out[w.start] = "“" if name == "british" else '"'
    return "".join(out)


def labelled(article, text, reader):
    """Words and, per word, labels; and the quotes as word spans."""
    words, lengths = reader.read(text)
    starts = np.array([w.start for w in words])
    n = len(words)
    content, cue, source, speech = np.zeros(n, int), np.zeros(n, int), np.zeros(n, int), np.full(n, -1)

    def word_span(s, e):
        i, j = int(np.searchsorted(starts, s)), int(np.searchsorted(starts, e)) - 1
        if i > 0 and words[i - 1].end > s + (words[i - 1].end - words[i - 1].start) / 2:
            i -= 1
        return trim(words, i, j)

    def mentions(q):
        """Word spans of the source and the cue, each None where there is none."""
        return [word_span(q[part + "_start"], q[part + "_end"]) if q.get(part + "_start") is not None else None for part in ("speaker", "cue")]

    def mark(labels, span):
        """Whether the span was free to be labelled."""
        free = span is not None and not labels[span[0]:span[1] + 1].any()
        if free:
            labels[span[0]], labels[span[0] + 1:span[1] + 1] = 1, 2
        return free

    quotes = []
    order = sorted(article["quotes"], key=lambda q: min(s for s, _ in q["spans"]))
    for q in order:
        spans = [t for s, e in sorted(q["spans"]) if (t := word_span(s, e))]
        joined = []
        for f, l in spans:
            if joined and not any(is_word(w) for w in words[joined[-1][1] + 1:f]):
                joined[-1][1] = l
            else:
                joined.append([f, l])
        if joined and joined[0][1] > joined[0][0] and words[joined[0][0]].text.lower() == "that":
            joined[0] = list(trim(words, joined[0][0] + 1, joined[0][1]))
        speak, cue_span = mentions(q)
        kind = int(q["cue_class"] == "speech")
        for k, (f, l) in enumerate(joined):
            if content[f:l + 1].any():
                continue
            content[f], content[f + 1:l + 1] = 3 if k and (quotes and quotes[-1]["q"] is q) else 1, 2
            speech[f:l + 1] = kind
            quotes.append({"span": (f, l), "source": speak, "cue": cue_span, "q": q})
        mark(source, speak)
        if mark(cue, cue_span):
            speech[cue_span[0]:cue_span[1] + 1] = kind
    if "doubtful" in article:
        for s, e, all_of_it in article["doubtful"]:
            i, j = np.searchsorted(starts, [s, e])
            content[i:j] = -1 if all_of_it else np.where(content[i:j] == 0, -1, content[i:j])
        if "others" not in article:
            cue[:], source[:] = -1, -1
        for q in article.get("others", []):
            for labels, span in zip((source, cue), mentions(q)):
                mark(labels, span)
        quotes = [x for x in quotes if "cue_start" in x["q"]]
    for x in quotes:
        del x["q"]
    return {"words": words, "lengths": lengths, "content": content, "cue": cue, "source": source, "speech": speech, "quotes": quotes}


def own_articles(paths, model, reader, sources):
    """The own-written articles, for where quotes are: their mentions and cues are shorter than the corpus's. With `sources`, cues, sources
    and links are as `model` finds them; else they are not taught. What the articles label otherwise than the corpus is `doubtful`, (start,
    end, whether what they do label there is left out too): what `model` takes for a quote and no label does (then one of the `others`),
    since they label speech only and the corpus beliefs and plans too; sentences with a few quoted words, of which they take the words
    alone; and what stands between a cue and the clause ("urged the board to stay"), which the corpus takes in."""
    out = [own_article(a) for path in paths for a in load_articles(path)]
    for a, found in zip(out, predict(model, reader, out)):
        labelled = [tuple(s) for q in a["quotes"] for s in q["spans"]]
        free = lambda s, e: all(e <= b or s >= f for b, f in labelled)
        a["doubtful"] += [(*s, False) for q in found["quotes"] for s in q["spans"] if free(*s)]
        if sources:
            a["others"] = []
            for q in found["quotes"]:
                same = [own for own in a["quotes"] if any(s < f and b < e for s, e in q["spans"] for b, f in own["spans"])]
                for own in same:
                    own.update({key: q[key] for key in MENTIONS})
                a["others"] += [] if same else [q]
    return out


# Where a quote's source and cue are.
MENTIONS = ("speaker_start", "speaker_end", "cue_start", "cue_end")


def own_article(a):
    """An own-written article with the places of its quotes."""
    text, quotes, doubtful, at = a["text"], [], [], 0
    for q in a["quotes"]:
        spans = located(text, q["spans"], at) or located(text, q["spans"])
        at, end = spans[0][0], spans[-1][1]
        quotes.append({"spans": spans, "speaker": None, "speaker_start": None, "cue_class": "speech"})
        begin = 1 + max(text.rfind(sign, 0, at) for sign in ".!?\n")
        if q["kind"] == "mixed" or q["kind"] == "direct" and len(q["spans"]) == 1 and text[at].islower():
            stop = [i for sign in ".!?\n" if (i := text.find(sign, end)) >= 0]
            doubtful.append((begin, min(stop, default=len(text)), True))
        elif q["kind"] == "indirect" and q["cue"] and (cue := text.rfind(q["cue"], begin, at)) >= 0:
            between = text[cue + len(q["cue"]):at].split()
            if between and between != ["that"]:
                first = (text[at:].split() or [""])[0]
                doubtful.append((cue + len(q["cue"]), at + len(first), True))
    return {"id": a["id"], "text": text, "quotes": quotes, "doubtful": doubtful}


def name_pools(articles, reader):
    """Capitalised words of the sources' names: (given names, surnames)."""
    given, last = collections.Counter(), collections.Counter()
    for a in articles:
        for q in a["quotes"]:
            parts = (q["speaker"] or "").split(",")[0].split()
            if 2 <= len(parts) <= 3 and all(p[0].isupper() and p.isalpha() for p in parts):
                given[parts[0]] += 1
                last[parts[-1]] += 1
    stop = {"The", "A", "An", "His", "Her", "Mr", "Mrs", "President", "Democratic", "Republican", "Trump", "House", "Senate",
            "Court", "Party", "Times", "Journal", "University", "Americans", "Republicans", "Democrats", "Department"}
    return sorted(set(given) - set(last) - stop), sorted(set(last) - set(given) - stop)


def swapped(words, pools, rng):
    """Word texts with some of the article's names replaced, the same name always by the same other."""
    given, last = (set(p) for p in pools)
    mapping, texts = {}, []
    for w in words:
        t = w.text
        if t in given or t in last:
            if t not in mapping:
                mapping[t] = rng.choice(pools[0] if t in given else pools[1]) if rng.random() < 0.7 else t
            texts.append(mapping[t])
        else:
            texts.append(None)
    return texts


def random_chunks(n, lengths, words, rng, core, context):
    """Chunks at random line starts: (begin, end), the whole chunk counts."""
    out, i = [], 0
    while i < n:
        size = rng.randint(int(core * 0.5), int(core * 1.2))
        used, j, line_end = 0, i, -1
        while j < n and used + lengths[j] <= size:
            used += lengths[j]
            if words[j].text == BREAK:
                line_end = j + 1
            j += 1
        if j < n and line_end > 0:
            j = line_end
        j = max(j, i + 1)
        b, used = i, 0
        room = rng.choice([0, context, context])
        while b > 0 and used + lengths[b - 1] <= room:
            b -= 1
            used += lengths[b]
        out.append((b, i, j))
        i = j
    return out


def examples(articles, reader, pools, rng, args):
    """One epoch's chunks, encoded and labelled."""
    out = []
    for a in articles:
        text = restyle(a["text"], rng) if rng.random() < args.restyle else a["text"]
        if rng.random() < 0.15:
            text = text.replace("\n\n", " \n")
        d = labelled(a, text, reader)
        words = d["words"]
        texts = swapped(words, pools, rng) if rng.random() < args.swap else [None] * len(words)
        lower = rng.random() < 0.05
        core = reader.config["core_pieces"]
        for b, c, e in random_chunks(len(words), d["lengths"], words, rng, core, reader.config["context_pieces"]):
            part = words[b:e]
            types = [type_id(w) for w in part]
            if lower:
                types = [3 * (t // 3) for t in types]
            ids, kinds, firsts = reader.encode(part, texts[b:e], types)
            for k in range(1, len(ids) - 1):
                if rng.random() < args.mask:
                    ids[k] = 103
            quotes = []
            for q in d["quotes"]:
                if b <= q["span"][0] < e:
                    quotes.append({"span": (q["span"][0] - b, min(q["span"][1], e - 1) - b),
                                   "source": local(q["source"], b, e), "cue": local(q["cue"], b, e)})
            content = d["content"][b:e].copy()
            # A span whose begin lies before the chunk has no label here that decoding could use.
            k = 0
            while k < len(content) and content[k] == 2:
                content[k] = -1
                k += 1
            out.append({"own": a.get("own", False), "words": part, "encoded": (ids, kinds, firsts), "content": content, "cue": d["cue"][b:e],
                        "source": d["source"][b:e], "speech": d["speech"][b:e], "quotes": quotes})
    return out


def local(span, b, e):
    return (span[0] - b, span[1] - b) if span and span[0] >= b and span[1] < e else None


def padded(batch, key, words):
    """[chunks, words] of a label of each word, -1 where there is none."""
    return torch.tensor(np.stack([np.pad(x[key], (0, words - len(x[key])), constant_values=-1) for x in batch]))


def spans_of(labels):
    """[(first, last)] of word labels."""
    return [(first, last) for first, last, _ in spans_of_path(labels, 2, (1, 3))]


# Each word's labels: name, first and last score, weight in the loss.
WORD_LABELS = (("content", 0, 4, 2.0), ("cue", 4, 7, 1.0), ("source", 7, 10, 1.0))


def loss_of(model, batch, hidden, scores, args):
    """What the gold labels say of a batch: hidden [chunks, words, h], scores [chunks, words, labels]."""
    m = hidden.size(1)
    loss = 0.0
    for key, begin, end, weight in WORD_LABELS:
        labels = padded(batch, key, m).flatten()
        total = F.cross_entropy(scores[..., begin:end].flatten(0, 1), labels, ignore_index=-1, label_smoothing=args.smooth, reduction="sum")
        loss = loss + weight * total / (labels >= 0).sum().clamp(min=1)
    sp = padded(batch, "speech", m)
    known = sp >= 0
    speech = F.binary_cross_entropy_with_logits(scores[..., 10][known], sp[known].float()) if known.any() else 0.0
    link, n = 0.0, 0
    for x, h in zip(batch, hidden):
        if not x["quotes"]:
            continue
        contents = [q["span"] for q in x["quotes"]]
        for name in ("source", "cue"):
            candidates = spans_of(x[name])
            index = {c: k for k, c in enumerate(candidates)}
            gold = [index.get(q[name], len(candidates)) for q in x["quotes"]]
            s = model.link_scores(name, h, *link_inputs(x["words"], contents, candidates))
            link = link + F.cross_entropy(s, torch.tensor(gold), reduction="sum")
            n += len(gold)
    return loss + 0.3 * speech + 0.3 * link / max(n, 1)


# From so many batches the map to a teacher's states is fitted.
FIT_BATCHES = 40


class Teacher:
    """A larger tagger, whose answers to the same chunks are taught: its labels of every word, its links among the spans that it sees, and by
    a linear map its hidden states (TinyBERT, Jiao et al. 2020). For one that was taught no sources of own-written articles, and finds few there:
    the cues, sources and links of what is `own` are those of the tagger before."""

    def __init__(self, path, before, bf16):
        self.model, self.before, self.bf16 = trained(path), before, bf16

    @torch.no_grad()
    def fit(self, student, reader, batches):
        """The map begins as the least squares of some batches: from chance a teacher's far but steady dimensions would outweigh all else."""
        pairs = []
        for batch in batches:
            real = real_words(batch)
            pairs.append([encoded(model, reader, batch, self.bf16)[0][real] for model in (student, self.model)])
        found, wanted = (torch.cat(states) for states in zip(*pairs))
        self.deviation, mean, center = wanted.std(0), wanted.mean(0), found.mean(0)
        weight = torch.linalg.lstsq(found - center, wanted - mean).solution.T
        self.map = torch.nn.Linear(*weight.T.shape)
        self.map.weight.copy_(weight), self.map.bias.copy_(mean - weight @ center)

    def loss(self, student, reader, batch, hidden, scores, states):
        """How far the student is from the teacher, with `states` times what it misses of the states."""
        with torch.no_grad():
            theirs, wanted = encoded(self.model, reader, batch, self.bf16)
            own = [k for k, x in enumerate(batch) if x["own"]]
            if own:
                before, labels = encoded(self.before, reader, [batch[k] for k in own], self.bf16)
                wanted[own, :labels.size(1), 4:10] = labels[..., 4:10]
        real = real_words(batch)
        loss = 0.0
        for _, begin, end, weight in WORD_LABELS:
            p = wanted[..., begin:end].softmax(-1)
            loss = loss - weight * (p * scores[..., begin:end].log_softmax(-1)).sum(-1)[real].mean()
        loss = loss + 0.3 * F.binary_cross_entropy_with_logits(scores[..., 10][real], wanted[..., 10][real].sigmoid())
        link, n = 0.0, 0
        for k, (x, h, w) in enumerate(zip(batch, hidden, wanted.numpy())):
            linker, t = (self.before, before[own.index(k)]) if x["own"] else (self.model, theirs[k])
            size = len(x["content"])
            seen = {name: spans_of(w[:size, begin:end].argmax(1)) for name, begin, end, _ in WORD_LABELS}
            if not seen["content"]:
                continue
            for name in ("source", "cue"):
                inputs = link_inputs(x["words"], seen["content"], seen[name])
                with torch.no_grad():
                    p = linker.link_scores(name, t, *inputs).softmax(1)
                link = link - (p * student.link_scores(name, h, *inputs).log_softmax(1)).sum()
                n += len(seen["content"])
        missed = ((self.map(hidden[real]) - theirs[real]) / self.deviation).square().mean()
        return loss + 0.3 * link / max(n, 1) + states * missed, missed.item()


def real_words(batch):
    """[chunks, words]: True where the batch has a word, False where padding."""
    lengths = torch.tensor([len(x["content"]) for x in batch])
    return torch.arange(int(lengths.max())) < lengths[:, None]


def encoded(model, reader, batch, bf16):
    """(hidden states of the words, their scores) of a batch of chunks."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        hidden = model.words(*reader.batch([x["encoded"] for x in batch]))
    hidden = model.dropout(hidden.float())
    return hidden, model.labels(hidden)


def figures(articles, predicted, scorer):
    gold = {a["id"]: a for a in articles}
    pred = {p["id"]: p for p in predicted}
    out = {}
    for name, subset, speech in (("quoted", "quoted", False), ("direct", "direct", False), ("indirect", "indirect", True), ("all", "all", True)):
        o = scorer.score(gold, pred, subset, speech)
        out[name] = {"exact": o["span_exact"]["F1"], "iou50": [o["span_iou50"][k] for k in ("P", "R", "F1")], "e2e": o["e2e"]["F1"],
                     "qtok": o["attr_quoted_token"]["F1"], "last": o["speaker_lastname_acc"]}
    return out


def show(f):
    return " | ".join(f"{k} ex {v['exact']:.1f} iou50 {v['iou50'][0]:.0f}/{v['iou50'][1]:.0f}/{v['iou50'][2]:.1f} e2e {v['e2e']:.1f} qtok {v['qtok']:.1f} spk {v['last']}"
                      for k, v in f.items())


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--train", required=True, help="articles, one JSON object a line")
    ap.add_argument("--start", required=True, help="folder of the encoder to start from, or a tagger.pt to go on from")
    ap.add_argument("--tagger", help="go on from this folder of an exported tagger in place of the encoder")
    ap.add_argument("--own", nargs="*", default=[], help="own-written articles (data/own_articles_*.jsonl)")
    ap.add_argument("--doubts", help="folder of the exported tagger whose doubts about them are not taught (default: --tagger)")
    ap.add_argument("--own-sources", action="store_true", help="teach its cues, sources and links in them")
    ap.add_argument("--teacher", help="tagger.pt of a larger tagger to be taught by as well")
    ap.add_argument("--unlabelled", help="articles that only the teacher labels; with a true \"own\", own-written ones")
    ap.add_argument("--unlabelled-each", type=int, default=300, help="how many of them an epoch")
    ap.add_argument("--before", help="folder of the exported tagger whose sources own-written articles keep (default: --tagger)")
    ap.add_argument("--teacher-share", type=float, default=.7, help="its share of the loss")
    ap.add_argument("--state-weight", type=float, default=1.0)
    ap.add_argument("--bf16", action="store_true", help="products in bf16, where the processor has them")
    ap.add_argument("--compile", action="store_true", help="compile the layers (needs a C++ compiler)")
    ap.add_argument("--own-each", type=int, default=300, help="how many of them an epoch")
    ap.add_argument("--scorer", required=True, help="folder of score_quotes.py")
    ap.add_argument("--out", required=True)
    ap.add_argument("--held", type=int, default=40)
    ap.add_argument("--epochs", type=int, default=6)
    ap.add_argument("--batch", type=int, default=8)
    ap.add_argument("--lr", type=float, default=2e-4)
    ap.add_argument("--head-lr", type=float, default=1e-3)
    ap.add_argument("--restyle", type=float, default=0.4)
    ap.add_argument("--swap", type=float, default=0.5)
    ap.add_argument("--mask", type=float, default=0.05)
    ap.add_argument("--smooth", type=float, default=0.0)
    ap.add_argument("--ema", type=float, default=0.995)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--minutes", type=float, default=40)
    ap.add_argument("--eval-every", type=int, default=2)
    args = ap.parse_args()
    sys.path.insert(0, args.scorer)
    import score_quotes
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    articles = load_articles(args.train)
    random.Random(0).shuffle(articles)
    held, train = articles[:args.held], articles[args.held:]
    if args.tagger:
        model, reader = load(args.tagger)
    else:
        # For an MPNet, --doubts names a tagger whose tokenizer is BERT's.
        reader = new_reader(args.doubts or args.start, dict(DEFAULTS))
        model = trained(args.start) if args.start.endswith(".pt") else new_tagger(args.start)
    own = own_articles(args.own, *(load(args.doubts) if args.doubts else (model, reader)), args.own_sources) if args.own else []
    unlabelled = [{**a, "quotes": [], "doubtful": [(0, len(a["text"]), True)]} for a in load_articles(args.unlabelled)] if args.unlabelled else []
    mix = lambda: train + rng.sample(own, min(args.own_each, len(own))) + rng.sample(unlabelled, min(args.unlabelled_each, len(unlabelled)))
    pools = name_pools(train, reader)
    # 333 articles cannot teach 30,000 words: the word embeddings stay as they are, which also halves the optimiser's work.
    model.encoder.embeddings.word_embeddings.weight.requires_grad = False
    teacher = Teacher(args.teacher, load(args.before)[0] if args.before else copy.deepcopy(model).eval(), args.bf16) if args.teacher else None
    if args.compile:
        for each in (model, teacher.model) if teacher else (model,):
            for layer in each.encoder.encoder.layer:
                layer.compile(dynamic=True)
    first = examples(mix(), reader, pools, rng, args)
    if teacher:
        teacher.fit(model.eval(), reader, [first[i:i + args.batch] for i in range(0, len(first), len(first) // FIT_BATCHES + 1)])
    body = [p for n, p in model.named_parameters() if p.requires_grad and n.startswith(model.family) and "token_type" not in n]
    heads = [p for p in model.parameters() if p.requires_grad and not any(p is q for q in body)] + list(teacher.map.parameters() if teacher else [])
    optimizer = torch.optim.AdamW([{"params": body, "lr": args.lr}, {"params": heads, "lr": args.head_lr}], weight_decay=0.01, fused=True)
    total = args.epochs * (len(first) // args.batch + 1)
    print(f"{len(train)} articles, {len(own)} own-written, {len(unlabelled)} unlabelled, {len(first)} chunks, {sum(len(x['encoded'][0]) for x in first)} pieces, {total} steps, pools {len(pools[0])} {len(pools[1])}", flush=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1, s / (0.06 * total)) * max(0.02, 1 - s / total))
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    moving = [(average[n], p) for n, p in model.named_parameters() if p.requires_grad]
    step, begun = 0, time.time()
    for epoch in range(args.epochs):
        data = first if epoch == 0 else examples(mix(), reader, pools, rng, args)
        data.sort(key=lambda x: len(x["encoded"][0]) + rng.random() * 40)
        batches = [data[i:i + args.batch] for i in range(0, len(data), args.batch)]
        rng.shuffle(batches)
        model.train()
        sums = misses = 0.0
        for i, b in enumerate(batches):
            hidden, scores = encoded(model, reader, b, args.bf16)
            loss = loss_of(model, b, hidden, scores, args)
            if teacher:
                taught, missed = teacher.loss(model, reader, b, hidden, scores, args.state_weight)
                misses += missed
                loss = (1 - args.teacher_share) * loss + args.teacher_share * taught
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            sums += float(loss.detach())
            if step % 50 == 0:
                print(f"step {step} loss {sums / (i + 1):.3f}{f' states {misses / (i + 1):.3f}' if teacher else ''} {time.time() - begun:.0f} s", flush=True)
            decay = min(args.ema, step / (step + 10))
            with torch.no_grad():
                torch._foreach_lerp_([a for a, _ in moving], [p.detach() for _, p in moving], 1 - decay)
        line = f"epoch {epoch + 1} loss {sums / len(batches):.4f} {time.time() - begun:.0f} s"
        if args.held and ((epoch + 1) % args.eval_every == 0 or epoch + 1 == args.epochs):
            shadow = Tagger(model.encoder.config)
            shadow.load_state_dict(average)
            line += " " + show(figures(held, predict(shadow, reader, held), score_quotes))
        print(line, flush=True)
        torch.save({"model": average, "config": model.encoder.config.to_dict(), "args": vars(args)}, args.out + "/tagger.pt")
        if time.time() - begun > args.minutes * 60:
            break


if __name__ == "__main__":
    main()
