"""An analyst who labels rows of one target: what `quotestance adapt` gains on rows held aside.

    python simulate_adapt.py --quotestance ../target/release/quotestance --rows ROWS.jsonl … [--source NAME] --target TEXT \
        [--model DIR] [--sizes 30 100 200 500 2000] [--draws 5] [--held 300]

Of the rows of this source and target a fixed part (by a hash of the id) is held aside; each draw takes others at random as the analyst's.
Prints for each size: how often a model was written, the cross-validated gain it stated, and macro-F1 of the rows held aside under the
the model at hand (the built-in one without --model) and the adapted one. A refusal leaves it as it is, so its gain is 0.
"""
import argparse
import csv
import hashlib
import json
import os
import random
import re
import subprocess
import tempfile
import time

from stance_data import load_rows


def macro_f1(program, gold, model, folder):
    pred = os.path.join(folder, "pred.jsonl")
    extra = ["--model", model] if model else []
    subprocess.run([program, "label", gold, "-q", "-o", pred, *extra], check=True)
    report = subprocess.run([program, "evaluate", "--task", "stance", gold, pred, "--json", "--bootstrap", "0"], check=True, capture_output=True)
    figures = json.loads(report.stdout)["all"]
    return figures["macro_f1"]["value"], figures["ece"]["value"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--quotestance", required=True)
    ap.add_argument("--model", help="model folder to adapt")
    ap.add_argument("--rows", nargs="+", required=True)
    ap.add_argument("--source")
    ap.add_argument("--target", help="default: all targets")
    ap.add_argument("--sizes", nargs="+", type=int, default=[30, 100, 200, 500])
    ap.add_argument("--draws", type=int, default=5)
    ap.add_argument("--held", type=int, default=300)
    args = ap.parse_args()
    rows = [r for r in load_rows(args.rows)
            if r["task"] == "stance" and args.source in (None, r["source"]) and args.target in (None, r["target"])]
    rows.sort(key=lambda r: hashlib.sha256(str(r["id"]).encode()).digest())
    held, pool = rows[:args.held], rows[args.held:]
    print(f"{args.source} {args.target}: {len(held)} held aside, {len(pool)} to draw from")
    chosen = ["--model", args.model] if args.model else []
    with tempfile.TemporaryDirectory() as folder:
        gold = os.path.join(folder, "held.jsonl")
        with open(gold, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(r) + "\n" for r in held)
        before, ece = macro_f1(args.quotestance, gold, args.model, folder)
        for size in args.sizes:
            if size > len(pool):
                continue
            gains, written, stated, errors, seconds = [], 0, [], [], []
            for draw in range(args.draws if size < len(pool) else 1):
                labels, model = os.path.join(folder, "labels.csv"), os.path.join(folder, f"model-{size}-{draw}")
                with open(labels, "w", encoding="utf-8", newline="") as file:
                    out = csv.writer(file)
                    out.writerow(["text", "target", "label"])
                    for r in random.Random(draw).sample(pool, size):
                        out.writerow([r["text"], r["target"], r["label"]])
                start = time.time()
                done = subprocess.run([args.quotestance, "adapt", labels, "-q", "-o", model, *chosen], capture_output=True, text=True)
                seconds.append(time.time() - start)
                said = re.search(r"gain ([+-][\d.]+)", done.stdout)
                if done.returncode not in (0, 4) and "expected 5 of two of them" not in done.stderr:
                    raise SystemExit(done.stderr)
                stated.append(float(said.group(1)) if said else 0.0)
                if done.returncode == 0:
                    written += 1
                    f1, error = macro_f1(args.quotestance, gold, model, folder)
                    gains.append(f1 - before)
                    errors.append(error)
                else:
                    gains.append(0.0)
                    errors.append(ece)
            mean = lambda values: sum(values) / len(values)
            print(f"  {size:5d} rows: written {written} of {len(gains)}; stated gain {mean(stated):+.3f}; held aside {before:.3f} -> "
                  f"{before + mean(gains):.3f} ({mean(gains):+.3f}; lowest {min(gains):+.3f}, highest {max(gains):+.3f}); "
                  f"ECE {ece:.3f} -> {mean(errors):.3f}; {mean(seconds):.1f} s", flush=True)


if __name__ == "__main__":
    main()
