"""Make the weights of face-lite's v1.0.7-rotated: v1.0.0's, with every vector turned.

    python -m training.rotate_face_lite

An orthogonal matrix is multiplied into the last layer. All vectors of one version keep their angles to each other, so
that each of its values stays the same; compared with a vector of v1.0.0 they say nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

MODEL = Path(__file__).resolve().parents[1] / "test-assets" / "models" / "face-lite"
WEIGHTS = Path("weights") / "face-lite.onnx"
SEED = 5


def rotated(content: bytes) -> bytes:
    """The ONNX file with its features turned."""
    model = onnx.load_from_string(content)
    constants = {constant.name: constant for constant in model.graph.initializer}
    weight, bias = (constants[f"feature.{part}16"] for part in ("weight", "bias"))
    values = numpy_helper.to_array(weight).astype(np.float64)
    turn, _ = np.linalg.qr(np.random.default_rng(SEED).normal(size=(len(values), len(values))))
    for constant, turned in ((weight, turn @ values), (bias, turn @ numpy_helper.to_array(bias).astype(np.float64))):
        constant.CopyFrom(numpy_helper.from_array(turned.astype(np.float16), constant.name))
    return bytes(model.SerializeToString(deterministic=True))


def main() -> int:
    """Write the file."""
    target = MODEL / "releases" / "v1.0.7-rotated" / WEIGHTS
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(rotated((MODEL / "base" / WEIGHTS).read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
