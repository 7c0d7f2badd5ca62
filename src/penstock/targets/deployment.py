"""``deployment``: a Deployment of plain Kubernetes. Its pod template is changed by compare-and-swap."""

from __future__ import annotations

import json
import time
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.targets.deployment_api import REQUEST_S, ApiSilentError, DeploymentApi, StaleError
from penstock.targets.pair import ServedPair
from penstock.targets.pod_template import Json, hold_template, hold_weights, with_pair
from penstock.targets.rollout import Rollout
from penstock.targets.targets_file import DeploymentSettings
from penstock.targets.waiting import NotServingError, wait_until_served

SWAP_S = 60.0
"""How long a change may take: the Deployment's status changes all the time, and each change makes what was read old."""
SWAP_PAUSE_S = 0.2
LOOK_S = 3 * REQUEST_S


class EditedError(WorldError):
    """Somebody else has changed the pod template meanwhile: it is not overwritten."""

    resumable = False


class DeploymentTarget:
    """One Deployment."""

    def __init__(self, name: str, settings: DeploymentSettings, secrets: Path | None) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Raises:
            UsageError: as :class:`penstock.targets.deployment_api.DeploymentApi` says.
        """
        self._settings, self._where = settings, f"target '{name}'"
        self._api = DeploymentApi(settings, secrets, where=self._where)
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
        spec = found["spec"]
        hold_template(spec["template"], self._settings, where=self._where)
        if spec.get("paused"):
            todo = f"Let it go on: kubectl rollout resume deployment/{self._settings.name}"
            raise UsageError("the Deployment is paused: nothing would come to serve", where=self._where, todo=todo)
        if not spec.get("replicas", 1):
            raise UsageError("the Deployment has 0 replicas: nothing would serve", where=self._where)
        self._before = spec["template"]
        return json.dumps(self._before, sort_keys=True)

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:  # noqa: ARG002 (the template says it)
        """Put the pair into the pod template, and wait until every replica serves it."""
        before = self._before or json.loads(self.state())
        wanted = with_pair(before, pair, self._settings, where=self._where)
        self._wait(self._swap(before, wanted), f"{pair.model} {pair.version}")

    def restore(self, state: str) -> None:
        """Put the very pod template back that was there, and wait until every replica serves it again."""
        if self._ours is None:
            return
        self._wait(self._swap(self._ours, json.loads(state)), "what served before")

    def _swap(self, seen: Json, wanted: Json) -> Json:
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
                template: Json = found["spec"]["template"]
                if template == wanted:
                    return wanted
                if template != seen:
                    raise self._edited(template)
                self._ours = wanted
                self._ours = self._api.replace_template(found, wanted)["spec"]["template"]
            except (StaleError, ApiSilentError) as error:
                if isinstance(error, StaleError):
                    self._ours = sent  # that one was refused, for certain
                if time.monotonic() > end:
                    what = str(error) or "it changes faster than it can be written"
                    raise WorldError(what, where=self._where, todo="Try again.") from None
                time.sleep(SWAP_PAUSE_S)
            else:
                return self._ours

    def _wait(self, template: Json, what: str) -> None:
        settings = self._settings

        def look() -> str:
            try:
                found = self._api.read()
                if found["spec"]["template"] != template:
                    raise self._edited(found["spec"]["template"])
                selector = _selector(found)
                rollout = Rollout(found, self._api.replica_sets(selector), self._api.pods(selector))
            except ApiSilentError as error:
                return str(error)
            return rollout.missing(settings.container, where=self._where)

        try:
            wait_until_served(look, timeout_s=settings.timeout_s, poll_s=settings.poll_s, where=self._where, what=what)
        except NotServingError as error:
            error.todo = f"Look at it: kubectl -n {settings.namespace} describe deployment {settings.name}"
            raise

    def _edited(self, template: Json) -> EditedError:
        settings = self._settings
        images = [one.get("image", "") for one in template["spec"]["containers"] if one["name"] == settings.container]
        image = one_line(images[0])[:200] if images else "none"
        what = f"somebody has changed the Deployment '{settings.name}' meanwhile, and that was left alone"
        return EditedError(f"{what}; its image is {image}", where=self._where, todo="Find out who, then act again.")

    def _read(self) -> Json:
        try:
            return self._api.read()
        except ApiSilentError as error:
            raise WorldError(str(error), where=self._where, todo="Try again.") from None


def _selector(deployment: Json) -> str:
    """The Deployment's selector as a query has it. Without expressions: those narrow it, and the owner is looked at."""
    labels = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
