"""The probes of a watch's policy, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.watch.watch_policy import load_watch_policy

PROBES = "probes: {canary: 'http://canary:8000', stable: 'http://stable:8000'}\n"


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "watch.yaml"
    path.write_text(text, encoding="utf-8")
    return load_watch_policy(path).probes


def test_defaults_and_no_users(tmp_path: Path) -> None:
    policy = tmp_path / "watch.yaml"
    policy.write_text(PROBES, encoding="utf-8")
    found = load_watch_policy(policy)
    assert found.signals.names == []
    assert found.probes is not None
    assert (found.probes.every_s, found.probes.most, found.probes.seed) == (10.0, 500, 0)
    assert (found.probes.errors.ratio, found.probes.errors.harmless) == (2.0, 0.05)
    assert (found.probes.latency.ratio, found.probes.answers.harmless) == (1.5, 0.05)
    assert (found.probes.repository, found.probes.recorded, found.probes.journal) == (".", None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROBES.replace("http://canary:8000", "canary:8000"), "probes.canary"),
        (PROBES.replace("http://stable", "http://me:secret@stable"), "probes.stable"),
        (PROBES.replace("}", ", every_s: 0.0}"), "probes.every_s"),
        (PROBES.replace("}", ", model: sonic, recorded: bundle}"), "leave repository and recorded out"),
        (PROBES.replace("}", ", model: sonic, repository: .}"), "leave repository and recorded out"),
        (PROBES.replace("}", ", every_s: .nan}"), "not a finite number"),
        (PROBES.replace("}", ", most: 0}"), "probes.most"),
        (PROBES.replace("}", ", errors: {harmless: 0.0}}"), "probes.errors.harmless"),
        (PROBES.replace("}", ", latency: {ratio: 1.0}}"), "probes.latency.ratio"),
        (PROBES.replace("}", ", each_s: 5.0}"), "each_s"),
        (
            PROBES + "prometheus: {url: 'http://p', canary: {requests: a}, stable: {requests: b}}\n",
            "no signal of 'prometheus' is watched",
        ),
    ],
)
def test_what_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
