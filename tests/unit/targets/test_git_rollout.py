"""A Rollout that a deployment repository of real git holds: the canary comes by a commit and goes by its revert."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.targets.api_server import Json, serving
from tests.unit.targets.control_api import NAME, ControlServer
from tests.unit.targets.deployments import VALUES, deployment_repository, file_of, git, push_of_others
from tests.unit.targets.pairs import pair
from tests.unit.targets.rollouts_api import PLACE, RolloutServer, rollout_settings

from penstock.foundation.errors import UsageError
from penstock.targets import control_group
from penstock.targets.canary import CANARY, SINCE
from penstock.targets.git_rollout import GitRolloutTarget
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError, NotServingError

pytestmark = pytest.mark.slow
"""To import the client takes a second, and each act is some programs of git."""


class Applied(RolloutServer):
    """As Argo CD would make it: the pod template has what the branch says, whenever it is looked at."""

    bare: Path
    applies = True

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Json]:
        if method == "GET" and path.partition("?")[0] == PLACE and self.applies:
            self.apply()
        return super().answer(method, path, body)

    def apply(self) -> None:
        found = yaml.safe_load(file_of(self.bare))
        wanted = copy.deepcopy(self.template)
        wanted["spec"]["containers"][0]["image"] = found["image"]
        wanted["metadata"]["annotations"]["example.org/weights"] = found["weights"]["sonic"]
        if wanted != self.template:
            self.edit(lambda spec: spec.update(template=wanted))

    def target(self, **more: Any) -> GitRolloutTarget:
        self.write_kubeconfig()
        fields = [
            {"at": ["image"], "value": "image"},
            {"at": ["weights", "sonic"], "value": "weights", "path": "w.onnx"},
            {"at": ["version"], "value": "version"},
        ]
        repository = {"repository": str(self.bare), "file": "apps/sonic.yaml", "fields": fields}
        settings = rollout_settings(git=repository, init_container=None, **more)
        assert settings.git is not None
        return GitRolloutTarget("studio", settings, self.folder, git=settings.git)


class AppliedWithControl(Applied, ControlServer):
    """A canary in it has a control group, which no repository holds."""

    def target(self, **more: Any) -> GitRolloutTarget:
        return super().target(control=NAME, **more)


def begun(server: Applied, folder: Path) -> Applied:
    """What the branch says serves everybody."""
    server.bare = deployment_repository(folder)
    server.apply()
    server.stable = server.deployment["status"]["currentPodHash"]
    server.reconcile()
    return server


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Applied]:
    with serving(begun(Applied(tmp_path / "secrets"), tmp_path)) as found:
        yield found


def subjects(there: Applied) -> list[str]:
    return git(there.bare, "log", "--format=%s", "main").splitlines()


def begin(there: Applied, **more: float) -> tuple[GitRolloutTarget, str]:
    target = there.target(**more)
    target.check(pair())
    return target, target.state()


def test_it_comes_by_a_commit_and_penstock_patches_no_template(there: Applied) -> None:
    target, state = begin(there)
    target.deploy(pair(), None)
    assert file_of(there.bare) == VALUES.replace("0" * 64, "1" * 64).replace('"1.0.0"', '"1.1.0"')
    assert there.container["image"] == pair().image
    assert [list(change) for change in there.patches] == [["metadata"], ["metadata"]]
    assert int(there.deployment["metadata"]["annotations"][SINCE]) > 1_700_000_000
    assert there.deployment["metadata"]["annotations"][CANARY] == pair().version
    target.restore(state)
    assert (file_of(there.bare), subjects(there)[0]) == (VALUES, 'Revert "sonic-lite 1.1.0"')


def test_one_that_was_stopped_is_reverted_and_others_work_stays(there: Applied, tmp_path: Path) -> None:
    there.fate = "failed"
    target, state = begin(there, canary_s=60.0)
    with pytest.raises(CanaryStoppedError, match="the canary was stopped: RolloutAborted"):
        target.deploy(pair(), None)
    push_of_others(tmp_path, "note: hello", "note: good-bye")
    target.restore(state)
    assert file_of(there.bare) == VALUES.replace("hello", "good-bye")
    assert subjects(there) == ['Revert "sonic-lite 1.1.0"', "by hand", "sonic-lite 1.1.0", "the shop"]
    assert {"status": {"abort": True}} not in there.patches, "it was stopped already"


def test_an_undecided_one_is_stopped_before_its_commit_is_reverted(there: Applied) -> None:
    there.fate = "inconclusive"
    target, state = begin(there, canary_s=0.5)
    with pytest.raises(CanaryUndecidedError):
        target.deploy(pair(), None)
    target.restore(state)
    assert {"status": {"abort": True}} in there.patches, "users are back before anything applies the revert"
    assert file_of(there.bare) == VALUES


def test_a_commit_that_nothing_applies_is_told_and_reverted(there: Applied) -> None:
    there.applies = False
    target, state = begin(there, timeout_s=0.05)
    with pytest.raises(NotServingError, match=r"was pushed, and nothing has applied it for 0\.05 s.*Argo CD"):
        target.deploy(pair(), None)
    target.restore(state)
    assert file_of(there.bare) == VALUES


def test_who_comes_after_a_killed_promotion_takes_over(there: Applied) -> None:
    there.fate = "canary"
    killed, _ = begin(there, canary_s=0.5)
    with pytest.raises(CanaryUndecidedError):
        killed.deploy(pair(), None)  # and its pod is gone: nothing is put back
    there.fate = "failed"
    there.reconcile()
    target, state = begin(there)
    with pytest.raises(CanaryStoppedError):
        target.deploy(pair(), None)
    target.restore(state)
    assert (file_of(there.bare), len(subjects(there))) == (VALUES, 3)


def test_one_that_was_killed_before_its_commit_was_applied_is_taken_over(there: Applied) -> None:
    there.applies = False
    killed, _ = begin(there, timeout_s=0.05)
    with pytest.raises(NotServingError):
        killed.deploy(pair(), None)  # and its pod is gone: nothing is put back
    there.applies, there.fate = True, "inconclusive"
    target, state = begin(there, canary_s=0.5)
    with pytest.raises(CanaryUndecidedError):
        target.deploy(pair(), None)
    target.restore(state)
    assert {"status": {"abort": True}} in there.patches
    assert (file_of(there.bare), len(subjects(there))) == (VALUES, 3)


def test_the_canary_of_another_is_refused(there: Applied) -> None:
    there.fate = "canary"
    killed, _ = begin(there, canary_s=0.5)
    with pytest.raises(CanaryUndecidedError):
        killed.deploy(pair(), None)
    other = there.target()
    other.check(pair("1.2.0", "2"))
    with pytest.raises(UsageError, match="a canary is there already"):
        other.state()
    assert "2" * 64 not in json.dumps(there.template)


def test_the_control_group_of_one_that_fails_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_group, "END_POLL_S", 0.01)
    monkeypatch.setattr(control_group, "DRAIN_S", 0.02)
    server = AppliedWithControl(tmp_path / "secrets")
    with serving(server):
        begun(server, tmp_path)
        server.sets = [server.replica_set("d-1", server.template)]
        server.fate, server.then = "canary", "failed"
        target, state = begin(server, canary_s=60.0)
        with pytest.raises(CanaryStoppedError):
            target.deploy(pair(), None)
        target.restore(state)
        assert server.changes == ["replicas 1", "weight 5", "weight 0", "replicas 0"]
    assert file_of(server.bare) == VALUES
