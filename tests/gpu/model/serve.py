"""rmbg-lite's service with its network on a card, in a process below the first one, as servers with workers have it.

It lies over the repository of rmbg-lite. ``--hold-mib`` takes so much of the card once, ``--leak-mib`` more with each
request: what is measured of it is known.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rmbg_lite.service import WEIGHTS, Service, log
from rmbg_lite.weights import Floats
from server import ROOT, Server

from rmbg_lite import graph, weights


class TorchBackend:
    """The layers of :mod:`rmbg_lite.graph`, in float32."""

    def __init__(self, source: Path, device: str, hold_mib: int, leak_mib: int) -> None:
        """Put the weights onto the device. Raises ValueError, KeyError or OSError where they are broken."""
        import torch  # slow: the port is open before it

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        self._torch, self._device, self._leak_mib = torch, device, leak_mib
        self._tensors = {name: torch.from_numpy(value).to(device) for name, value in weights.read(source).items()}
        self._held: list[Any] = []
        self._hold(hold_mib)

    def run(self, features: Floats) -> Floats:
        """Alpha, float32 ``(h, w)``, 0..1, of :func:`rmbg_lite.features.features`."""
        self._hold(self._leak_mib)
        functional = self._torch.nn.functional
        made = {graph.INPUT: self._torch.from_numpy(np.ascontiguousarray(features)).to(self._device)}
        with self._torch.inference_mode():
            for layer in graph.LAYERS:
                if isinstance(layer, graph.Join):
                    made[layer.name] = self._torch.cat([made[source] for source in layer.sources], dim=1)
                    continue
                seen = made[layer.source]
                if isinstance(layer, graph.Conv):
                    weight, bias = self._tensors[f"{layer.name}.weight"], self._tensors[f"{layer.name}.bias"]
                    total = functional.conv2d(seen, weight, bias, stride=layer.stride, padding=layer.pad)
                    made[layer.name] = total.relu() if layer.after == "relu" else total.sigmoid()
                elif isinstance(layer, graph.Double):
                    made[layer.name] = functional.interpolate(seen, scale_factor=2, mode="bilinear")
                elif isinstance(layer, graph.Pool):
                    made[layer.name] = functional.avg_pool2d(seen, 4)
                else:
                    made[layer.name] = functional.pixel_shuffle(seen, layer.block)
        return np.asarray(made[graph.OUTPUT][0, 0].cpu().numpy(), np.float32)

    def _hold(self, mib: int) -> None:
        if mib:
            self._held.append(self._torch.ones(mib << 20, dtype=self._torch.uint8, device=self._device))


class TorchService(Service):
    """The service of rmbg-lite with another backend."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(ROOT)
        self._arguments = arguments
        # PyTorch keeps libraries' handles and their memory for each thread, and the server has one for each connection
        self._thread = ThreadPoolExecutor(max_workers=1)

    def remove_background(self, body: bytes) -> bytes:
        """As :meth:`rmbg_lite.service.Service.remove_background`, in one thread for all."""
        return self._thread.submit(super().remove_background, body).result()

    def load(self) -> None:
        """As :meth:`rmbg_lite.service.Service.load`."""
        given = self._arguments
        self._backend = self._thread.submit(
            TorchBackend, ROOT / WEIGHTS, given.device, given.hold_mib, given.leak_mib
        ).result()
        log("ready", backend="TorchBackend", device=given.device)


def supervise() -> int:
    """Run this program once more as the worker, and pass the order to end on."""
    worker = subprocess.Popen([sys.executable, *(word for word in sys.argv if word != "--supervised")])
    signal.signal(signal.SIGTERM, lambda *_: worker.terminate())
    return worker.wait()


def main() -> int:
    """Listen, load, serve."""
    parser = argparse.ArgumentParser(description="rmbg-lite on a card")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--hold-mib", type=int, default=0)
    parser.add_argument("--leak-mib", type=int, default=0)
    parser.add_argument("--supervised", action="store_true", help="compute in a process below this one")
    arguments = parser.parse_args()
    if arguments.supervised:
        return supervise()
    service = TorchService(arguments)
    server = Server(("127.0.0.1", arguments.port), service)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    service.load()
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
