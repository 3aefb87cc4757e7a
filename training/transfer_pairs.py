"""Pairs of a text and a target that no one has labelled, for a teacher to label: a small model learns from them what it cannot from the
few targets that a text was annotated with.

A known text with another target, most often one near to its own; a sentence or two of a longer text; a known text with some words put in the place of
others that are like them (as in TinyBERT: Jiao et al. 2020); parts of two texts as one; a target turned
about; the words of news articles, with the names that stand in the article and with known targets near to the words; passages of any running text, with known targets, names and topics taken from the passage itself.
"""
import collections
import random
import re

import torch

from own_articles import flat
from stance_data import turned

SENTENCE_END = re.compile(r"(?<=[.!?])[\"'’”)]*\s+(?=[\"'‘“(]?[A-Z0-9])")
NAME = re.compile(r"\b[A-Z][\w'’&.-]*\w(?:\s+(?:of|the|for|and)(?=\s+[A-Z])|\s+[A-Z][\w'’&-]*\w){0,5}")
# Known targets that count as near to a text.
NEAR = 60
# A topic's words stand between such ones.
WORD = re.compile(r"[A-Za-z][\w'’-]*|[.,;:!?()\"“”]")
FUNCTION = set("a about after again all also am an and any are as at be because been before being but by can could did do does doing don't down each even every few "
               "for from get go going got had has have having he her here him his how i i'm if in into is isn't it it's its just know like made make many may me might "
               "more most much must my no nor not now of off on one only or other our out over own put said same say says she should so some such take than that "
               "that's the their them then there these they think this those to too two under until up us very want was way we well were what when where which while "
               "who why will with would year years yes yet you your never today himself herself themselves itself that’s it’s cannot yesterday tomorrow always ever "
               "something nothing someone anyone everyone people".split())
# Words that begin a sentence with a capital and name no one.
NO_NAME = set("a an and as at but by for from he her his how i if in it its my no not of on or our she so that the their then there these they this those to was we what when "
              "where which who why with yes you your after before also all some many most one two three still now today monday tuesday wednesday thursday friday saturday "
              "sunday january february march april may june july august september october november december".split())


class NearTargets:
    """Known targets, and which of them are near to a text: cosine of the mean word vectors of the encoder, rare pieces weighing more."""

    def __init__(self, targets, pieces, model, words=14):
        self.targets, self.pieces = sorted(t for t in targets if t and len(t.split()) <= words), pieces
        pieces.prepare(self.targets)
        table = model.encoder.embeddings.word_embeddings.weight.detach().float()
        count = torch.zeros(len(table))
        for target in self.targets:
            count[list(set(pieces(target)))] += 1
        self.table = (table - table.mean(0)) * torch.log((1 + len(self.targets)) / (1 + count))[:, None]
        self.known = {}
        self.vectors = self.embedded(self.targets)

    def embedded(self, texts):
        """[texts, width], each of length 1."""
        ids = [self.pieces(t)[:64] or [0] for t in texts]
        starts = torch.tensor([0] + [len(i) for i in ids]).cumsum(0)[:-1]
        sums = torch.nn.functional.embedding_bag(torch.tensor([i for text in ids for i in text]), self.table, starts, mode="sum")
        return torch.nn.functional.normalize(sums, dim=1).bfloat16()

    def near(self, texts):
        """For each text the nearest known targets, nearest first, without the text itself."""
        self.pieces.prepare(texts)
        new = [t for t in dict.fromkeys(texts) if t not in self.known]
        for start in range(0, len(new), 256):
            part = new[start:start + 256]
            best = torch.topk((self.embedded(part) @ self.vectors.T).float(), min(NEAR + 1, len(self.targets))).indices.tolist()
            for text, found in zip(part, best):
                self.known[text] = [self.targets[k] for k in found if self.targets[k].lower() != text.lower()][:NEAR]
        return [self.known[t] for t in texts]


def sentences(text):
    return [s for s in SENTENCE_END.split(text) if s.strip()]


def run_of(parts, counts, rng):
    """So many of the sentences as one of the counts says, from any of them on."""
    start = rng.randrange(len(parts))
    return " ".join(parts[start:start + rng.choice(counts)])


def other_pairs(rows, near, foreign, crops, seed):
    """Rows without a label beside the stance rows: `foreign` of them with another target, `crops` of them with a part of the text."""
    rng = random.Random(seed)
    out = []
    rows = [r for r in rows if r["task"] == "stance"]
    for row, others in zip(rows, near.near([r["target"] for r in rows])):
        if rng.random() < foreign:
            target = rng.choice(others if rng.random() < .75 else near.targets)
            out.append(dict(row, target=target, label=None))
        if rng.random() < crops:
            parts = sentences(row["text"])
            if len(parts) > 2:
                part = run_of(parts, (1, 2), rng)
                if len(part.split()) > 4:
                    out.append(dict(row, text=part, label=None))
    return out


def topics(text):
    """Runs of one to three words between function words and marks: what an annotator might name as a text's topic (VAST's targets were found so)."""
    out, run = [], []
    for word in WORD.findall(text) + ["."]:
        if word.lower() not in FUNCTION and word[0].isalpha():
            run.append(word)
            continue
        if run and (len(run) > 1 or len(run[0]) > 4):
            out.append(" ".join(run[-3:]))
        run = []
    return out


class Replaced:
    """Texts with some words put in the place of others: of the `like` nearest word vectors of the encoder."""

    def __init__(self, tokenizer, model, like=8):
        self.like = like
        vocabulary = tokenizer.get_vocab()
        self.words = sorted(w for w in vocabulary if w.isalpha() and w.isascii() and len(w) > 2 and w not in FUNCTION)
        table = model.encoder.embeddings.word_embeddings.weight.detach().float()
        self.vectors = torch.nn.functional.normalize(table[[vocabulary[w] for w in self.words]], dim=1)
        self.place, self.known = {w: k for k, w in enumerate(self.words)}, {}

    def near(self, word):
        if word not in self.known:
            best = torch.topk(self.vectors @ self.vectors[self.place[word]], self.like + 1).indices.tolist()
            self.known[word] = [self.words[k] for k in best if self.words[k] != word]
        return self.known[word]

    def __call__(self, text, share, rng):
        def other(match):
            word = match.group()
            if word.lower() not in self.place or rng.random() >= share:
                return word
            found = rng.choice(self.near(word.lower()))
            return found.capitalize() if word[0].isupper() else found
        return re.sub(r"[A-Za-z]+", other, text)


def replaced_pairs(rows, near, replaced, share, seed):
    """Rows without a label beside `share` of the rows: the text with words replaced, the target its own, one from the text or one near to its own."""
    rng = random.Random(seed)
    rows = [r for r in rows if rng.random() < share]
    out = []
    for row, others in zip(rows, near.near([r["target"] or "it" for r in rows])):
        target, kind = row["target"], rng.random()
        if row["task"] == "stance" and kind < .55:
            found = topics(row["text"]) if kind < .25 else others
            target = rng.choice(found or others)
        out.append(dict(row, text=replaced(row["text"], rng.choice((.1, .2, .3)), rng), target=target, label=None))
    return out


def turned_pairs(rows, share, seed):
    """Rows without a label beside `share` of the stance rows whose target is a few words: the same target or its opposite in other words."""
    rng = random.Random(seed)
    rows = [r for r in rows if r["task"] == "stance" and len(r["target"].split()) <= 4 and rng.random() < share]
    return [dict(r, target=turned(r["target"], "neutral", rng)[0], label=None) for r in rows]


def joined_pairs(rows, share, seed, most_words=80):
    """Rows without a label, `share` as many as the stance rows: one or two sentences each of two texts of a source, with a target of either; half of them share their target."""
    rng = random.Random(seed)
    sources, targets = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        if row["task"] == "stance" and row["text"].strip():
            sources[row["source"]].append(row)
            targets[row["source"], row["target"]].append(row)
    out = []
    for source, known in sources.items():
        for row in known:
            if rng.random() >= share:
                continue
            other = rng.choice(targets[source, row["target"]] if rng.random() < .5 else known)
            text = " ".join(run_of(sentences(r["text"]), (1, 2), rng) for r in (row, other))
            if other is not row and len(text.split()) <= most_words:
                out.append(dict(row, text=text, target=rng.choice((row, other))["target"], label=None))
    return out


class Passages:
    """Pairs from running texts {"text", "source"}: one to four sentences."""

    def __init__(self, texts, near, most_words=90):
        self.near, self.most_words = near, most_words
        self.texts = [(t["source"], sentences(t["text"])) for t in texts]
        self.weights = [len(s) for _, s in self.texts]

    def pairs(self, count, seed):
        rng = random.Random(seed)
        out = []
        while len(out) < count:
            source, parts = rng.choices(self.texts, self.weights)[0]
            passage = run_of(parts, (1, 1, 2, 3, 4), rng)
            if not 6 < len(passage.split()) <= self.most_words:
                continue
            row, kind, names = {"text": passage, "label": None, "source": source}, rng.random(), News.names(passage)
            if kind < .08:
                out.append({**row, "target": "", "task": "sentiment"})
            elif kind < .35 and names:
                out.append({**row, "target": rng.choice(names), "task": rng.choice(("tsc", "stance"))})
            elif kind < .6 and (found := topics(passage)):
                out.append({**row, "target": rng.choice(found), "task": "stance"})
            else:
                out.append({**row, "target": rng.choice(self.near.near([passage])[0][:40]), "task": "stance"})
        return out


class News:
    """Pairs from news articles {"text", "quotes": [{"content"}]}: quotes with names and topics of their article, sentences with names."""

    def __init__(self, articles, near):
        self.near, self.quotes, self.sentences = near, [], []
        for article in articles:
            text = flat(article["text"])
            names = list(dict.fromkeys(self.names(text)))
            # What an article names more than once it may be about.
            recurring = [t for t, n in collections.Counter(topics(text)).items() if n > 1]
            for quote in article["quotes"]:
                content = flat(quote["content"])
                if len(content.split()) > 4 and names:
                    self.quotes.append((content, names, recurring or names))
            for sentence in sentences(text):
                found = self.names(sentence)
                if found and 6 < len(sentence.split()) < 70:
                    self.sentences.append((sentence, found))

    @staticmethod
    def names(text):
        return [m.group() for m in NAME.finditer(text) if m.group().split()[0].lower() not in NO_NAME and len(m.group()) > 2]

    def pairs(self, count, seed):
        rng = random.Random(seed)
        out = []
        for _ in range(count):
            kind, row = rng.random(), {"label": None, "source": "news"}
            if kind < .25:
                sentence, names = rng.choice(self.sentences)
                out.append({**row, "text": sentence, "target": rng.choice(names), "task": "tsc"})
                continue
            quote, names, recurring = rng.choice(self.quotes)
            target = (rng.choice(names) if kind < .45 else rng.choice(recurring) if kind < .7
                      else rng.choice(self.near.near([quote])[0][:30]) if kind < .92 else "")
            out.append({**row, "text": quote, "target": target, "task": "stance" if target else "sentiment"})
        return out
