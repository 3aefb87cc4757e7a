"""Own-written articles with annotated quotes, and own-written quotes without an article, as rows; what of an article was tried as context.

The schemas are in data/README.md. Offsets here are Python indices.
"""
import hashlib
import json
import re


def held(article_id, share=.2):
    """Whether an article is held aside, by a hash of its id: whole articles, whatever else is read."""
    return int(hashlib.sha256(article_id.encode()).hexdigest()[:8], 16) / 2**32 < share


def located(text, pieces, at=0):
    """(start, end) of each piece, found in order from `at` on; None if one is missing."""
    out = []
    for piece in pieces:
        start = text.find(piece, at)
        if start < 0:
            return None
        out.append((start, start + len(piece)))
        at = start + len(piece)
    return out


def paragraphs(text):
    """(start, end) of the paragraphs: pieces between blank lines, or lines where there are none."""
    separator = r"\n[ \t\r]*\n\s*" if re.search(r"\n[ \t\r]*\n", text) else r"\n+"
    out, at = [], 0
    for m in re.finditer(separator, text):
        out.append((at, m.start()))
        at = m.end()
    out.append((at, len(text)))
    return [(s, e) for s, e in out if text[s:e].strip()]


def flat(text):
    return " ".join(text.split())


def without(text, start, end, spans):
    """text[start:end] with the spans cut out, an ellipsis for each."""
    out, at = "", start
    for s, e in spans:
        if e <= start or s >= end:
            continue
        out += text[at:max(s, at)] + "…"
        at = max(at, e)
    return flat(out + text[at:end])


def contexts(text, quotes, index):
    """The forms of context of quotes[index]; quotes are {"spans": [(start, end)], "speaker"} in the order of the text.

    around:  the paragraph without the quote's words, then the paragraph before
    speaker: the paragraph the speaker's first quote stands in, without this quote's words; then the speaker's other quotes, nearest first
    both:    the paragraph without the quote's words, the speaker's other quotes, the paragraph before
    """
    quote = quotes[index]
    spans = quote["spans"]
    found = paragraphs(text)
    at = lambda place: max((k for k, (s, _) in enumerate(found) if s <= place), default=0)
    own = at(spans[0][0])
    frame = without(text, *found[own], spans)
    before = flat(text[slice(*found[own - 1])]) if own else ""
    same = [k for k, q in enumerate(quotes) if k != index and q["speaker"] and q["speaker"] == quote["speaker"]]
    near = sorted(same, key=lambda k: (abs(k - index), k))
    others = " ".join(flat(" ".join(text[s:e] for s, e in quotes[k]["spans"])) for k in near)
    first = at(quotes[min(same + [index])]["spans"][0][0])
    introduced = without(text, *found[first], spans)
    join = lambda *parts: " ".join(p for p in parts if p)
    return {"around": join(frame, before), "speaker": join(introduced, others), "both": join(frame, others, before)}


# What the six targets of a quote or a story are reported as: the contested thing, claims about it, others.
QUOTE_GROUPS = ("own_quote", "own_quote_claim", "own_quote_claim", "own_quote_other", "own_quote_other", "own_quote_other")
FACET_GROUPS = ("own_facet",) * 6
REAL_GROUPS = ("own_real",) * 6
LETTERS = {"f": "favor", "a": "against", "n": "neutral"}
TONES = {"p": "positive", "n": "negative", "0": "neutral"}


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def quote_rows(text, pairs, tone, aside, groups=QUOTE_GROUPS, tone_group="own_quote_tone"):
    """Rows of a quote that stands alone: toward each of its targets, and its tone."""
    common = {"text": text, "contexts": {}, "held": aside}
    for k, ((target, label), group) in enumerate(zip(pairs, groups)):
        yield {**common, "id": f"{digest(text)}-{k}", "target": target, "label": label, "source": group, "task": "stance"}
    yield {**common, "id": f"{digest(text)}-tone", "target": "", "label": tone, "source": tone_group, "task": "sentiment"}


def single_rows(record):
    """Rows of one line of a file of quotes, of sentences with names, or of stories whose quotes share six targets.
    What is real (`real_labels.py`) names its document: all of one is held aside or nothing."""
    real = record.get("doc")
    if "q" in record:
        groups = (REAL_GROUPS, "own_real_tone") if real else ()
        yield from quote_rows(record["q"], record["s"], record["tone"], held(real or digest(record["q"]), .1), *groups)
        return
    if "x" in record:
        for k, (name, label) in enumerate(record["e"]):
            yield {"text": record["x"], "target": name, "label": label, "contexts": {}, "held": held(real or digest(record["x"]), .1),
                   "id": f"{digest(record['x'])}-{k}", "source": "own_real_names" if real else "own_names", "task": "tsc"}
        return
    aside = held(digest(record["t"][0]), .1)
    groups = FACET_GROUPS if record.get("facets") else QUOTE_GROUPS
    for text, labels, tone in record["k"]:
        yield from quote_rows(text, zip(record["t"], (LETTERS[c] for c in labels)), TONES[tone], aside, groups)


def own_rows(paths):
    """Rows of own-written articles and quotes: each quote toward each of its targets, and its tone."""
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            articles = [json.loads(line) for line in file if line.strip()]
        for article in articles:
            if "id" not in article:
                rows += single_rows(article)
                continue
            text, aside = article["text"], held(article["id"])
            quotes = []
            for q in article["quotes"]:
                spans = located(text, q["spans"])
                if spans:
                    quotes.append({**q, "spans": spans})
            quotes.sort(key=lambda q: q["spans"][0])
            for k, q in enumerate(quotes):
                forms = contexts(text, quotes, k)
                words = " ".join(text[s:e] for s, e in q["spans"])
                common = {"text": words, "contexts": forms, "held": aside, "article": article["id"], "tags": q.get("tags", []), "quote": k}
                stance = dict(q["stance"])
                stance.setdefault("alias", stance["primary"])
                for key, group in (("primary", "own"), ("alias", "own_alias"), ("claim", "own_claim"), ("counter", "own_claim"),
                                   ("second", "own_second"), ("near", "own_near"), ("foreign", "own_near")):
                    rows.append({**common, "id": f"{article['id']}-{k}-{key}", "target": article["targets"][key],
                                 "label": stance.get(key, "neutral"), "source": group, "task": "stance", "key": key})
                rows.append({**common, "contexts": {}, "id": f"{article['id']}-{k}-tone", "target": "", "label": q["tone"],
                             "source": "own_tone", "task": "sentiment", "key": "tone"})
    return rows
