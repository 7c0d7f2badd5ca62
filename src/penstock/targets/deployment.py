"""``deployment``: a Deployment of plain Kubernetes. Its pod template is changed by compare-and-swap.

The Rollout of Argo Rollouts is changed in the same way: :class:`penstock.targets.argo_rollout.RolloutTarget`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.targets.pair import ServedPair
from penstock.targets.pod_template import Json, hold_template, hold_weights, starves, with_pair
from penstock.targets.rollout import Rollout
from penstock.targets.targets_file import WorkloadSettings
from penstock.targets.waiting import NotServingError, wait_until_served
from penstock.targets.workload_api import REQUEST_S, ApiSilentError, StaleError, WorkloadApi

log = logging.getLogger(__name__)

SWAP_S = 60.0
"""How long a change may take: its status changes all the time, and each change makes what was read old."""
SWAP_PAUSE_S = 0.2
LOOK_S = 3 * REQUEST_S


class EditedError(WorldError):
    """Somebody else has changed the pod template meanwhile: it is not overwritten."""

    resumable = False


class DeploymentTarget:
    """One Deployment."""

    def __init__(self, name: str, settings: WorkloadSettings, secrets: Path | None) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Raises:
            UsageError: as :class:`penstock.targets.workload_api.WorkloadApi` says.
        """
        self._settings, self._where = settings, f"target '{name}'"
        self._api = WorkloadApi(settings, secrets, where=self._where)
        self._before: Json | None = None
        """The pod template that :meth:`state` has seen."""
        self._ours: Json | None = None
        """The pod template that we have sent, whether or not that was answered."""

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        return 2 * (self._settings.timeout_s + LOOK_S + SWAP_S + 2 * REQUEST_S)

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair of which weights would not come."""
        hold_weights(pair.weights, self._settings, where=self._where)

    def state(self) -> str:
        """The pod template, as JSON.

        Raises:
            UsageError: it cannot take a pair, is paused, or has no replicas.
        """
        found = self._read()
        spec, kind = found["spec"], self._api.kind
        if "template" not in spec:
            todo = "Write it out in it: what it refers to is not followed."
            raise UsageError(f"the {kind} has no pod template", where=self._where, todo=todo)
        hold_template(spec["template"], self._settings, where=self._where)
        if spec.get("paused"):
            todo = f"Let it go on: {self._command('resume')}"
            raise UsageError(f"the {kind} is paused: nothing would come to serve", where=self._where, todo=todo)
        if not spec.get("replicas", 1):
            raise UsageError(f"the {kind} has 0 replicas: nothing would serve", where=self._where)
        self._hold(found)
        if starves(spec["template"], self._settings):
            what = "requests no processor time: on a busy node its readiness probe fails, and users get 503"
            todo = "give it resources.requests.cpu"
            log.warning("%s: the container '%s' %s; %s", self._where, self._settings.container, what, todo)
        self._before = spec["template"]
        return json.dumps(self._before, sort_keys=True)

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:  # noqa: ARG002 (the template says it)
        """Put the pair into the pod template, and wait until every replica serves it."""
        before = self._before or json.loads(self.state())
        wanted = with_pair(before, pair, self._settings, where=self._where)
        self._wait(self._swap(before, wanted, self._with_deploy), f"{pair.model} {pair.version}", self._deploy_s)

    def restore(self, state: str) -> None:
        """Put the very pod template back that was there, and wait until every replica serves it again."""
        if self._ours is None:
            return
        template = self._swap(self._ours, json.loads(state), self._with_restore)
        if self._taken_up:
            self._wait(template, "what served before", self._settings.timeout_s)

    # What differs from one kind to the other.

    @property
    def _deploy_s(self) -> float:
        """How long a pair may take to serve."""
        return self._settings.timeout_s

    @property
    def _taken_up(self) -> bool:
        """Whether anything may have come of our change; if not, what was there has never been touched."""
        return True

    def _hold(self, found: Json) -> None:
        """Refuse what could not take a pair for another reason than its template."""

    def _with_deploy(self, found: Json) -> list[Json]:  # noqa: ARG002 (of the other kind)
        """What is changed together with the template: operations of a JSON patch."""
        return []

    def _with_restore(self, found: Json) -> list[Json]:  # noqa: ARG002 (likewise)
        """What is changed together with the template when it is put back."""
        return []

    def _command(self, act: str) -> str:
        """What a person types to look at it or to change it."""
        settings = self._settings
        if act == "describe":
            return f"kubectl -n {settings.namespace} describe {self._api.kind.lower()} {settings.name}"
        return f"kubectl rollout {act} deployment/{settings.name}"

    def _missing(self, found: Json) -> str:
        """What is missing until every replica serves the template; see :meth:`Rollout.missing`."""
        selector = _selector(found)
        rollout = Rollout(found, self._api.replica_sets(selector), self._api.pods(selector))
        return rollout.missing(self._settings.container, where=self._where)

    # What does not.

    def _swap(self, seen: Json, wanted: Json, more: Callable[[Json], list[Json]]) -> Json:
        """Change the template that was seen into another; returns it as the API server keeps it.

        A change of anything else, status and number of replicas, is no reason not to.

        Raises:
            EditedError: the template is neither of them any more.
            WorldError: the API server refuses, or has not answered for too long.
        """
        end = time.monotonic() + SWAP_S
        while True:
            sent = self._ours
            try:
                found = self._api.read()
                template: Json | None = found["spec"].get("template")
                if template == wanted:
                    return wanted
                if template != seen:
                    raise self._edited(template)
                self._ours = wanted
                self._ours = self._api.replace_template(found, wanted, more(found))["spec"]["template"]
            except (StaleError, ApiSilentError) as error:
                if isinstance(error, StaleError):
                    self._ours = sent  # that one was refused, for certain
                if time.monotonic() > end:
                    what = str(error) or "it changes faster than it can be written"
                    raise WorldError(what, where=self._where, todo="Try again.") from None
                time.sleep(SWAP_PAUSE_S)
            else:
                return self._ours

    def _wait(self, template: Json, what: str, timeout_s: float) -> None:
        settings = self._settings

        def look() -> str:
            try:
                found = self._api.read()
                if (there := found["spec"].get("template")) != template:
                    raise self._edited(there)
                return self._missing(found)
            except ApiSilentError as error:
                return str(error)

        try:
            wait_until_served(look, timeout_s=timeout_s, poll_s=settings.poll_s, where=self._where, what=what)
        except NotServingError as error:
            error.todo = f"Look at it: {self._command('describe')}"
            raise

    def _edited(self, template: Json | None) -> EditedError:
        """``template``: what is there now; a Rollout may refer to one that is elsewhere."""
        settings = self._settings
        containers = ((template or {}).get("spec") or {}).get("containers") or []
        images = [one.get("image", "") for one in containers if one["name"] == settings.container]
        image = one_line(images[0])[:200] if images else "none"
        what = f"somebody has changed the {self._api.kind} '{settings.name}' meanwhile, and that was left alone"
        return EditedError(f"{what}; its image is {image}", where=self._where, todo="Find out who, then act again.")

    def _read(self) -> Json:
        try:
            return self._api.read()
        except ApiSilentError as error:
            raise WorldError(str(error), where=self._where, todo="Try again.") from None


def _selector(workload: Json) -> str:
    """Its selector as a query has it. Without expressions: those narrow it, and the owner is looked at."""
    labels = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
