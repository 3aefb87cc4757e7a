"""Labels rows with a teacher: what a smaller model is then trained on (`train_stance.py --labelled`).

    python label_stance.py --teacher DIR --train TRAIN.jsonl … --own data/own_*.jsonl --articles ARTICLES.jsonl --rounds 24 --out rows.jsonl

The rows are those of the training mix (`stance_data.Mix`) with their labels, and besides pairs that no one has labelled, where the teacher alone
says what it is (`transfer_pairs.py`). `soft` holds the teacher's probabilities in the order of the head's labels, `logits`
those of all nine outputs. Written round by round: started again, it goes on after the last.
"""
import argparse
import json
import os
import subprocess
import tempfile

import torch

from own_articles import own_rows
from stance_data import TURNED, Mix, load_rows
from stance_model import HEADS, Pieces, head_of, load_model, predict, probabilities
from transfer_pairs import News, NearTargets, Passages, Replaced, other_pairs, replaced_pairs


def answers_of(model, pieces, rows):
    """{"soft", "logits"} of each row."""
    for row, values in zip(rows, predict(model, pieces, rows, batch_tokens=2048)):
        soft = [round(p, 4) for p in probabilities(row["task"], values).values()]
        yield {"soft": soft, "logits": [round(v, 2) for v in values.tolist()]}


def answers_of_program(program, folder, threads, rows):
    """{"soft"} of each row, as `quotestance label` reads the model folder in int8."""
    with tempfile.TemporaryDirectory() as place:
        asked, answered = os.path.join(place, "rows.jsonl"), os.path.join(place, "labels.jsonl")
        with open(asked, "w", encoding="utf-8") as file:
            for k, row in enumerate(rows):
                file.write(json.dumps({"id": str(k), **{key: row[key] for key in ("text", "target", "task")}}) + "\n")
        subprocess.run([program, "label", asked, "--model", folder, "--precision", "int8", "--threads", str(threads), "-q", "-o", answered], check=True)
        probs = {int(r["id"]): r["probs"] for r in load_rows([answered])}
    for k, row in enumerate(rows):
        yield {"soft": [round(probs[k][label], 4) for label in HEADS[head_of(row["task"])]]}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--teacher", required=True)
    ap.add_argument("--train", nargs="+", required=True)
    ap.add_argument("--own", nargs="*", default=[])
    ap.add_argument("--own-share", type=float, default=.25)
    ap.add_argument("--own-once", action="store_true", help="each own-written row once in 16 rounds, and no public rows")
    ap.add_argument("--turned", type=float, default=TURNED)
    ap.add_argument("--foreign", type=float, default=.25, help="texts with another target besides, as a share of the stance rows")
    ap.add_argument("--crops", type=float, default=.1, help="a sentence or two of a longer text besides, as a share of the stance rows")
    ap.add_argument("--articles", nargs="*", default=[], help="news articles with quotes (score_quotes.py's schema): their words with names and targets")
    ap.add_argument("--news", type=int, default=1000, help="rows of those in a round")
    ap.add_argument("--replaced", type=float, default=0.0, help="texts with some words replaced besides, as a share of the public rows")
    ap.add_argument("--passages", nargs="*", default=[], help="running texts, rows of {text, source}")
    ap.add_argument("--passage-rows", type=int, default=1500, help="rows of those in a round")
    ap.add_argument("--known", nargs="*", default=[], help="rows labelled before: left out")
    ap.add_argument("--first-round", type=int, default=0, help="so that several processes share the rounds, each with its own --out")
    ap.add_argument("--rounds", type=int, default=24, help="the round to end before")
    ap.add_argument("--seed", type=int, default=41)
    ap.add_argument("--without-public", action="store_true", help="leave out the public rows as they are annotated: labelled before")
    ap.add_argument("--threads", type=int, default=1, help="one, and as many processes as cores, is nearly twice as fast as one process")
    ap.add_argument("--bf16", action="store_true", help="for processors with AMX")
    ap.add_argument("--program", help="let this quotestance label by --teacher in int8: faster where there is VNNI and no AMX, without `logits`")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    model, tokenizer = load_model(args.teacher)
    if args.bf16:
        model = model.bfloat16()
    pieces = Pieces(tokenizer)
    own = [r for r in own_rows(args.own) if not r["held"]]
    train = load_rows(args.train)
    mix = Mix(train, args.seed, own, args.own_share, ["none"], args.turned)
    near = NearTargets({r["target"] for r in train + own if r["task"] == "stance"}, pieces, model)
    replaced = Replaced(tokenizer, model)
    known = {(r["text"], r["target"], r["task"]) for r in load_rows(args.known)}
    passages = Passages(load_rows(args.passages), near) if args.passages else None
    news = News(load_rows(args.articles), near) if args.articles else None
    done = args.first_round
    if os.path.exists(args.out):
        done = max((r["round"] for r in load_rows([args.out])), default=done - 1) + 1
    with open(args.out, "a", encoding="utf-8") as file:
        for k in range(done, args.rounds):
            rows = own[k % 16::16] if args.own_once else mix.round(k)
            public = [r for r in rows if not r["source"].startswith("own")]
            rows += other_pairs(rows, near, args.foreign, args.crops, f"{args.seed} other {k}")
            rows += replaced_pairs(public, near, replaced, args.replaced, f"{args.seed} replaced {k}")
            if args.without_public:
                rows = [r for r in rows if r["label"] is None or r["source"].startswith("own")]
            rows += news.pairs(args.news, f"{args.seed} news {k}") if news else []
            rows += passages.pairs(args.passage_rows, f"{args.seed} passages {k}") if passages else []
            rows = [r for r in rows if (r["text"], r["target"], r["task"]) not in known]
            answers = answers_of_program(args.program, args.teacher, args.threads, rows) if args.program else answers_of(model, pieces, rows)
            lines = []
            for row, answer in zip(rows, answers):
                kept = {key: row[key] for key in ("text", "target", "label", "source", "task")}
                lines.append(json.dumps({**kept, **answer, "round": k}, ensure_ascii=False) + "\n")
            file.writelines(lines)
            file.flush()
            print(f"round {k}: {len(rows)} rows", flush=True)


if __name__ == "__main__":
    main()
