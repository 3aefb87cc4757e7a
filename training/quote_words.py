"""An article as the quote tagger reads it: words, quotation marks, type ids and chunks.

Everything here is a pure function of the text and is described, step by step, in models/tagger/README.md,
because the program computes the same in Rust. Offsets are Unicode scalars (Python indices), end-exclusive.
"""
from dataclasses import dataclass, field

BREAK = "\n"            # the pseudo-word that stands where the text has a line break
DOUBLE_OPEN = "“„«‟"
DOUBLE_CLOSE = "”»"
DOUBLE = DOUBLE_OPEN + DOUBLE_CLOSE + '"＂'
SINGLE = "‘’'‚‛`´"
OPEN_BEFORE = "([{—–-/…:"      # what may stand, besides white space, directly before an opening straight mark
NOT_AN_OPENER = {"tis", "twas", "em", "cause", "til", "till", "n", "bout", "s", "t", "re", "ve", "ll", "d", "m"}


@dataclass
class Word:
    """A run of letters and digits, one other visible character, a doubled mark, or a line break."""
    start: int
    end: int
    text: str           # as written; BREAK for a line break
    mark: str = ""      # "open", "close" where the word is a paired outer quotation mark
    inside: bool = False  # between paired outer marks (the marks themselves included)


def split_words(text):
    """Words in order. A white-space run that holds a line feed, between two words, is one BREAK."""
    words, i, n = [], 0, len(text)
    while i < n:
        c = text[i]
        if c.isspace():
            j = i
            while j < n and text[j].isspace():
                j += 1
            if "\n" in text[i:j] and words and j < n:
                words.append(Word(i, j, BREAK))
            i = j
            continue
        j = i + 1
        if c.isalnum():
            while j < n and text[j].isalnum():
                j += 1
        elif c in "'`’‘" and j < n and text[j] == c:
            j += 1
        words.append(Word(i, j, text[i:j]))
        i = j
    return words


def _is_double(w):
    return w.text in ("''", "``", "’’", "‘‘") or (len(w.text) == 1 and w.text in DOUBLE)


def _pair_line(words, text):
    """Pairs the outer marks of one line in place. Whatever mark opens first is the outer one until it closes."""
    def before(w):
        return text[w.start - 1] if w.start else " "

    def after(w):
        return text[w.end] if w.end < len(text) else " "

    def opens_double(w):
        if w.text in ("``", "‘‘") or w.text in DOUBLE_OPEN:
            return True
        if w.text in DOUBLE_CLOSE or w.text == "’’":
            return False
        b = before(w)
        return (b.isspace() or b in OPEN_BEFORE or b in SINGLE) and not after(w).isspace()

    def closes_double(w):
        # „…“ closes with a mark that elsewhere opens; a straight mark or '' closes wherever it stands.
        return w.text not in ("``", "„", "«", "‘‘")

    def opens_single(k):
        w = words[k]
        if w.text not in ("‘", "'", "‚", "`", "‛"):
            return False
        b, a = before(w), after(w)
        if not (b.isspace() or b in OPEN_BEFORE) or a.isspace() or not (a.isalpha() or a in "…." or a in DOUBLE):
            return False
        return not (k + 1 < len(words) and words[k + 1].text.lower() in NOT_AN_OPENER)

    def closes_single(w):
        return w.text in ("’", "'", "´") and not before(w).isspace() and not after(w).isalnum()

    def single_closer(k):
        """Where the single mark at k closes: the first closer after a stop or comma, else the last one; -1: nowhere.

        A closer after a letter may be the apostrophe of a plural, so it counts only where nothing better follows."""
        fallback = -1
        for j in range(k + 2, len(words)):
            if closes_single(words[j]):
                if before(words[j]) in ",.!?…—" or before(words[j]) in DOUBLE:
                    return j
                if before(words[j]) not in "sS" or fallback < 0:
                    fallback = j
                if before(words[j]) not in "sS":
                    return j
            elif opens_single(j):
                break
        return fallback

    k = 0
    while k < len(words):
        w = words[k]
        end = -1
        if _is_double(w) and opens_double(w):
            end = next((j for j in range(k + 1, len(words)) if _is_double(words[j]) and closes_double(words[j])), len(words))
        elif len(w.text) == 1 and opens_single(k):
            end = single_closer(k)
        if end < 0:
            k += 1
            continue
        w.mark = "open"
        for x in words[k:end + 1]:
            x.inside = True
        if end < len(words):
            words[end].mark = "close"
        k = end + 1


def read(text):
    """Words with their marks paired line by line (an unclosed mark holds to the end of its line, no further)."""
    words = split_words(text)
    line = []
    for w in words + [Word(0, 0, BREAK)]:
        if w.text == BREAK:
            _pair_line(line, text)
            line = []
        else:
            line.append(w)
    return words


def type_id(w):
    """0 lower case or no letter, 1 capitalised, 2 all capitals (two letters or more); + 3 between marks."""
    case = 0
    if w.text[0].isupper():
        case = 2 if len(w.text) > 1 and w.text.isupper() else 1
    return case + 3 * w.inside


def piece_text(w):
    """What the WordPiece model is given for a word: marks in one style, the rest as written."""
    if w.mark == "open":
        return "“"
    if w.mark == "close":
        return "”"
    if _is_double(w):
        return '"'
    if len(w.text) == 1 and w.text in SINGLE:
        return "'"
    return w.text


class Pieces:
    """Word → piece ids, remembered."""

    def __init__(self, tokenizer, break_id):
        self.tokenizer, self.break_id, self.known = tokenizer, break_id, {}

    def __call__(self, word, text=None):
        if word.text == BREAK:
            return (self.break_id,)
        t = text or piece_text(word)
        ids = self.known.get(t)
        if ids is None:
            ids = tuple(self.tokenizer.encode(t, add_special_tokens=False).ids[:8])
            self.known[t] = ids
        return ids


@dataclass
class Chunk:
    """words[begin:end] of an article; decisions are kept for words from `core` on."""
    begin: int
    core: int
    end: int
    n_pieces: int = field(default=0)


def chunks(words, lengths, core_pieces, context_pieces):
    """Whole lines, greedily, up to `core_pieces` each, after up to `context_pieces` of what precedes.

    A line longer than a chunk is cut after its last full stop, question or exclamation mark (and the marks that
    follow it) that still fits, or, without one, where it must."""
    out, i, n = [], 0, len(words)
    while i < n:
        used, j, stop, line_end = 0, i, -1, -1
        while j < n and used + lengths[j] <= core_pieces:
            used += lengths[j]
            if words[j].text == BREAK:
                line_end = j + 1
            elif words[j].text in ".!?" and used > core_pieces // 2:
                stop = j + 1
            elif stop == j and (words[j].mark == "close" or words[j].text in ")]"):
                stop = j + 1
            j += 1
        if j < n:
            j = line_end if line_end > 0 else stop if stop > 0 else max(j, i + 1)
        b, used = i, 0
        while b > 0 and used + lengths[b - 1] <= context_pieces:
            b -= 1
            used += lengths[b]
        out.append(Chunk(b, i, j, sum(lengths[b:j])))
        i = j
    return out
