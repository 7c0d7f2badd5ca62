"""A Deployment: the pair serves, goes back exactly, and what others change meanwhile is left alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.targets.api_server import OLD_IMAGE, ApiServer, api_server, settings, template
from tests.unit.targets.pairs import pair
from tests.unit.targets.promotions import MODEL, publish_with_image
from tests.unit.targets.targets_files import write_targets

from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.acts import promote
from penstock.releases.baseline import baseline
from penstock.store.local import LocalStore
from penstock.targets import deployment
from penstock.targets.claim import claimed
from penstock.targets.delivery import Delivery
from penstock.targets.deployment import EditedError
from penstock.targets.waiting import NotServingError

pytestmark = pytest.mark.slow
"""To import the client takes a second."""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path / "secrets") as found:
        yield found


def test_the_pair_serves_and_goes_back_exactly(there: ApiServer) -> None:
    target, before = there.target(), copy.deepcopy(there.template)
    target.check(pair())
    state = target.state()
    target.deploy(pair(), None)
    assert there.container["image"] == pair().image
    assert there.template["metadata"]["annotations"]["penstock.dev/version"] == "1.1.0"
    assert there.template["spec"]["initContainers"][0]["env"][0] == {
        "name": "PENSTOCK_WEIGHTS",
        "value": f"{'1' * 64} https://hub.example.org/w.onnx w.onnx",
    }
    target.restore(state)
    assert there.template == before
    assert len(there.patches) == 2
    assert target.longest_s > 0.4


def test_what_serves_already_is_only_looked_at(there: ApiServer) -> None:
    for _ in range(2):
        target = there.target()
        state = target.state()
        target.deploy(pair(), None)
    assert len(there.patches) == 1
    target.restore(state)
    assert there.container["image"] == pair().image, "it served before, too"


@pytest.mark.parametrize("fate", ["ImagePullBackOff", "CrashLoopBackOff", "late"])
def test_one_that_cannot_come_is_told_at_once_and_put_back(there: ApiServer, fate: str) -> None:
    there.fate = fate
    target, before = there.target(timeout_s=60.0), copy.deepcopy(there.template)
    state = target.state()
    with pytest.raises(NotServingError, match=r"kubectl -n studio describe deployment sonic") as caught:
        target.deploy(pair(), None)
    assert ("timed out" if fate == "late" else fate) in str(caught.value) or "unready" in str(caught.value)
    target.restore(state)
    assert there.template == before


def test_one_that_does_not_come_is_told_after_its_time(there: ApiServer) -> None:
    there.fate = "ContainerCreating"
    target = there.target(timeout_s=0.05)
    target.state()
    with pytest.raises(NotServingError, match=r"1\.1\.0 does not serve after 0\.05 s: .*unready containers: \[model\]"):
        target.deploy(pair(), None)


def test_status_and_replicas_that_change_meanwhile_are_no_edit(there: ApiServer) -> None:
    there.before_patch = [there.touch, lambda: there.edit(lambda spec: spec.update(replicas=3))]
    target = there.target()
    state = target.state()
    target.deploy(pair(), None)
    there.before_patch = [there.touch]
    target.restore(state)
    assert there.deployment["spec"]["replicas"] == 3
    assert [len(changes) for changes in there.patches] == [2, 2, 2, 2]


def by_hand(spec: dict[str, Any]) -> None:
    spec["template"]["spec"]["containers"][0]["image"] = "registry.example.org/sonic:by-hand"


@pytest.mark.parametrize("when", ["before", "at the change"])
def test_an_edit_before_ours_is_told_and_stays(there: ApiServer, when: str) -> None:
    target = there.target()
    state = target.state()
    if when == "before":
        there.edit(by_hand)
    else:
        there.before_patch = [lambda: there.edit(by_hand)]
    with pytest.raises(EditedError, match=r"meanwhile, and that was left alone; its image is .*:by-hand"):
        target.deploy(pair(), None)
    target.restore(state)  # nothing was ours
    assert there.container["image"].endswith(":by-hand")


def test_an_edit_after_ours_is_told_and_stays(there: ApiServer) -> None:
    there.fate = "ContainerCreating"
    target = there.target(timeout_s=0.02)
    state = target.state()
    with pytest.raises(NotServingError):
        target.deploy(pair(), None)
    there.edit(by_hand)
    with pytest.raises(EditedError):
        target.restore(state)
    assert there.container["image"].endswith(":by-hand")


def test_an_edit_during_the_wait_ends_it(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    there.fate = "ContainerCreating"
    target = there.target(timeout_s=60.0)
    target.state()
    monkeypatch.setattr(deployment.Rollout, "missing", lambda *_, **__: there.edit(by_hand) or "not yet")
    with pytest.raises(EditedError):
        target.deploy(pair(), None)


def test_a_change_that_is_not_answered_is_looked_for(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "SWAP_PAUSE_S", 0.01)
    there.lose = ["PATCH"]
    target = there.target()
    state = target.state()
    target.deploy(pair(), None)
    assert (there.container["image"], len(there.patches)) == (pair().image, 1)
    there.refuse = [503, 429]
    target.restore(state)
    assert there.container["image"] == OLD_IMAGE


def test_an_api_server_that_stays_away_is_told(there: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "SWAP_PAUSE_S", 0.01)
    monkeypatch.setattr(deployment, "SWAP_S", 0.03)
    target = there.target()
    target.state()
    there.refuse = [500] * 100
    with pytest.raises(WorldError, match="the API server answers 500: refused GET"):
        target.deploy(pair(), None)
    with pytest.raises(WorldError, match="500"):
        target.state()


def test_it_may_be_away_during_the_wait(there: ApiServer) -> None:
    target = there.target(timeout_s=5.0)
    target.state()
    there.before_patch = [lambda: there.refuse.extend([503, 500])]
    target.deploy(pair(), None)
    assert there.refuse == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda spec: spec.update(paused=True), "is paused.*kubectl rollout resume deployment/sonic"),
        (lambda spec: spec.update(replicas=0), "0 replicas"),
        (lambda spec: spec.update(template=template(name="other")), "no container 'model'. It has: other, sidecar"),
        (lambda spec: spec.update(template=template(readinessProbe=None)), "no readinessProbe"),
        (lambda spec: spec["template"]["spec"].pop("initContainers"), "no init container 'weights'. It has: none"),
    ],
)
def test_one_that_cannot_take_a_pair_is_refused_first(there: ApiServer, change: Any, told: str) -> None:
    there.edit(change)
    with pytest.raises(UsageError, match=told):
        there.target().state()
    assert there.patches == []


def test_weights_that_nothing_brings_are_refused(there: ApiServer) -> None:
    bare = there.target(init_container=None)
    with pytest.raises(UsageError, match="nothing brings the release's weights"):
        bare.check(pair())
    bare.check(pair(weights=False))
    bare.state()
    bare.deploy(pair(weights=False), None)
    assert "env" not in there.template["spec"]["initContainers"][0]


def test_the_state_is_the_template_as_it_came(there: ApiServer) -> None:
    assert json.loads(there.target().state()) == template()


def test_a_container_without_a_share_of_the_processor_is_told_of(
    there: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    there.target().state()
    told = "the container 'model' requests no processor time: on a busy node its readiness probe fails"
    assert caplog.text.count(told) == 1
    caplog.clear()
    there.edit(lambda spec: spec.update(template=template(resources={"requests": {"cpu": "250m"}})))
    there.target().state()
    assert caplog.text == ""


def test_the_pointer_follows_what_serves(there: ApiServer, tmp_path: Path) -> None:
    """By the command's own way: brought, put back with its reason, and refused while somebody else brings one."""
    there.target()  # writes the kubeconfig
    store = LocalStore(tmp_path / "store")
    wanted = settings(timeout_s=5.0).model_dump(mode="json", exclude_none=True)
    file = write_targets(tmp_path / "platform", studio=wanted)

    def act(version: str) -> None:
        promote(store, MODEL, version, reason="ready", serving=Delivery(store, file, there.folder, by="ann"))

    def current() -> str:
        found = baseline(store, MODEL)
        assert found is not None
        return found.version

    publish_with_image(tmp_path, store, 0)
    act("1.0.0")
    before = copy.deepcopy(there.template)
    publish_with_image(tmp_path, store, 1, before="run-0")
    there.fate = "CrashLoopBackOff"
    with pytest.raises(NotServingError, match=r"a pod cannot start: .*CrashLoopBackOff: it ended with 3: no CUDA"):
        act("1.1.0")
    assert (there.template, current()) == (before, "1.0.0")
    there.fate = "serves"
    with (
        claimed(store, "studio", MODEL, "1.1.0", by="bob", longest_s=60.0),
        pytest.raises(WorldError, match=r"bob brings sonic-lite 1\.1\.0 to the target"),
    ):
        act("1.1.0")
    assert there.template == before
    act("1.1.0")
    assert (there.container["image"][-64:], current()) == ("1" * 64, "1.1.0")
