"""ONNX Runtime, on a graph that is written with the onnx package."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper

from ..networks import Conv, Dense, Dropout, Flatten, Layer, MaxPool, to_channels_first
from ..workloads import Workload
from .base import Contestant, Made, Unsupported, Weights, in_turn, slices

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}


class OnnxRuntime(Contestant):
    """Its CPU provider, all graph optimizations on, inputs channels first."""

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": onnxruntime.__version__}

    def training_variants(self, workload: Workload) -> tuple[str, ...]:
        raise Unsupported("ONNX Runtime is measured by its predictions")

    def trainer(self, *arguments: Any, **options: Any) -> Made:
        raise NotImplementedError

    def inference_variants(self, workload: Workload, batch: int) -> tuple[str, ...]:
        return ("run", "bound input and output")

    def predictor(
        self, workload: Workload, variant: str, x: np.ndarray, batch: int, weights: Weights
    ) -> Made:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            _graph(workload, batch, weights), options, providers=["CPUExecutionProvider"]
        )
        inputs = np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x
        batches = [inputs[rows] for rows in slices(len(x), batch)]

        def plain(rows: np.ndarray) -> Any:
            return session.run(None, {"x": rows})[0]

        binding = session.io_binding()

        def bound(rows: np.ndarray) -> Any:
            binding.bind_cpu_input("x", rows)
            binding.bind_output("y", "cpu")
            session.run_with_iobinding(binding)

        return Made(
            in_turn(batches, plain if variant == "run" else bound),
            outputs=lambda: np.concatenate([plain(rows) for rows in batches]),
        )


def _graph(workload: Workload, batch: int, weights: Weights) -> bytes:
    """The network as an ONNX file."""
    network = workload.build()
    nodes: list[Any] = []
    constants: list[Any] = []

    def put(kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(array: np.ndarray) -> str:
        name = f"c{len(constants)}"
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def apply(place: int, layer: Layer, *values: str) -> str:
        x, own = values[0], weights[place]
        match layer:
            case Dense():
                kernel = to_channels_first(own["kernel"], network.flattened(place))
                y = put("Gemm", x, constant(kernel), constant(own["bias"]))
            case Conv():
                held = [constant(own["kernel"].transpose(3, 2, 0, 1))]
                held += [constant(own["bias"])] if layer.bias else []
                padding = "SAME_UPPER" if layer.padding == "same" else "VALID"
                y = put("Conv", x, *held, auto_pad=padding, strides=[layer.strides] * 2)
            case MaxPool():
                padding = "SAME_UPPER" if layer.padding == "same" else "VALID"
                sizes = {"kernel_shape": [layer.size] * 2, "strides": [layer.strides] * 2}
                y = put("MaxPool", x, auto_pad=padding, **sizes)
            case Flatten():
                y = put("Flatten", x)
            case Dropout():
                y = x
            case _:
                raise Unsupported(f"a node of {type(layer).__name__} is not translated to ONNX")
        activation = getattr(layer, "activation", None)
        return put(_ACTIVATIONS[activation], y) if activation else y

    put("Softmax", network.run("x", apply), axis=-1)
    nodes[-1].output[0] = "y"
    shape = network.input_shape
    shape = (shape[-1], *shape[:-1]) if len(shape) == 3 else shape
    graph = helper.make_graph(
        nodes,
        workload.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, *shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (batch, network.nodes[-1].shape[0]))],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
