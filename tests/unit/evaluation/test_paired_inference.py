"""Two services in turns: one that crashes does not take the other along, and whose the card's memory is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.evaluation import paired_inference as turns
from penstock.evaluation.infer import Calls
from penstock.evaluation.paired_inference import infer_in_turns
from penstock.foundation.errors import WorldError


def sides(repository, folder: Path, *orders: str, mode: str = "") -> tuple[Calls, Calls]:
    suite = repository.suite(*orders)
    ours = Calls(repository.contract(), suite, repository.path, Bundle(folder / "candidate"))
    theirs = Calls(repository.contract(mode=mode), suite, repository.path, Bundle(folder / "released"))
    return ours, theirs


@pytest.mark.slow
def test_a_crash_of_one_leaves_the_other_as_it_is(repository, tmp_path: Path) -> None:
    heard: list[str] = []
    ours, theirs = infer_in_turns(
        *sides(repository, tmp_path, "a", "die", "b"), on_progress=lambda done, of, what: heard.append(f"{done}/{of}")
    )
    assert [call.status for call in ours] == [call.status for call in theirs] == ["ok", "failed", "ok"]
    assert all(call.warm for call in (*ours, *theirs)), "warmed up again after the new start"
    assert heard == [f"{number}/6" for number in range(1, 7)]
    called = sorted((call.started, whose) for whose, side in (("C", ours), ("R", theirs)) for call in side)
    assert "".join(whose for _, whose in called) == "CRRCCR"


@pytest.mark.slow
def test_the_released_one_that_never_gets_ready_is_named(repository, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="the released model cannot be run again: the model was not ready after"):
        infer_in_turns(*sides(repository, tmp_path, "a", mode="unready"))


@dataclass
class Holder:
    """A model that is told what the other one took."""

    told: list[float] = field(default_factory=list)

    def others_took(self, gpu_mib: float) -> None:
        self.told.append(gpu_mib)


def test_what_one_takes_of_the_card_is_not_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of a driver that names no processes, as in a container."""
    used = iter([1000.0, 1600.0, 1700.0, 1650.0])
    monkeypatch.setattr(turns, "gpu_used_mib", lambda: next(used))
    first, second = Holder(), Holder()
    cards = turns._Cards(first)
    cards.add(second)
    cards.changed_by(first)
    cards.changed_by(second)
    assert (first.told, second.told) == ([600.0, -50.0], [100.0])
