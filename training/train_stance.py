"""Trains the stance model from a model folder. See README.md for the commands.

Stops and goes on: started again with the same arguments it continues from the last checkpoint. SIGTERM writes one first.

`--workers 2` trains in two processes of one thread each, whose weights are averaged every `--sync-steps` steps (local SGD). On a machine
that others use as well this is about twice as fast as one process of two threads, which wait for each other at every product.
"""
import argparse
import datetime
import os
import random
import shutil
import signal
import time

import torch
import torch.distributed as dist
import torch.multiprocessing
import torch.nn.functional as F
from safetensors.torch import save_file

from stance_data import ROWS, TURNED, Labelled, Mix, load_rows
from stance_model import CONTEXT_TOKENS, FIRST, HEADS, TARGET_TOKENS, Pieces, beginning, head_of, load_model
from states import States


def batches(rows, pieces, form, batch_tokens, longest, rng):
    """Batches of about `batch_tokens` tokens each, of rows of like length, in random order."""
    pieces.prepare([r[k] for r in rows for k in ("text", "target", "context") if r.get(k)])
    made = []
    for row in rows:
        target = pieces(row["target"])[:TARGET_TOKENS]
        room = longest - form.overhead() - len(target)
        text = pieces(row["text"])
        if "states" in row:  # the very pieces that the teacher read
            text = text[row["start"]:row["start"] + row["states"] - len(target)]
        else:
            start = beginning(len(text), room, rng)
            text = text[start:start + room]
        context = row.get("context")
        context = pieces(context)[:min(CONTEXT_TOKENS, room - 1 - len(text))] if context and len(text) + 1 < room else None
        made.append((*form.sequence(text, target, context), row))
    made.sort(key=lambda m: (len(m[0]), rng.random()))
    out, batch = [], []
    for m in made:
        if batch and (len(batch) + 1) * len(m[0]) > batch_tokens:
            out.append(batch)
            batch = []
        batch.append(m)
    out.append(batch)
    rng.shuffle(out)
    return out


def loss_of(model, batch, smooth, bf16=False, teacher=0.0, own_teacher=0.0, other_heads=0.0, states=None, state_weight=1.0):
    """Cross-entropy with the labels, and where a row has a teacher's probabilities (`soft`), `teacher` of it with those (`own_teacher`
    where the label is own-written); a row without a label has only them (Hinton et al. 2015, temperature 1). `other_heads` times that of
    the two heads that the row's task does not ask, with the teacher's answers to the same text and target (`logits`).
    With `states`, `state_weight` times what the model's hidden states miss of the teacher's."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        ids, types, mask = model.form.padded([(ids, types) for ids, types, _ in batch])
        hidden = model.hidden(ids, types, mask)
        logits = model.answers(hidden, mask).float()
        missed = state_weight * states.loss(model, hidden, batch) if states else torch.zeros(())
    wanted = torch.zeros(len(batch), 3, 3)  # row, head, label
    for k, (_, _, row) in enumerate(batch):
        name = head_of(row["task"])
        head = FIRST[name] // 3
        if other_heads and row["target"] and "logits" in row:
            wanted[k] = other_heads * torch.softmax(torch.tensor(row["logits"]).view(3, 3), 1)
        wanted[k, head] = smooth / 3
        if row["label"] is not None:
            wanted[k, head, HEADS[name].index(row["label"])] += 1 - smooth
        if "soft" in row:
            share = 1.0 if row["label"] is None else own_teacher if row["source"].startswith("own") else teacher
            wanted[k, head] = (1 - share) * wanted[k, head] + share * torch.tensor(row["soft"])
    return -(wanted * F.log_softmax(logits.view(-1, 3, 3), 2)).sum() / len(batch), missed


def groups(model, lr, head_lr, decay, frozen, words=False):
    """Parameter groups with a smaller rate the deeper the layer. The word embeddings stay as they are (half the optimiser's work) but for
    `words`. With `frozen` layers so do all embeddings and the first layers, which then need no backward pass."""
    model.encoder.embeddings.word_embeddings.weight.requires_grad = words
    layers = len(model.encoder.encoder.layer)
    if frozen:
        for part in (model.encoder.embeddings, *model.encoder.encoder.layer[:frozen]):
            part.requires_grad_(False)
        if model.family == "mpnet":  # one bias for all layers, frozen ones among them
            model.encoder.encoder.relative_attention_bias.requires_grad_(False)
    by_rate = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if name.startswith(("classifier", "states")):
            rate = head_lr
        elif ".layer." in name:
            rate = lr * decay ** (layers - 1 - int(name.split(".layer.")[1].split(".")[0]))
        else:
            rate = lr * decay ** layers
        by_rate.setdefault((rate, 0.01 if p.dim() > 1 else 0.0), []).append(p)
    return [{"params": ps, "lr": rate, "weight_decay": wd} for (rate, wd), ps in by_rate.items()]


def numbers_by_source(given):
    """{source: n} of a list of SOURCE=N."""
    return {source: int(n) for source, n in (pair.split("=") for pair in given)}


def save(path, state):
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def save_folder(folder, start, weights):
    """A model folder in f32 that load_model reads."""
    os.makedirs(folder, exist_ok=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(os.path.join(start, name), os.path.join(folder, name))
    save_file({k: v.contiguous() for k, v in weights.items() if "position_ids" not in k and not k.startswith("states.")}, os.path.join(folder, "model.safetensors"))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--start", required=True, help="model folder to start from")
    ap.add_argument("--train", nargs="*", default=[], help="JSONL rows of the public sources")
    ap.add_argument("--own", nargs="*", default=[], help="own-written articles (JSONL); a fifth is held aside")
    ap.add_argument("--rows", nargs="*", default=[], metavar="SOURCE=N", help="rows of a source in a round of the mix, in place of stance_data.ROWS")
    ap.add_argument("--leave-out", nargs="*", default=[], help="sources that are not trained on")
    ap.add_argument("--own-share", type=float, default=.35, help="share of rows from the own-written articles")
    ap.add_argument("--own-forms", nargs="+", default=["none"] * 7 + ["both"] * 8 + ["around"] * 5, help="context forms, one drawn for each row")
    ap.add_argument("--out", required=True)
    ap.add_argument("--tokens", type=float, required=True, help="tokens to train on, padding included")
    ap.add_argument("--minutes", type=float, default=1e9, help="end by then if the tokens are not reached: the schedule follows whichever is further on")
    ap.add_argument("--batch-tokens", type=int, default=1536)
    ap.add_argument("--longest", type=int, default=128, help="tokens of a sequence")
    ap.add_argument("--lr", type=float, default=1.2e-4)
    ap.add_argument("--head-lr", type=float, default=3e-4)
    ap.add_argument("--layer-decay", type=float, default=.9)
    ap.add_argument("--frozen-layers", type=int, default=0, help="layers that stay as they are, with the embeddings, counted from the input")
    ap.add_argument("--train-words", action="store_true", help="train the word embeddings too")
    ap.add_argument("--end-lr", type=float, default=.05, help="share of the rate left at the end")
    ap.add_argument("--warmup", type=float, default=.03)
    ap.add_argument("--smooth", type=float, default=.05)
    ap.add_argument("--ema", type=float, default=.995)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    ap.add_argument("--threads", type=int, default=1, help="threads of each process")
    ap.add_argument("--bf16", action="store_true", help="products in bf16: three times as fast where the processor has AMX, slower elsewhere")
    ap.add_argument("--compile", action="store_true", help="compile the layers (needs a C++ compiler): half as fast again for MiniLM in bf16")
    ap.add_argument("--turned", type=float, default=TURNED, help="share of public stance rows whose target is turned about or put another way")
    ap.add_argument("--labelled", nargs="*", default=[], help="rows with a teacher's probabilities (label_stance.py) in place of the mix")
    ap.add_argument("--teacher", type=float, default=.7, help="share of the loss that these probabilities have where there is a label as well")
    ap.add_argument("--own-teacher", type=float, default=.4, help="the same for own-written rows")
    ap.add_argument("--other-heads", type=float, default=0.0, help="weight of the teacher's answers of the two heads that a row's task does not ask")
    ap.add_argument("--states", nargs="+", help="folders of states.py: their rows, with the teacher's hidden states; in place of --labelled")
    ap.add_argument("--state-weight", type=float, default=1.0)
    ap.add_argument("--often", nargs="*", default=[], metavar="SOURCE=N", help="labelled rows of a source N times in each lap through --states")
    ap.add_argument("--others-share", type=float, default=.3, help="share of rows from the folders' others.jsonl and from --own")
    ap.add_argument("--sync-steps", type=int, default=16)
    ap.add_argument("--checkpoint-minutes", type=float, default=4)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    meeting = os.path.join(args.out, "meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    torch.multiprocessing.spawn(work, (args, meeting), args.workers)


def work(rank, args, meeting):
    """One process: its own rounds of the mix, its own optimiser; the weights meet every few steps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    # A long wait is no error: the other process may be held back, or both paused.
    dist.init_process_group("gloo", init_method="file://" + os.path.abspath(meeting), rank=rank, world_size=args.workers,
                            timeout=datetime.timedelta(hours=3))
    model, tokenizer = load_model(args.start)
    pieces = Pieces(tokenizer)
    own = []
    if args.own:
        from own_articles import own_rows
        own = [r for r in own_rows(args.own) if not r["held"]]
    states = States(args.states) if args.states else None
    if states:
        often = numbers_by_source(args.often)
        rows = [row for row in states.rows for _ in range(1 if row["label"] is None else often.get(row["source"], 1))]
        mix = Labelled(rows, args.seed, states.others + own, args.others_share)
        states.fit(model, batches(mix.round(0)[:3000], pieces, model.form, args.batch_tokens, args.longest, random.Random(args.seed)))
    elif args.labelled:
        mix = Labelled(load_rows(args.labelled), args.seed, own, args.own_share)
    else:
        mix = Mix([r for r in load_rows(args.train) if r["source"] not in args.leave_out], args.seed, own, args.own_share, args.own_forms, args.turned,
                  ROWS | numbers_by_source(args.rows))
    if args.compile:
        for layer in model.encoder.encoder.layer:
            layer.compile(dynamic=True)
    optimizer = torch.optim.AdamW(groups(model, args.lr, args.head_lr, args.layer_decay, args.frozen_layers, args.train_words), betas=(.9, .98), fused=True)
    rates = [g["lr"] for g in optimizer.param_groups]
    ema = {k: v.detach().clone() for k, v in model.state_dict().items()}
    # tokens: of all processes, as last counted together; round and batch: this process's own place.
    state = {"tokens": 0, "step": 0, "round": rank, "batch": 0, "seconds": 0.0}
    checkpoint = os.path.join(args.out, f"checkpoint-{rank}.pt")
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(saved["model"]), optimizer.load_state_dict(saved["optimizer"])
        ema, state = saved["ema"], saved["state"]
        print("goes on from", state, flush=True)
    trained = [(k, p) for k, p in model.named_parameters() if p.requires_grad]

    def keep():
        save(checkpoint, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema, "state": state})
        if rank == 0:
            save_folder(os.path.join(args.out, "ema"), args.start, ema)

    def meet(new_tokens, seconds):
        """Averages the weights; tokens of all, whether to stop, the longest time since the last checkpoint."""
        flat = torch.cat([p.detach().reshape(-1) for _, p in trained])
        dist.all_reduce(flat)
        flat /= args.workers
        at = 0
        with torch.no_grad():
            for _, p in trained:
                p.copy_(flat[at:at + p.numel()].view_as(p))
                at += p.numel()
        told = torch.tensor([float(new_tokens), float(bool(stop))], dtype=torch.float64)
        dist.all_reduce(told)
        late = torch.tensor([seconds], dtype=torch.float64)
        dist.all_reduce(late, op=dist.ReduceOp.MAX)
        state["tokens"] += int(told[0])
        return bool(told[1]), late.item()

    def rounds():
        while True:
            rng = random.Random(f"{args.seed} batches {state['round']}")
            made = batches(mix.round(state["round"]), pieces, model.form, args.batch_tokens, args.longest, rng)
            for batch in made[state["batch"]:]:
                state["batch"] += 1
                yield batch
            state["round"], state["batch"] = state["round"] + args.workers, 0

    spent = state["seconds"]
    began, first_tokens, last_check, losses, new_tokens = time.time(), state["tokens"], time.time(), [], 0
    model.train()
    for batch in rounds():
        share = min(1, max((state["tokens"] + args.workers * new_tokens) / args.tokens, (spent + time.time() - began) / 60 / args.minutes))
        factor = min(1, (share + 1e-3) / args.warmup) if args.warmup else 1.0
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * factor * (1 - (1 - args.end_lr) * share)
        loss, missed = loss_of(model, batch, args.smooth, args.bf16, args.teacher, args.own_teacher, args.other_heads, states, args.state_weight)
        optimizer.zero_grad(set_to_none=True)
        (loss + missed).backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)
        optimizer.step()
        state["step"] += 1
        new_tokens += len(batch) * max(len(b[0]) for b in batch)
        losses.append((loss.item(), missed.item()))
        if state["step"] % args.sync_steps == 0:
            state["seconds"] = spent + time.time() - began
            if state["seconds"] > 60 * args.minutes:
                stop.append(1)
            stopping, seconds = meet(new_tokens, time.time() - last_check)
            new_tokens = 0
            done = stopping or state["tokens"] >= args.tokens
            if done or seconds > 60 * args.checkpoint_minutes:
                keep()
                last_check = time.time()
            if rank == 0 and state["step"] % (2 * args.sync_steps) == 0:
                mean, missed = (sum(part) / len(part) for part in zip(*losses[-64:]))
                print(f"step {state['step']} tokens {state['tokens']:,} loss {mean:.3f}{f' states {missed:.3f}' if states else ''} "
                      f"{(state['tokens'] - first_tokens) / (time.time() - began):.0f} tokens/s", flush=True)
            if done:
                break
        # The average warms up, so that the first steps do not weigh for hundreds.
        keep_share = min(args.ema, (1 + state["step"]) / (10 + state["step"]))
        with torch.no_grad():
            for name, value in trained:
                ema[name].lerp_(value, 1 - keep_share)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
