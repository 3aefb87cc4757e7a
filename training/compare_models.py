"""Figures of exported stance models side by side, as `quotestance label` answers: by which the share of an average is chosen.

    python compare_models.py --program ../target/release/quotestance --shared ../../shared --real runs/real.jsonl --out runs/answers MODEL_DIR …

Macro-F1 by source of the development rows, the public tests, the contract articles, data/evaluation, and what is held aside of the newest own-written articles, of the stories of
turned-about targets and of real quotes; the turned targets of which both are right. A model's answers are kept in `--out` and not asked for again.
"""
import argparse
import os
import subprocess

from evaluate_stance import figures
from own_articles import own_rows
from stance_data import KEPT, load_rows, write_rows
from stance_rows import both_right, flip_rows

DATA = os.path.join(os.path.dirname(__file__), "data")


def held_rows(names, prefix):
    """What is held aside of some files, its sources with a prefix; of stories all wordings of the thing are one source, the last target another."""
    for row in own_rows([os.path.join(DATA, name) for name in names]):
        kind = {"own_quote_claim": "wordings", "own_quote_other": "wordings", "own_quote": "thing"}.get(row["source"], row["source"].removeprefix("own_"))
        if row["held"] and row["source"] not in ("own_alias", "own_near"):
            yield {**row, "source": f"{prefix} {'neighbour' if row['id'].endswith('-5') else kind}"}


def gold(args):
    """{name: rows} of what is asked."""
    stance = lambda name: load_rows([os.path.join(args.shared, "stance", name)])
    sets = {"contracts": load_rows([os.path.join(args.shared, "contracts", "stance.jsonl")]),
            "evaluation": [{**row, "source": "data/evaluation " + (row["source"].split("_") + ["stance"])[1]} for row in load_rows([os.path.join(DATA, "..", "..", "data", "evaluation", "stance.jsonl")])],
            "flips": list(flip_rows(os.path.join(DATA, "flips.tsv"))),
            "articles": list(held_rows(["own_articles_5.jsonl"], "articles 5")) + list(held_rows(["own_articles_6.jsonl"], "articles 6")),
            "turns": list(held_rows(["own_turns.jsonl", "own_turns_2.jsonl"], "turned")),
            "dev": stance("dev.jsonl"), "tests": stance("newsmtsc_mt.test.jsonl") + stance("pstance.test.jsonl") + stance("semeval16a.test.jsonl")}
    for row in sets["tests"]:
        row["source"] += " test"
    if args.real:
        sets["real"] = [{**row, "source": "real " + ("tone" if row["task"] == "sentiment" else "first targets" if row["id"].endswith("-0") else "others")}
                        for row in own_rows([args.real]) if row["held"] and row["source"] != "own_real_names"]
    return sets


def answers(program, model, rows, path):
    """{id: label}."""
    if not os.path.exists(path):
        asked = path.removesuffix(".jsonl") + ".rows.jsonl"
        write_rows(asked, ({key: row[key] for key in ("id", *KEPT)} for row in rows))
        subprocess.run([program, "label", asked, "--model", model, "-q", "-o", path], check=True)
    return {row["id"]: row["label"] for row in load_rows([path])}


def column(sets, labels):
    """{figure: value} of a model's labels."""
    found = {}
    for name, rows in sets.items():
        given = [labels[name].get(row["id"]) for row in rows]
        if name == "flips":
            found["flips, both right"] = both_right([label == row["label"] for row, label in zip(rows, given)])
            continue
        if name == "evaluation":
            right = [label in (row["label"], *row["also_right"]) for row, label in zip(rows, given) if row["source"] == "data/evaluation stance"]
            found["data/evaluation, stance right"] = sum(right) / len(right)
        found |= figures(rows, [(label, None) for label in given])
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("models", nargs="+", help="folders that the program reads (export_stance.py)")
    ap.add_argument("--program", required=True)
    ap.add_argument("--shared", required=True, help="folder with stance/ and contracts/")
    ap.add_argument("--real", help="what real_labels.py wrote")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    sets, columns = gold(args), []
    for model in args.models:
        folder = os.path.join(args.out, os.path.basename(os.path.normpath(model)))
        os.makedirs(folder, exist_ok=True)
        columns.append(column(sets, {name: answers(args.program, model, rows, os.path.join(folder, name + ".jsonl")) for name, rows in sets.items()}))
    for figure in columns[0]:
        print(f"{figure:32}" + " ".join(f"{of[figure]:7.3f}" for of in columns))


if __name__ == "__main__":
    main()
