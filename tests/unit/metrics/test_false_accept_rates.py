"""False accept rates as people write them."""

from __future__ import annotations

from penstock.metrics.false_accept_rates import ONE_IN, too_few


def test_a_rate_is_one_in_so_many() -> None:
    assert list(ONE_IN) == ["1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"]
    assert all(float(far) == 1 / one_in for far, one_in in ONE_IN.items())


def test_too_few_impostors() -> None:
    assert too_few(10, 100, of_identities=False) is None
    assert too_few(10, 99, of_identities=False) == "99 impostor pairs; 10 ÷ FAR = 100 are needed"
