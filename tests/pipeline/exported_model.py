"""A tiny model that removes backgrounds, with trained weights and a file exported from them, and releases of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from tests.pipeline.test_matting import suite
from tests.unit.sources.source_servers import commit, git, new_repository

TRAINED = b'{"gain": 1.0}'
MODEL = """
import json, os, sys
from pathlib import Path
import cv2
import numpy as np
onnx = os.environ.get("USE_ONNX", "true") == "true"
print("onnx" if onnx else "trained")
gain = json.loads(Path("weights/cut.bin" if onnx else "weights/cut.json").read_text())["gain"]
photo = cv2.imread(sys.argv[1])
alpha = cv2.subtract(255, photo[:, :, 0]) * gain
done, data = cv2.imencode(".png", np.dstack([photo, alpha.round().astype(np.uint8)]))
Path(sys.argv[2]).write_bytes(data.tobytes())
"""
EXPORTER = """
import sys
from pathlib import Path
print("exported", sys.argv[1])
Path(sys.argv[2]).write_bytes(Path(sys.argv[1]).read_bytes() + b"\\n")
"""
EXPORT: dict[str, Any] = {
    "argv": ["python", "export.py", "weights/cut.json", "{output}"],
    "weights": "weights/cut.bin",
    "slice": "hair",
    "timeout_s": 60.0,
}
CONTRACT: dict[str, Any] = {
    "version": 1,
    "name": "cutter",
    "family": "matting",
    "call": {"command": {"argv": ["python", "cut.py", "{image}", "{output}"], "output": ".png"}, "warmup": 0},
    "export": EXPORT,
    "suite": "suite",
    "policy": {"rules": [{"metric": "mae", "max": 0.2}]},
}


def weights(exported: bytes, trained: bytes = TRAINED) -> list[dict[str, str]]:
    """The contract's ``weights``."""
    files = {"weights/cut.json": trained, "weights/cut.bin": exported}
    return [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "source": "lfs"}
        for path, content in files.items()
    ]


def repository_files(exported: bytes, **contract: Any) -> dict[str, str | bytes]:
    """The model's repository; ``contract`` are sections in place of those of :data:`CONTRACT`."""
    return {
        "penstock.yaml": yaml.safe_dump(CONTRACT | {"weights": weights(exported)} | contract),
        "cut.py": MODEL,
        "export.py": EXPORTER,
        "weights/cut.json": TRAINED,
        "weights/cut.bin": exported,
    }


def exported_repository(directory: Path) -> Path:
    """v1.0.0: the exported file is what the exporter writes; v1.1.0: it computes something else; v1.2.0: the same, and
    the policy stops it; v1.3.0: the exporter fails; v1.4.0: as v1.0.0, beside the released model.
    """
    repository = new_repository(directory)
    commit(repository, suite() | repository_files(TRAINED + b"\n"), "cut")
    git(repository, "tag", "v1.0.0")
    drifted = b'{"gain": 0.7}'
    commit(repository, repository_files(drifted), "a smaller file")
    git(repository, "tag", "v1.1.0")
    rules = {"rules": [{"metric": "mae", "max": 0.2}, {"metric": "export", "min": 1}]}
    commit(repository, repository_files(drifted, policy=rules), "demand the exported file")
    git(repository, "tag", "v1.2.0")
    commit(repository, {"export.py": "raise SystemExit('no onnx')"}, "break the exporter")
    git(repository, "tag", "v1.3.0")
    beside = {"rules": [{"metric": "mae", "margin": 0.01}], "baseline": "rerun"}
    commit(repository, repository_files(TRAINED + b"\n", policy=beside), "the exported file again")
    git(repository, "tag", "v1.4.0")
    return repository
