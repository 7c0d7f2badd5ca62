"""The pair in a pod template: all of it, in its place, and nothing else."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.targets.api_server import settings, template
from tests.unit.targets.pairs import pair

from penstock.foundation.errors import UsageError
from penstock.targets.pod_template import hold_template, hold_weights, starves, with_pair

WHERE = "target 'studio'"


def changed(found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return with_pair(found, replace(pair(), **more), settings(), where=WHERE)


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in container["env"]}


def test_only_what_is_the_pair_changes() -> None:
    before = template()
    after = changed(before)
    assert before == template(), "the one that was given stays"
    container, sidecar = after["spec"]["containers"]
    assert container["image"] == pair().image
    assert variables(container) == {"MODE": "x", "PENSTOCK_USE_ONNX": ""}
    assert variables(after["spec"]["initContainers"][0]) == {
        "PENSTOCK_WEIGHTS": f"{'1' * 64} https://hub.example.org/w.onnx w.onnx",
        "PENSTOCK_REPOSITORY": "https://git.example.org/acme/sonic",
        "PENSTOCK_COMMIT": "1" * 40,
    }
    told = {"model": "sonic-lite", "version": "1.1.0", "run": "run-1"}
    ours = {f"penstock.dev/{name}": value for name, value in told.items()}
    assert after["metadata"]["annotations"] == {"example.org/team": "video"} | ours
    assert sidecar == before["spec"]["containers"][1]
    assert after["spec"]["aFieldThatClientsDoNotKnow"] == {"kept": True}


def test_the_same_pair_is_the_same_template() -> None:
    once = changed(template())
    assert changed(once) == once
    assert changed(changed(once, version="1.2.0")) == once


def test_a_variable_stays_where_it_stands() -> None:
    placed = [{"name": "PENSTOCK_USE_ONNX"}, {"name": "USE", "value": "$(PENSTOCK_USE_ONNX)"}]
    container = changed(template(env=[*placed, *placed]), use_onnx=False)["spec"]["containers"][0]
    first, use, again = container["env"]
    assert (first, use, again) == ({"name": "PENSTOCK_USE_ONNX", "value": "false"}, placed[1], placed[1])


def expanded(value: str, known: dict[str, str]) -> str:
    """As Kubernetes does: ``$$`` is ``$``, ``$(NAME)`` the variable, anything else stays."""
    out, at = "", 0
    while at < len(value):
        if value.startswith("$$", at):
            out, at = out + "$", at + 2
        elif value.startswith("$(", at) and (end := value.find(")", at)) > 0:
            name = value[at + 2 : end]
            out, at = out + known.get(name, value[at : end + 1]), end + 1
        else:
            out, at = out + value[at], at + 1
    return out


@given(st.text("$()TOKEN/", min_size=1, max_size=20))
def test_nothing_that_a_release_says_is_expanded(text: str) -> None:
    files = (replace(pair().weights[0], source=text),)
    value = variables(changed(template(), weights=files)["spec"]["initContainers"][0])["PENSTOCK_WEIGHTS"]
    assert expanded(value, {"TOKEN": "secret"}) == f"{'1' * 64} {text} w.onnx"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"path": "/etc/passwd"}, "lie outside of their folder"),
        ({"path": "../w.onnx"}, "lie outside of their folder"),
        ({"path": " w.onnx"}, "lie outside of their folder"),
        ({"path": "a\nb"}, "is not one word"),
        ({"source": "lfs x"}, "is not one word"),
        ({"source": "lfs\nx"}, "is not one word"),
        ({"source": ""}, "is not one word"),
    ],
)
def test_a_line_says_one_file(change: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        hold_weights((replace(pair().weights[0], **change),), settings(), where=WHERE)
    hold_weights((replace(pair().weights[0], path="weights/a b.onnx"),), settings(), where=WHERE)


def test_a_template_that_cannot_take_a_pair() -> None:
    hold_template(template(), settings(), where=WHERE)
    bare = copy.deepcopy(template())
    del bare["spec"]["initContainers"]
    hold_template(bare, settings(init_container=None), where=WHERE)
    for found, told in ((bare, "no init container 'weights'"), (template(readinessProbe={}), "no readinessProbe")):
        with pytest.raises(UsageError, match=told):
            hold_template(found, settings(), where=WHERE)


@pytest.mark.parametrize(
    ("resources", "of_pod", "starving"),
    [
        (None, None, True),
        ({"requests": {"memory": "1Gi"}}, None, True),
        ({"requests": None, "limits": {"nvidia.com/gpu": "1"}}, None, True),
        ({"requests": {"cpu": "0"}}, None, True),
        ({"requests": {"cpu": "50m"}}, None, False),
        ({"limits": {"cpu": "2"}}, None, False),
        (None, {"requests": {"cpu": "1"}}, False),
    ],
)
def test_a_container_that_asks_for_no_processor_starves(resources: Any, of_pod: Any, starving: bool) -> None:
    found = template(resources=resources)
    found["spec"]["containers"][1]["resources"] = {"requests": {"cpu": "1"}}  # a sidecar's share is its own
    found["spec"]["resources"] = of_pod
    assert starves(found, settings()) is starving
