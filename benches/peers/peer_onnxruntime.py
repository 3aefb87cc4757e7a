"""ONNX Runtime. Variants: the names of the files that export_onnx.py writes."""
import os

import onnxruntime

import peer

_, ids_json, threads, variant = peer.arguments()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
path = os.path.join(os.path.dirname(ids_json), "onnx", variant + ".onnx")
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
kinds = {given.name: "int32" if given.type == "tensor(int32)" else "int64" for given in session.get_inputs()}
peer.serve(lambda ids, mask: session.run(None, {"input_ids": ids.astype(kinds["input_ids"]),
                                                "attention_mask": mask.astype(kinds["attention_mask"])})[0])
