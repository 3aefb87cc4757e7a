"""How soon a run ends after SIGTERM, with the quote tagger, short articles and a document that takes minutes.

    python3 scripts/corpus/signals.py --articles 200 --times 10 [--options="--rules-only"]
"""
import argparse
import os
import random
import signal
import subprocess
import tempfile
import time

import made


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=100)
    ap.add_argument("--times", type=int, default=3)
    ap.add_argument("--options", default="")
    args = ap.parse_args()
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        made.write("articles.jsonl", range(args.articles))
        with open("long.txt", "w", encoding="utf-8") as file:
            for number in range(2000):
                file.write(made.article(number) + "\n\n")
        for inputs in (["articles.jsonl"], ["long.txt"], ["articles.jsonl", "long.txt"]):
            waits, codes = [], set()
            for _ in range(args.times):
                command = [made.program(), "quotes", *inputs, "-q", "-o", "out.csv", "--restart", *args.options.split()]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while not os.path.exists("out.csv.journal"):
                    time.sleep(0.005)
                time.sleep(0.3 + draw.random() * 3)
                process.send_signal(signal.SIGTERM)
                sent = time.monotonic()
                codes.add(process.wait())
                waits.append(time.monotonic() - sent)
                if os.path.exists("out.csv.journal"):
                    os.remove("out.csv.journal")
            print(f"{' '.join(inputs)}: ended after {min(waits):.2f} to {max(waits):.2f} s, exit codes {sorted(codes)}", flush=True)


main()
