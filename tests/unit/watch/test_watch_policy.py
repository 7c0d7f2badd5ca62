"""The policy of a watch, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.watch.watch_policy import load_watch_policy

PROMETHEUS = """
prometheus:
  url: http://prometheus:9090
  canary: {requests: 'requests_total{service="canary"}', latency: 'duration_bucket{service="canary"}'}
  stable: {requests: 'requests_total{service="stable"}', latency: 'duration_bucket{service="stable"}'}
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "watch.yaml"
    path.write_text(text, encoding="utf-8")
    return load_watch_policy(path)


def test_defaults(tmp_path: Path) -> None:
    policy = load_watch_policy(_written(tmp_path, "signals: {errors: {}, latency: {}}\n" + PROMETHEUS))
    assert policy.signals.names == ["errors", "latency"]
    assert policy.signals.errors is not None
    assert (policy.signals.errors.ratio, policy.signals.errors.harmless) == (2.0, 0.001)
    assert (policy.level, policy.risk, policy.stretch_s, policy.warm_up_s, policy.timeout_s) == (
        0.05,
        0.02,
        60,
        120,
        7200,
    )
    assert policy.prometheus is not None
    assert policy.prometheus.status_label == "code"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("signals: {}\n", "no signal is watched"),
        ("signals: {errors: {ratio: 1.0}}\n", "signals.errors.ratio"),
        ("signals: {errors: {ratio: .nan}}\n", "not a finite number"),
        ("signals: {errors: {}}\nlevel: 0.6\n", "level"),
        ("signals: {errors: {}}\ntimout_s: 5\n", "timeout_s"),
        ("signals: {errors: {}}\ntimeout_s: 200.0\n", "fewer than 4 stretches"),
        ("signals: {errors: {}}\nstretch_s: 1.0\n", "3000 stretches"),
        ("signals: {feedback: {}}\n" + PROMETHEUS, "names no counter"),
        ("signals: {errors: {}}\n" + PROMETHEUS.replace("'requests_total", "'rate(requests_total"), "without rate"),
        ("signals: {errors: {}}\n" + PROMETHEUS.replace("http://", "http://me:secret@"), "prometheus.url"),
        ("signals: {errors: {}}\n" + PROMETHEUS.replace("http:", "file:"), "prometheus.url"),
    ],
)
def test_what_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "watch.yaml" in str(raised.value)


def test_logged_errors_as_the_page_has_them(tmp_path: Path) -> None:
    """docs/watch.md: a counter of logged errors in the place of complaints, and no latency."""
    page = (Path(__file__).parents[3] / "docs" / "watch.md").read_text(encoding="utf-8")
    example = page.partition("**Logged errors.**")[2].partition("```yaml\n")[2].partition("```")[0]
    policy = load_watch_policy(_written(tmp_path, example))
    assert policy.signals.names == ["errors", "feedback"]
    assert policy.timeout_s == 3600
    assert policy.prometheus is not None
    assert [side.latency for side in (policy.prometheus.canary, policy.prometheus.stable)] == [None, None]


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "watch.yaml"
    path.write_text(text, encoding="utf-8")
    return path
