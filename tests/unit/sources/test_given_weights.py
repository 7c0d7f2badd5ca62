"""Which weights a run tries, and what its version says of them."""

from __future__ import annotations

import pytest
from tests.unit.contract.given import contract_with, digest_of

from penstock.bundle.models import Source, WeightsFile
from penstock.foundation.errors import UsageError
from penstock.sources.given_weights import chosen_weights, released_weights, with_version

NEW = "1a2b3c4d" + "0" * 56


def test_one_file_is_replaced_and_the_others_stay() -> None:
    contract = contract_with("weights/a", "weights/b")
    chosen = chosen_weights(contract, f"weights/b=https://x.org/n?token=hunter2#sha256={NEW}")
    assert chosen.weights[0] is contract.weights[0]
    assert (chosen.weights[1].path, chosen.weights[1].sha256) == ("weights/b", NEW)
    assert chosen.weights[1].source == "https://x.org/n?token=hunter2"
    assert chosen.replaced == {"weights/b"}
    assert chosen.given is not None
    assert (chosen.given.path, chosen.given.replaces) == ("weights/b", digest_of("weights/b"))
    assert "hunter2" not in chosen.given.source


def test_nothing_is_replaced_by_nothing_or_by_the_same() -> None:
    contract = contract_with("weights/a")
    for text in ("", f"https://x.org/n#sha256={digest_of('weights/a')}"):
        chosen = chosen_weights(contract, text)
        assert (chosen.weights, chosen.replaced, chosen.given) == (contract.weights, frozenset(), None)
    with pytest.raises(UsageError):
        chosen_weights(contract, "https://x.org/n")


def test_a_release_has_the_weights_that_its_run_was_given() -> None:
    contract = contract_with("weights/a", "weights/b")
    files = [
        WeightsFile(path="weights/a", sha256=digest_of("weights/a"), bytes=1, source="lfs"),
        WeightsFile(path="weights/b", sha256=NEW, bytes=1, source="https://x.org/n"),
    ]
    chosen = released_weights(contract, files)
    assert chosen.weights[0] is contract.weights[0]
    assert (chosen.weights[1].sha256, chosen.weights[1].source) == (NEW, "https://x.org/n")
    assert (chosen.replaced, chosen.given) == ({"weights/b"}, None)
    # the record of an older version names no sources, and had no other weights than its commit
    old = [file.model_copy(update={"source": ""}) for file in files]
    assert released_weights(contract, old).weights == contract.weights


def test_the_version_names_the_weights_once() -> None:
    chosen = chosen_weights(contract_with("weights/a"), f"https://x.org/n#sha256={NEW}")
    assert chosen.given is not None
    source = Source(url="", revision="", commit="", committer_date="", version="1.2.0", tree="")
    once = with_version(source, chosen.given)
    assert once.version == "1.2.0+w1a2b3c4d"
    assert with_version(once, chosen.given) == once
