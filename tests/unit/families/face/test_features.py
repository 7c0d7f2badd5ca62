"""What is kept of an answer goes from one process to another."""

from __future__ import annotations

import pickle

import numpy as np

from penstock.families.face.features import FaceFeatures, PairFeatures


def test_it_can_be_pickled() -> None:
    kept = FaceFeatures("a", np.array([0.5, 1.0], np.float32), 0.9)
    again = pickle.loads(pickle.dumps(kept))  # noqa: S301 (our own bytes)
    assert (again.digest, again.vector.tolist(), again.quality) == ("a", [0.5, 1.0], 0.9)
    pair = PairFeatures(None, refused=True)
    assert pickle.loads(pickle.dumps(pair)) == pair  # noqa: S301
