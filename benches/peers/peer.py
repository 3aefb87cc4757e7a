"""What every peer in Python shares: batches, and the lines by which compare.py drives it.

A peer is started as `python peer_X.py MODEL_FOLDER IDS_JSON THREADS VARIANT`, keeps its model in memory, and then answers each line:
`time SET` with the seconds of one pass over that set of sequences, `pooled SET FILE` by writing the means of the last hidden states
(`[texts, hidden]`, f32) to the file.
"""
import json
import sys
import time

import numpy as np

# As most users batch; long texts in fewer, so that a batch stays in the caches.
BATCH_TEXTS, BATCH_TOKENS = 32, 4096


def arguments():
    """(model folder, path of the ids, threads, variant)"""
    return sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]


def batches(sequences, by_length):
    """(places, ids [batch, longest], mask) of all sequences."""
    order = list(range(len(sequences)))
    if by_length:
        order.sort(key=lambda place: len(sequences[place]))
    while order:
        count = BATCH_TEXTS
        while count > 1 and count * max(len(sequences[place]) for place in order[:count]) > BATCH_TOKENS:
            count -= 1
        places, order = order[:count], order[count:]
        longest = max(len(sequences[place]) for place in places)
        ids = np.zeros((len(places), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, :len(sequences[place])] = sequences[place]
            mask[row, :len(sequences[place])] = 1
        yield places, ids, mask


def serve(encode, by_length=True):
    """Answers until the input ends. `encode(ids, mask)` gives `[batch, hidden]`."""
    with open(sys.argv[2], encoding="utf-8") as file:
        sets = json.load(file)
    print("ready", flush=True)
    for line in sys.stdin:
        what, name, *rest = line.split()
        start = time.perf_counter()
        pooled = [(places, encode(ids, mask)) for places, ids, mask in batches(sets[name], by_length)]
        seconds = time.perf_counter() - start
        if what == "pooled":
            rows = np.empty((len(sets[name]), pooled[0][1].shape[1]), dtype=np.float32)
            for places, values in pooled:
                rows[places] = values
            rows.tofile(rest[0])
        print(seconds, flush=True)
