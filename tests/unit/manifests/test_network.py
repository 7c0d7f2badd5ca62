"""Who may talk to whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import apprise
import pytest
from tests.unit.manifests.installed import objects

from penstock.notices.chats import ADDRESSES, PLACES

REACH_OUT = {
    "store",
    "registry",
    "basic-auth",
    "ssh-directory",
    "store-credentials",
    "registry-credentials",
    "receivers",
    "mlflow",
}
"""Parameters and workspaces of a Task that name somebody outside, or open the door there."""


MAIL_PORTS = {25, 465, 587}
MAIL = (
    "mailto://ann:secret@mail.example.org",
    "mailto://mail.example.org?mode=insecure&from=penstock@example.org",
    "mailtos://ann:secret@mail.example.org",
    "mailtos://ann:secret@mail.example.org?mode=starttls",
    "mailtos://ann:secret@mail.example.org?mode=ssl",
    "mailto://ann:secret@gmail.com",
    "mailtos://ann:secret@163.com",
)
"""Mail by every mode that apprise has, and by its own table of the large providers."""


def policy(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = objects("NetworkPolicy")[name]["spec"]
    return spec


def ports(rule: dict[str, Any]) -> set[int]:
    """The TCP ports that a rule opens."""
    tcp = [entry for entry in rule["ports"] if entry["protocol"] == "TCP"]
    return {port for entry in tcp for port in range(entry["port"], entry.get("endPort", entry["port"]) + 1)}


def open_to(task: str) -> set[int]:
    """The TCP ports that a pod of a Task reaches outside, by all the policies that select it by the Task alone."""
    found: set[int] = set()
    for spec in (entry["spec"] for entry in objects("NetworkPolicy").values()):
        for selector in spec["podSelector"].get("matchExpressions", []):
            if selector["key"] == "tekton.dev/task" and task in selector["values"]:
                found.update(*(ports(rule) for rule in spec["egress"] if "to" in rule))
    return found


def port_of(address: str) -> int:
    """The port that apprise sends to."""
    sender = apprise.Apprise.instantiate(address)
    assert sender is not None, address
    return int(sender.port)


def test_what_no_policy_names_is_closed_both_ways() -> None:
    assert policy("closed") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_steps_that_reach_out_by_what_they_are_given_may() -> None:
    """A Task without a store, a registry, a receiver, or a secret has nobody to talk to: its pod stays closed."""
    (selected,) = policy("steps")["podSelector"]["matchExpressions"]
    assert (selected["key"], selected["operator"]) == ("tekton.dev/task", "In")
    open_steps = set()
    for name, task in objects("Task").items():
        given = task["spec"].get("params", []) + task["spec"].get("workspaces", [])
        if REACH_OUT & {entry["name"] for entry in given}:
            open_steps.add(name)
    assert set(selected["values"]) == open_steps
    assert not {"infer", "check", "measure"} & open_steps


def test_no_step_can_be_called() -> None:
    assert "ingress" not in policy("steps")
    assert [rule["ports"] for rule in policy("triggers")["ingress"]] == [[{"protocol": "TCP", "port": 8080}]]


def test_steps_do_not_reach_the_api_server_the_kubelet_or_the_metadata_service() -> None:
    names, rest = policy("steps")["egress"]
    assert {entry["port"] for entry in names["ports"]} == {53}
    assert {block["ipBlock"]["cidr"]: block["ipBlock"]["except"] for block in rest["to"]} == {
        "0.0.0.0/0": ["169.254.0.0/16"],
        "::/0": ["fe80::/10", "fd00:ec2::/32"],
    }
    reached = ports(rest)
    assert not {6443, 10250} & reached
    assert {22, 80, 443, 5000, 7070, 8080, 9000, 65535} <= reached


@pytest.mark.slow
@pytest.mark.parametrize("task", ["notify", "move"])
def test_what_tells_people_reaches_every_kind_of_receiver(task: str) -> None:
    assert set(ADDRESSES) == set(PLACES)
    assert {urlsplit(place).scheme for place in PLACES.values()} == {"https"}
    mail = {address: port_of(address) for address in MAIL}
    assert set(mail.values()) == MAIL_PORTS
    reached = open_to(task)
    assert 443 in reached
    assert {address: port for address, port in mail.items() if port not in reached} == {}


def test_nobody_else_sends_mail() -> None:
    others = objects("Task").keys() - {"notify", "move"}
    assert [task for task in sorted(others) if MAIL_PORTS & open_to(task)] == []
    assert open_to("notify") >= MAIL_PORTS
    (names, rest), (rule,) = policy("steps")["egress"], policy("mail")["egress"]
    assert "to" not in names
    assert rule["to"] == rest["to"], "what is closed to steps is closed here"


def test_the_listener_is_selected_by_the_label_that_tekton_puts_on_its_pod() -> None:
    (listener,) = objects("EventListener")
    assert policy("triggers")["podSelector"] == {"matchLabels": {"eventlistener": listener}}


def test_the_pod_of_the_schedule_reaches_the_api_server_alone() -> None:
    spec = policy("scheduled")
    template = objects("CronJob")["scheduled"]["spec"]["jobTemplate"]["spec"]["template"]
    assert spec["podSelector"]["matchLabels"] == template["metadata"]["labels"]
    assert spec["policyTypes"] == ["Egress"]
    assert spec["egress"] == policy("promote")["egress"]


def test_only_a_promotion_reaches_the_api_server() -> None:
    spec = policy("promote")
    assert spec["podSelector"] == {"matchLabels": {"tekton.dev/pipeline": "promote", "tekton.dev/task": "move"}}
    assert "ingress" not in spec
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [443, 6443]
