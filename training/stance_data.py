"""What the stance model is trained on: a balanced mix of the public sources, targets turned about, and own-written articles.

Every row is {"text", "target", "label", "task", "source", "context"?}.
"""
import collections
import hashlib
import json
import random
import re

# What a row is kept with where it is labelled or taught.
KEPT = ("text", "target", "label", "source", "task")
# Rows of each source in one round of the mix: large sources and easy ones are held back, so that no style dominates; what is not named
# comes whole, and a number above a source's size repeats it. Sources with long rows cost by tokens, so arc is held back too. anli stays
# near chance at this size.
ROWS = {"ibm30k": 1200, "ibm30k_np": 3000, "ibm_claimstance": 800, "ibm_claimstance_np": 1200, "ibm_kpa21": 1000, "perspectrum": 4500,
        "wtwt": 1500, "covid19stance": 2500, "dse": 7400, "arc": 1600, "handeset": 0, "imgarg": 400, "mpchi": 500, "multitarget": 1000,
        "ukp_sam": 2200, "vaccinelies": 800, "pstance": 3500, "fin_phrasebank": 1800, "mpqa_sent": 1500, "sst2": 1800, "persent": 1000,
        "sick": 400, "cad_snli": 600, "anli_r1": 0, "anli_r2": 0, "anli_r3": 0, "seesaw": 7000, "vast_negsample": 400,
        "ibm30k_negsample": 200, "ibm30k_np_negsample": 300, "ibm_claimstance_np_negsample": 150, "perspectrum_negsample": 400,
        "seesaw_negsample": 350}
# Rows turned neutral by another target, as a share of the source's: those without a neutral label would teach that their style never is.
FOREIGN = {"ibm30k": .1, "ibm30k_np": .08, "ibm_claimstance": .1, "ibm_claimstance_np": .1, "ibm_kpa21": .1, "perspectrum": .06,
           "seesaw": .05, "pstance": .06, "imgarg": .1, "vast": .02}
# Share of stance rows whose target is turned about or put another way; more than this cost VAST and SEESAW what it gained on flips.
TURNED = .06

OPPOSED = ["ending {}", "a ban on {}", "opposition to {}", "the campaign against {}", "scrapping {}", "{} is a mistake", "{} should be stopped",
           "{} does more harm than good", "We should reject {}", "getting rid of {}", "the case against {}", "a vote against {}", "{} must go",
           "stopping {}", "{} is a bad idea", "blocking {}", "It is time to end {}", "It would be wrong to support {}", "criticism of {}"]
SAME = ["support for {}", "{} is a good idea", "We should support {}", "{} should go ahead", "keeping {}", "defending {}", "the case for {}",
        "going ahead with {}", "{} should stay", "a vote for {}", "{} is right", "in favour of {}", "{} deserves support", "the benefits of {}",
        "It would be wrong to end {}", "We should not give up {}"]
CLAIM_OPPOSED = ["It is not true that {}", "It is wrong that {}", "the argument against the view that {}", "No one should think that {}"]
CLAIM_SAME = ["It is true that {}", "the view that {}", "We agree that {}"]
NEGATIONS = [(r"\bshould not\b", "should"), (r"\bshouldn['’]t\b", "should"), (r"\bshould\b", "should not"), (r"\bmust\b", "must not"),
             (r"\bwould\b", "would not"), (r"\b(is|are|was|were) not\b", r"\1"), (r"\b(is|are|was|were)\b", r"\1 not"), (r"\bcan\b", "cannot")]
VERB = re.compile(r"\b(should|shouldn['’]t|must|would|is|are|was|were|can|cannot|will|does|do|has|have)\b")
FLIP = {"favor": "against", "against": "favor", "neutral": "neutral"}


def lower_first(target):
    """The target as it stands inside a sentence: only a first word like "The" or "We" loses its capital."""
    return target[0].lower() + target[1:] if re.match(r"(The|A|An|We|This|It|There|All|Our|No|That|In)\b", target) else target


def turned(target, label, rng):
    """A target that says the same or the opposite, and the label toward it."""
    if not target:
        return target, label
    if not VERB.search(target):
        opposed = rng.random() < .6
        return rng.choice(OPPOSED if opposed else SAME).format(lower_first(target)), FLIP[label] if opposed else label
    opposed = rng.random() < .75
    if opposed and rng.random() < .7:
        for pattern, put in NEGATIONS:
            new, n = re.subn(pattern, put, target, count=1)
            if n:
                return new, FLIP[label]
    return rng.choice(CLAIM_OPPOSED if opposed else CLAIM_SAME).format(lower_first(target.rstrip("."))), FLIP[label] if opposed else label


def load_rows(paths):
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
    return rows


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_shuffled(path, rows, rng):
    """Shuffles the rows, writes them and tells how many each source has."""
    rng.shuffle(rows)
    write_rows(path, rows)
    print(f"{len(rows)} rows: {dict(collections.Counter(row['source'] for row in rows).most_common())}")


def by_source(rows):
    """{source: its rows}"""
    sources = collections.defaultdict(list)
    for row in rows:
        sources[row["source"]].append(row)
    return sources


class Mix:
    """Rounds of rows. Round k depends on the seed and k alone, so that a stopped training goes on with the same rows."""

    def __init__(self, rows, seed, own=(), own_share=0.0, own_forms=None, turned=TURNED, sizes=ROWS):
        self.seed, self.own, self.own_share, self.own_forms, self.turned, self.sizes = seed, list(own), own_share, own_forms, turned, sizes
        self.sources = by_source(rows)
        self.targets = {s: sorted({r["target"] for r in rs}) for s, rs in self.sources.items()}

    def part(self, name, k, n):
        """Rows k*n to (k+1)*n of an endless list of the source's rows, shuffled anew each time through."""
        rows, out, at = self.sources[name], [], k * n
        while len(out) < n:
            lap, place = divmod(at, len(rows))
            order = list(range(len(rows)))
            random.Random(f"{self.seed} {name} {lap}").shuffle(order)
            more = [rows[i] for i in order[place:place + n - len(out)]]
            out, at = out + more, at + len(more)
        return out

    def round(self, k, parts=16):
        """The k-th part of the mix: one sixteenth of `sizes`, augmented."""
        rng = random.Random(f"{self.seed} round {k}")
        out = []
        for name in sorted(self.sources):
            n = self.sizes.get(name, len(self.sources[name]))
            n = n // parts + (rng.random() < n % parts / parts)
            for row in self.part(name, k, n) if n else []:
                if row["task"] == "stance":
                    row = self.augmented(row, rng)
                out.append(row)
        if self.own:
            # own_share of the rows; each article's rows come equally often.
            n = int(len(out) * self.own_share / (1 - self.own_share))
            rows = []
            while len(rows) < n:
                rows += rng.sample(self.own, min(len(self.own), n - len(rows)))
            out += [self.own_row(row, rng) for row in rows]
        rng.shuffle(out)
        return out

    def own_row(self, row, rng):
        row = dict(row)
        forms = row.pop("contexts", None)
        if forms and self.own_forms:
            form = rng.choice(self.own_forms)
            if form != "none" and forms.get(form):
                row["context"] = forms[form]
        if row["task"] == "stance" and row["source"] in ("own", "own_alias", "own_claim", "own_second") and rng.random() < .15:
            target, label = turned(row["target"], row["label"], rng)
            row |= {"target": target, "label": label}
        return row

    def augmented(self, row, rng):
        name = row["source"]
        if rng.random() < FOREIGN.get(name, 0):
            other = "vast" if name in ("pstance", "imgarg") else name
            words = set(re.findall(r"[a-z]{4,}", (row["target"] + " " + row["text"]).lower()))
            for _ in range(5):
                target = rng.choice(self.targets[other])
                if target and not words & set(re.findall(r"[a-z]{4,}", target.lower())):
                    row = dict(row, target=target, label="neutral")
                    break
        if rng.random() < self.turned:
            target, label = turned(row["target"], row["label"], rng)
            row = dict(row, target=target, label=label)
        return row


class Labelled:
    """Rounds of rows that a teacher has labelled: a sixteenth of them each, shuffled anew each time through; and `own_share` of own-written rows,
    which it has not."""

    def __init__(self, rows, seed, own=(), own_share=0.0):
        self.rows, self.seed, self.own, self.own_share = rows, seed, list(own), own_share

    def round(self, k, parts=16):
        lap, part = divmod(k, parts)
        order = list(range(len(self.rows)))
        random.Random(f"{self.seed} lap {lap}").shuffle(order)
        rng = random.Random(f"{self.seed} round {k}")
        rows = [self.rows[i] for i in order[part::parts]]
        if self.own:
            rows += rng.choices(self.own, k=int(len(rows) * self.own_share / (1 - self.own_share)))
            rng.shuffle(rows)
        return rows


def half(row_id):
    """0 or 1 by a hash of the id: which half of the development rows a row belongs to (fit on 0, report on 1)."""
    return hashlib.sha256(str(row_id).encode()).digest()[0] & 1
