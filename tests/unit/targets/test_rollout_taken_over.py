"""A promotion whose pod was killed has left its canary: who promotes the same pair again takes it over."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.targets.api_server import serving
from tests.unit.targets.pairs import pair
from tests.unit.targets.rollouts_api import RolloutServer

from penstock.foundation.errors import UsageError
from penstock.targets.canary import BEFORE
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[RolloutServer]:
    with serving(RolloutServer(tmp_path / "secrets")) as found:
        yield found


def killed(there: RolloutServer, fate: str) -> dict[str, object]:
    """The canary of a promotion whose pod is gone: nothing was put back. Returns the template from before it."""
    before = copy.deepcopy(there.template)
    there.fate = "canary"
    gone = there.rollout(canary_s=0.05)
    gone.check(pair())
    gone.state()
    with pytest.raises(CanaryUndecidedError):
        gone.deploy(pair(), None)
    there.fate = fate
    there.reconcile()
    return before


def test_who_promotes_it_again_takes_over_what_a_killed_promotion_left(there: RolloutServer) -> None:
    killed(there, "canary")
    target, patches = there.rollout(), len(there.patches)
    target.check(pair())
    target.state()
    there.fate = "serves"
    there.reconcile()
    target.deploy(pair(), None)
    assert len(there.patches) == patches, "it is followed, and not begun again"


@pytest.mark.parametrize(("fate", "error"), [("failed", CanaryStoppedError), ("inconclusive", CanaryUndecidedError)])
def test_and_puts_back_what_was_there_before_that_began(
    there: RolloutServer, fate: str, error: type[Exception]
) -> None:
    before = killed(there, fate)
    target = there.rollout(canary_s=0.05)
    target.check(pair())
    state = target.state()
    with pytest.raises(error):
        target.deploy(pair(), None)
    target.restore(state)
    assert there.template == before


@pytest.mark.parametrize("kept", ["", "no JSON", "[]", '{"metadata": {}}'])
def test_without_knowing_what_was_there_nobody_takes_over(there: RolloutServer, kept: str) -> None:
    killed(there, "canary")
    there.deployment["metadata"]["annotations"][BEFORE] = kept
    target = there.rollout()
    target.check(pair())
    with pytest.raises(UsageError, match="a canary is there already"):
        target.state()


def test_a_template_that_was_kept_for_a_later_release_is_not_put_back(there: RolloutServer) -> None:
    """Somebody has undone a later release: what is kept then is this very template, and what was before it is not."""
    killed(there, "canary")
    there.deployment["metadata"]["annotations"][BEFORE] = json.dumps(there.template)
    target = there.rollout()
    target.check(pair())
    with pytest.raises(UsageError, match="a canary is there already"):
        target.state()


def test_another_pair_does_not_take_over(there: RolloutServer) -> None:
    killed(there, "canary")
    target = there.rollout()
    target.check(pair("1.2.0", "2"))
    with pytest.raises(UsageError, match="a canary is there already"):
        target.state()
