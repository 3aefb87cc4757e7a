"""OpenVINO, from the same ONNX files."""
import os

import openvino

import peer

_, ids_json, threads, variant = peer.arguments()
path = os.path.join(os.path.dirname(ids_json), "onnx", variant + ".onnx")
settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
model = openvino.Core().compile_model(path, "CPU", settings)
peer.serve(lambda ids, mask: model({"input_ids": ids, "attention_mask": mask})[0].copy())
