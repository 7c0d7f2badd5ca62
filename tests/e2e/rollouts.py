"""The small service as a Rollout behind Traefik, with its watch; and users who ask it all the time."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.serving import PORT
from tests.e2e.serving import manifests as deployment_manifests

COOKIE, CONTROL = "penstock", "sonic-control"
INTERVAL_S = 3
PATIENCE_S, SHORT_PATIENCE_S = 180, 54
"""How long the analysis asks for a decision: a busy machine takes three times as long to give as many answers."""


def watch_policy(prometheus: str, *, stable: str = "stable", harmless: float = 0.05) -> Object:
    """Few requests decide: the errors alone, and one in twenty is no harm. In earnest both would be otherwise.

    Args:
        prometheus: its address.
        stable: whose Service the stable side is: ``stable``, or ``control`` for the control group's.
        harmless: errors per request.
    """
    sides = {
        side: {"requests": f'traefik_service_requests_total{{service=~".*-sonic-{of}-.*"}}'}
        for side, of in (("canary", "canary"), ("stable", stable))
    }
    return {
        "signals": {"errors": {"ratio": 3.0, "harmless": harmless}},
        "stretch_s": 2.0,
        "warm_up_s": 2.0,
        "timeout_s": PATIENCE_S,
        "prometheus": {"url": prometheus, **sides, "timeout_s": 2.0},
    }


def latency_policy(prometheus: str) -> Object:
    """The same of the latency: a P95 that is four times as long is bad. On a busy machine it may double by chance.

    The whole stable side: P95 takes 200 of its answers, which a control group does not give in a minute here.
    """
    policy = watch_policy(prometheus)
    for side in ("canary", "stable"):
        selector = f'traefik_service_request_duration_seconds_bucket{{service=~".*-sonic-{side}-.*"}}'
        policy["prometheus"][side]["latency"] = selector
    return policy | {"signals": {"latency": {"ratio": 4.0}}}


def feedback_policy(prometheus: str) -> Object:
    """The same of thumbs down beside the control group; the service itself counts them, as it does its answers."""
    policy = watch_policy(prometheus)
    for side, of in (("canary", "canary"), ("stable", "control")):
        names = {"requests": "answers_total", "feedback": "thumbs_down_total"}
        policy["prometheus"][side] = {one: f'{name}{{service="sonic-{of}"}}' for one, name in names.items()}
    return policy | {"signals": {"feedback": {"ratio": 3.0}}}


def manifests(facts: Facts, image: str, watch: str, *, version: bool = True, control: bool = False) -> list[Object]:
    """As docs/operations.md has it, with less patience.

    Args:
        facts: the cluster.
        image: what serves at the beginning.
        watch: address of the verdict.
        version: whether the analysis says which release the canary is.
        control: whether there is a place for a control group.
    """
    deployment, service = deployment_manifests(facts, image)
    services = [
        {**service, "metadata": {"name": f"sonic-{side}"}, "spec": dict(service["spec"])}
        for side in ("stable", "canary")
    ]
    members: list[Object] = [{"name": f"sonic-{side}", "port": PORT} for side in ("stable", "canary")]
    beside: list[Object] = []
    if control:
        members.append({"name": CONTROL, "port": PORT, "weight": 0})
        beside = _control(deployment, service)
    weighted = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": {"name": "sonic"},
        "spec": {"weighted": {"sticky": {"cookie": {"name": COOKIE}}, "services": members}},
    }
    route = {"kind": "Rule", "match": "PathPrefix(`/`)", "services": [{"kind": "TraefikService", "name": "sonic"}]}
    ingress = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": "sonic"},
        "spec": {"entryPoints": ["web"], "routes": [route]},
    }
    noted = {"since": "since", **({"version": "canary"} if version else {})}
    args = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['penstock.dev/{annotation}']"}}}
        for name, annotation in noted.items()
    ]
    steps = [
        {"setCanaryScale": {"replicas": 1}},
        {"setWeight": 5},
        {"analysis": {"templates": [{"templateName": "penstock-watch"}], "args": args}},
    ]
    rollout = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "sonic"},
        "spec": {
            **{name: deployment["spec"][name] for name in ("replicas", "selector", "template")},
            "progressDeadlineSeconds": 60,
            "rollbackWindow": {"revisions": 3},
            "strategy": {
                "canary": {
                    "stableService": "sonic-stable",
                    "canaryService": "sonic-canary",
                    "trafficRouting": {"traefik": {"weightedTraefikServiceName": "sonic"}},
                    "steps": steps,
                }
            },
        },
    }
    return [*services, *beside, weighted, ingress, analysis(watch, list(noted)), rollout]


def _control(deployment: Object, service: Object) -> list[Object]:
    """The Deployment without replicas and its Service, as docs/operations.md has them; the pair is Penstock's."""
    labels = {"app": CONTROL}
    template = deployment["spec"]["template"] | {"metadata": {"labels": labels}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return [
        {**deployment, "metadata": {"name": CONTROL}, "spec": spec},
        {**service, "metadata": {"name": CONTROL}, "spec": service["spec"] | {"selector": labels}},
    ]


def analysis(watch: str, args: list[str]) -> Object:
    """The AnalysisTemplate of docs/watch.md, which asks for what ``args`` name."""
    query = "&".join(f"{name}={{{{args.{name}}}}}" for name in args)
    metric = {
        "name": "watch",
        "interval": f"{INTERVAL_S}s",
        "successCondition": 'result == "Successful"',
        "failureCondition": 'result == "Failed"',
        "consecutiveSuccessLimit": 1,
        "failureLimit": 0,
        "inconclusiveLimit": PATIENCE_S // INTERVAL_S,
        "count": PATIENCE_S // INTERVAL_S + 2,
        "consecutiveErrorLimit": 4,
        "provider": {
            "web": {
                "url": f"{watch}/verdict?{query}",
                "jsonPath": "{$.phase}",
                "timeoutSeconds": 15,
            }
        },
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "penstock-watch"},
        "spec": {"args": [{"name": name} for name in args], "metrics": [metric]},
    }


@dataclass(frozen=True)
class Answer:
    """What a user got."""

    at: float
    """``time.monotonic``."""
    status: int
    version: str
    weights: str
    user: int
    """Those who keep their cookie are 1 and above; 0 are new users, each request one."""


class Crowd:
    """New users all the time, and some who come back with their cookie. Use as a context manager.

    Args:
        url: what they ask.
        new: so many at a time who never came before.
        known: so many who come back.
        every_s: seconds from one request of one of them to the next.
        dislike: how the versions end that most of them dislike; of others one in fifty. Empty: nobody says anything.
    """

    def __init__(self, url: str, *, new: int = 4, known: int = 2, every_s: float = 0.03, dislike: str = "") -> None:
        self._host, self._every_s, self._dislike = urlsplit(url).netloc, every_s, dislike
        self._end = threading.Event()
        users = [*[0] * new, *range(1, known + 1)]
        self._threads = [threading.Thread(target=self._ask, args=(user,), daemon=True) for user in users]
        self.answers: list[Answer] = []
        self.failed: list[tuple[datetime, str]] = []
        """When, and how: requests without an answer, and answers of the router itself, which no release gives."""

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def failures(self) -> list[str]:
        """What failed, a line for each kind: how often, and from when to when, to find it in the controllers' logs."""
        moments: dict[str, list[datetime]] = {}
        for moment, text in list(self.failed):
            moments.setdefault(text, []).append(moment)
        return [
            f"{len(times)} x {text}, {min(times):%H:%M:%S.%f} to {max(times):%H:%M:%S.%f} UTC"
            for text, times in moments.items()
        ]

    def since(self, moment: float) -> list[Answer]:
        """The answers after a moment."""
        return [answer for answer in list(self.answers) if answer.at >= moment]

    def _ask(self, user: int) -> None:
        cookie, link, taste = "", http.client.HTTPConnection(self._host, timeout=20), random.Random(user)
        while not self._end.is_set():
            began = time.monotonic()
            try:
                link.request("GET", "/", headers={"Cookie": cookie} if cookie else {})
                answer = link.getresponse()
                content = answer.read()
                given = answer.headers.get("Set-Cookie", "").partition(";")[0]
                cookie = given if user and given else cookie
                self._note(answer.status, content, user)
                if self._dislike and taste.random() < (0.9 if self._dislike.encode() in content else 0.02):
                    link.request("GET", "/down", headers={"Cookie": given or cookie})  # to those who have answered
                    link.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                self._failed(f"{type(error).__name__}: {error}")
                link.close()
            self._end.wait(max(0.0, self._every_s - (time.monotonic() - began)))
        link.close()

    def _failed(self, text: str) -> None:
        self.failed.append((datetime.now(UTC), text))

    def _note(self, status: int, content: bytes, user: int) -> None:
        try:
            said: Any = json.loads(content)
            version, weights = said
        except ValueError:
            self._failed(f"{status}: {content[:200]!r}")
            return
        self.answers.append(Answer(time.monotonic(), status, version, weights, user))
