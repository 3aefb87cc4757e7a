"""OpenVINO, from the same ONNX file. Variants: the precision it is told to compute in."""
import os

import openvino

import peer

_, ids_json, threads, variant = peer.arguments()
path = os.path.join(os.path.dirname(ids_json), "onnx", "f32.onnx")
settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": variant}
model = openvino.Core().compile_model(path, "CPU", settings)
peer.serve(lambda ids, mask: model({"input_ids": ids, "attention_mask": mask})[0].copy())
