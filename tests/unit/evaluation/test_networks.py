"""Networks are those that the contract names by digest, and no others."""

from __future__ import annotations

import hashlib

import onnx
import pytest

from penstock.evaluation.networks import network_labels, open_networks
from penstock.foundation.errors import UsageError


def test_labels_hold_the_digest_of_the_file(repository) -> None:
    assert open_networks(repository.contract(), repository.path) == {}
    labels = network_labels(open_networks(repository.contract(extractors=True), repository.path))
    digest = hashlib.sha256((repository.path / "syncnet.onnx").read_bytes()).hexdigest()
    assert labels["lipsync"] == f"syncnet-tiny@sha256:{digest}"
    assert set(labels) == {"lipsync", "frechet"}


@pytest.mark.parametrize("name", ["syncnet.onnx", "features.onnx"])
def test_other_network_under_the_name_is_refused_though_it_would_run(repository, name: str) -> None:
    """Whole, of the right kind, with the same name: only its digest tells."""
    contract = repository.contract(extractors=True)
    model = onnx.load(repository.path / name)
    model.doc_string = "another"
    onnx.save(model, repository.path / name)
    digest = hashlib.sha256((repository.path / name).read_bytes()).hexdigest()
    with pytest.raises(UsageError) as refused:
        open_networks(contract, repository.path)
    assert digest in str(refused.value)
    assert refused.value.where.endswith(".sha256")
