"""Writes the model as ONNX for the peers that read it: `python export_onnx.py MODEL_FOLDER OUT_FOLDER`.

`f32.onnx`, `fused.onnx` (ONNX Runtime's own operators for attention, GELU and LayerNorm), and `int8.onnx` and `int8-fused.onnx`, with a scale
for each output channel.
"""
import os
import sys

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from transformers import BertModel

source, out = sys.argv[1:3]


class Pooled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        # Attention written out: the form that ONNX Runtime knows how to fuse.
        self.bert = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()

    def forward(self, input_ids, attention_mask):
        types = torch.zeros_like(input_ids)
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=types).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weight).sum(1) / weight.sum(1)


os.makedirs(out, exist_ok=True)
path = {name: os.path.join(out, name + ".onnx") for name in ("f32", "fused", "int8", "int8-fused")}
model = Pooled()
ids, mask = torch.randint(1000, 2000, (2, 9)), torch.ones(2, 9, dtype=torch.long)
mask[1, 5:] = 0
axes = {0: "batch", 1: "tokens"}
# The newer exporter's graph is not fused by ONNX Runtime's optimizer.
torch.onnx.export(model, (ids, mask), path["f32"], input_names=["input_ids", "attention_mask"], output_names=["pooled"],
                  dynamic_axes={"input_ids": axes, "attention_mask": axes}, dynamo=False)
config = model.bert.config
fused = optimizer.optimize_model(path["f32"], model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
print(fused.get_fused_operator_statistics())
fused.save_model_to_file(path["fused"])
for plain, quantized in (("f32", "int8"), ("fused", "int8-fused")):
    quantize_dynamic(path[plain], path[quantized], per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
