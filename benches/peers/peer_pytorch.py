"""PyTorch through transformers. Variants: `arrival` (batches in the order of the texts, as a pipeline makes them), `sorted`."""
import torch
from transformers import BertModel

import peer

model, _, threads, variant = peer.arguments()
torch.set_num_threads(threads)
bert = BertModel.from_pretrained(model, add_pooling_layer=False).eval()


@torch.inference_mode()
def encode(ids, mask):
    mask = torch.from_numpy(mask)
    hidden = bert(input_ids=torch.from_numpy(ids), attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return ((hidden * weight).sum(1) / weight.sum(1)).numpy()


peer.serve(encode, by_length=variant == "sorted")
