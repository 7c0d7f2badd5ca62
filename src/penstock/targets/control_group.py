"""The control group of a canary: as many pods of the stable release, as fresh as the canary's, for as many users.

Pods that are warm and bear other load say little about a canary that is cold. Deployment, Service and the entry in the
TraefikService are the platform's, and stay; Penstock changes the pod template, the replicas and the weight.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets.canary import CanaryState
from penstock.targets.pod_template import Json
from penstock.targets.pods import fault_of, owned_by, unready_of
from penstock.targets.workload_api import ApiSilentError, NoSuchObjectError, StaleError, WorkloadApi

SETTLE_S: Final = 5.0
"""So long after its pods became ready it gets its users: the router hears of both, and must hear of the pods first."""
DRAIN_S: Final = 15.0
"""So long after its weight became 0 its pods stay: the router must not hear of their end first."""
END_S: Final = 60.0
"""How long its end may take."""
END_POLL_S: Final = 0.5


@dataclass(frozen=True)
class ControlSeen:
    """What there is of a control group; 0 and 0 where no canary is under way, unless it was left behind."""

    pods: int
    """How many it is to have: each takes what a pod of the release takes, with or without users."""
    weight: int
    """Of its users beside those of the Rollout's two Services, which have 100 together."""

    def told(self, *, under_way: bool) -> str:
        """In words, on one line; empty: there is nothing of it.

        Args:
            under_way: whether a canary is.
        """
        if not self.pods and not self.weight:
            return ""
        left = "" if under_way else "; left behind by a promotion that was killed"
        return (
            f"its control group has {self.pods} pod{'' if self.pods == 1 else 's'} and a weight of {self.weight}{left}"
        )


class ControlGroup:
    """The one of a Rollout.

    Args:
        api: of the Rollout.
        name: of the Deployment and of the Service.
        where: the target, for messages.
        clock: seconds.
    """

    def __init__(self, api: WorkloadApi, name: str, *, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._name, self._where, self._clock = api, name, where, clock
        self._stable: tuple[str, Json] | None = None
        """The hash of the stable release, and its pod template."""
        self._sent: tuple[Json, Json] | None = None
        """The pod template that we have sent, and what the API server made of it."""
        self._idle_since: float | None = None
        """Since when nobody is sent there, as far as we know."""
        self._ready_since: float | None = None
        """Since when we have seen its pods ready."""

    def hold(self, rollout: Json) -> None:
        """Refuse a platform on which it could not get users. Nothing is changed.

        Raises:
            UsageError: Traefik does not split the requests; the Service or its entry is not there, it is one of the
                Rollout's own, or it leads to other pods than the Deployment's.
            WorldError: the Deployment or the TraefikService is not there, or may not be read.
            ApiSilentError: the API server is silent.
        """
        canary = _canary_of(rollout)
        if self._name in (canary.get("stableService"), canary.get("canaryService")):
            todo = "Give it a Deployment and a Service of its own: docs/operations.md, 'A control group'."
            raise UsageError(f"'{self._name}' is a Service of the Rollout itself", where=self._where, todo=todo)
        if not _router_of(rollout):
            todo = "Leave 'control' out, or let Traefik split the requests ('trafficRouting: {traefik: …}')."
            raise UsageError("a control group needs Traefik", where=self._where, todo=todo)
        router = self._api.traefik_service(_router_of(rollout))
        if self._entry(router)[0] is None:
            todo = "Add it with 'weight: 0' to 'weighted.services': docs/operations.md, 'A control group'."
            raise UsageError(f"{_no_entry(rollout)} '{self._name}'", where=self._where, todo=todo)
        self._hold_service(rollout)

    def _hold_service(self, rollout: Json) -> None:
        """Refuse a Service that leads to other pods: its users would get errors, or what they are compared with."""
        services = {one["metadata"]["name"]: one["spec"] for one in self._api.services()}
        if self._name not in services:
            raise UsageError(f"there is no Service '{self._name}'", where=self._where, todo="The platform makes it.")
        selector = (services[self._name].get("selector") or {}).items()
        own = _labels_of(self._api.deployment(self._name)["spec"]["template"])
        todo = "Give Deployment and Service labels of their own: docs/operations.md, 'A control group'."
        if not selector or not selector <= own.items():
            what = f"the Service '{self._name}' does not lead to the pods of the Deployment '{self._name}'"
            raise UsageError(what, where=self._where, todo=todo)
        if selector <= _labels_of(rollout["spec"]["template"]).items():
            what = f"the Service '{self._name}' leads to the pods of the Rollout as well"
            raise UsageError(what, where=self._where, todo=todo)

    def follow(self, rollout: Json, state: CanaryState) -> str:
        """Bring it nearer to what the canary has now: pods, then users; none of either where there is no canary.

        Args:
            rollout: as it is.
            state: of it.

        Returns:
            What is missing; empty: nothing. A control group that cannot be had ends no canary: its watch will not tell.
        """
        # at 100 % nobody is to have the release before; after the steps the canary's pods are all of the release
        steps_go_on = state.step is not None and state.step < state.steps and state.routed < 100
        try:
            if not (state.observed and state.under_way and not state.stopped and steps_go_on):
                return self._away(rollout)
            # while the canary's only pod is replaced it stays as it is: who comes back keeps to it
            return self._beside(rollout, state) if state.updated else ""
        except (ApiSilentError, StaleError, WorldError) as error:
            return _said(error)

    def seen(self, rollout: Json) -> ControlSeen:
        """What there is of it.

        Raises:
            WorldError: it may not be read.
            ApiSilentError: the API server is silent.
        """
        _, weight = self._entry(self._router(rollout) if _router_of(rollout) else {})
        try:
            pods: int = self._api.deployment(self._name)["spec"].get("replicas", 1)
        except NoSuchObjectError:
            pods = 0
        return ControlSeen(pods, weight)

    def end(self) -> str:
        """Send nobody there any more, then end its pods; what is still missing after :data:`END_S`, or empty."""
        until = self._clock() + END_S
        while True:
            try:
                missing = self._away(self._api.read())
            except WorldError as error:
                return _said(error)  # asking again does not help
            except (ApiSilentError, StaleError) as error:
                missing = _said(error)
            if not missing or self._clock() > until:
                return missing
            time.sleep(END_POLL_S)

    def _beside(self, rollout: Json, state: CanaryState) -> str:
        """As many pods as the canary has; its weight once all of them are ready, and as long as one is."""
        stable = self._stable_template(rollout, state.stable)
        if stable is None:
            return "the ReplicaSet of the stable release is not found"
        router = self._router(rollout)
        place, weight = self._entry(router)
        if place is None:
            return f"{_no_entry(rollout)} '{self._name}' any more"
        try:
            there = self._api.deployment(self._name)
        except NoSuchObjectError:
            if weight:
                self._set_weight(router, place, 0)
            raise
        spec, status = there["spec"], there.get("status") or {}
        wanted = _with_labels_of(stable, spec["template"])
        current = spec["template"] == wanted or (wanted, spec["template"]) == self._sent
        if not current and weight:  # pods of another release, left by a promotion that was killed
            self._set_weight(router, place, 0)
            return "it still gets users for another release"
        if not current or spec.get("replicas", 1) != state.updated:
            changes: list[Json] = [
                {"op": "replace", "path": "/spec/template", "value": wanted},
                {"op": "add", "path": "/spec/replicas", "value": state.updated},
            ]
            self._sent = (wanted, self._api.change_deployment(there, changes)["spec"]["template"])
            return "its pods are started"
        counts = [status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")]
        seen = (status.get("observedGeneration") or 0) >= there["metadata"].get("generation", 0)
        ready = seen and counts == [state.updated] * 3
        none_left = not counts[2]
        if not ready:
            self._ready_since = None
        elif self._ready_since is None:
            self._ready_since = self._clock()
        if self._ready_since is not None and weight != state.routed:
            if self._clock() < self._ready_since + SETTLE_S:
                return "its pods have just become ready"
            self._set_weight(router, place, state.routed)
        elif weight and none_left:  # else its users would get errors, beside which a bad canary looks good
            self._set_weight(router, place, 0)
        return "" if ready else f"its pods are not ready: {self._unready(there)}"

    def _away(self, rollout: Json) -> str:
        """Nobody is sent there, and a little later it has no pods. What somebody has deleted has ended."""
        router = self._router(rollout)
        place, weight = self._entry(router)
        if weight and place is not None:
            self._set_weight(router, place, 0)
            return "it still gets users"
        try:
            there = self._api.deployment(self._name)
        except NoSuchObjectError:
            return ""
        if not there["spec"].get("replicas", 1):
            return ""
        self._idle_since = self._clock() if self._idle_since is None else self._idle_since
        if self._clock() < self._idle_since + DRAIN_S:
            return "its pods still end their requests"
        self._api.change_deployment(there, [{"op": "add", "path": "/spec/replicas", "value": 0}])
        return ""

    def _router(self, rollout: Json) -> Json:
        """What splits its requests; empty if it is not there any more: nobody is sent anywhere by it then."""
        if not (name := _router_of(rollout)):
            raise WorldError("the Rollout names no TraefikService any more", where=self._where)
        try:
            return self._api.traefik_service(name)
        except NoSuchObjectError:
            return {}

    def _set_weight(self, router: Json, place: int, weight: int) -> None:
        path = f"/spec/weighted/services/{place}/weight"
        self._api.change_traefik_service(router, [{"op": "add", "path": path, "value": weight}])
        self._idle_since = None if weight else self._clock()

    def _entry(self, router: Json) -> tuple[int | None, int]:
        """Where its entry is among the weighted Services, if it is there, and its weight."""
        services = ((router.get("spec") or {}).get("weighted") or {}).get("services") or []
        for place, entry in enumerate(services):
            if entry.get("name") == self._name:
                return place, entry.get("weight", 1)  # as Traefik reads it
        return None, 0

    def _stable_template(self, rollout: Json, stable: str) -> Json | None:
        """What serves everybody else: the Rollout's own template is the canary's."""
        if self._stable is None or self._stable[0] != stable:
            sets = self._api.replica_sets(f"{CanaryState.HASH}={stable}")
            found = [one["spec"]["template"] for one in sets if owned_by(one, rollout)]
            if not found:
                return None
            self._stable = (stable, found[0])
        return self._stable[1]

    def _unready(self, deployment: Json) -> str:
        labels = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
        pods = self._api.pods(",".join(f"{name}={value}" for name, value in sorted(labels.items())))
        return next(filter(None, map(fault_of, pods)), "") or unready_of(pods)


def _with_labels_of(stable: Json, own: Json) -> Json:
    """The pods of a release, found by the control group's Service and Deployment, and by no other's."""
    made = copy.deepcopy(stable)
    metadata = made.setdefault("metadata", {})
    metadata["labels"] = copy.deepcopy(_labels_of(own))
    return made


def _labels_of(template: Json) -> dict[str, str]:
    found: dict[str, str] = (template.get("metadata") or {}).get("labels") or {}
    return found


def _said(error: Exception) -> str:
    return error.what if isinstance(error, WorldError) else str(error) or "it has changed meanwhile"


def _no_entry(rollout: Json) -> str:
    return f"the TraefikService '{_router_of(rollout)}' has no entry"


def _canary_of(rollout: Json) -> Json:
    found: Json = (rollout["spec"].get("strategy") or {}).get("canary") or {}
    return found


def _router_of(rollout: Json) -> str:
    """The name of the TraefikService; empty: there is none."""
    routing = _canary_of(rollout).get("trafficRouting") or {}
    return str((routing.get("traefik") or {}).get("weightedTraefikServiceName") or "")
