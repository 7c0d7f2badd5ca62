"""How far a Rollout of Argo Rollouts is: what its controller says, and not what was asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from penstock.targets.pod_template import ANNOTATIONS, Json
from penstock.targets.pods import digest_of, fault_of, image_of, is_ready, shortened, unplaced_of, unready_of
from penstock.targets.waiting import NotServingError

SINCE = f"{ANNOTATIONS}since"
"""Annotation of the Rollout: Unix seconds from which on its analysis looks; when the canary was started, or resumed."""
BEFORE = f"{ANNOTATIONS}served-before"
"""Annotation of the Rollout: the pod template that was there before the canary, as JSON. Who takes over the work of a
promotion that was killed puts it back."""
CANARY = f"{ANNOTATIONS}canary"
"""Annotation of the Rollout: the version of the canary, for an analysis, which cannot read the pod template's."""
RUN = f"{ANNOTATIONS}run"
INCONCLUSIVE = "Inconclusive"
STOPPED = "Degraded"


def canary_begun(version: str) -> dict[str, str]:
    """What stands on the Rollout of a canary that begins now."""
    return {SINCE: str(int(time.time())), CANARY: version}


@dataclass(frozen=True)
class CanaryState:
    """A Rollout at one moment."""

    HASH: ClassVar[str] = "rollouts-pod-template-hash"
    """The label by which the controller tells the pods of one template from those of another."""

    model: str
    version: str
    run_id: str
    """Whose pair the template is, as Penstock wrote it; empty if it has not."""
    since: str
    """As :data:`SINCE` has it; empty if that is not known."""
    observed: bool
    """Whether the controller has seen the template. Only then is anything else of any worth."""
    phase: str
    """``Healthy``, ``Progressing``, ``Paused`` or ``Degraded``."""
    message: str
    """Why so."""
    aborted: bool
    by_hand: bool
    """Whether somebody has paused it."""
    pauses: tuple[str, ...]
    """Why the controller has paused it."""
    analysis: str
    """The analysis of its step: ``Running``, ``Successful``, ``Failed``, ``Error``, ``Inconclusive``; or empty."""
    analysis_run: str
    """The name of that analysis; or empty."""
    weight: int
    """Percent of the requests that the newest ReplicaSet gets."""
    routed: int
    """Percent that the router was told to send to the canary's Service, which may stand before the stable pods."""
    step: int | None
    steps: int
    newest: str
    stable: str
    """Hashes of the templates of the newest ReplicaSet and of that which serves everybody."""
    wanted: int
    updated: int
    available: int

    @classmethod
    def of(cls, found: Json) -> CanaryState:
        """Read it from the Rollout as the API server keeps it."""
        metadata, spec, status = (found.get(name) or {} for name in ("metadata", "spec", "status"))
        template = spec.get("template") or {}
        told = (template.get("metadata") or {}).get("annotations") or {}
        canary = status.get("canary") or {}
        step = canary.get("currentStepAnalysisRunStatus") or {}
        weights = (canary.get("weights") or {}).get("canary") or {}
        steps = ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []
        said = [str(one) for one in (status.get("message"), step.get("message")) if one]
        newest, stable = str(status.get("currentPodHash") or ""), str(status.get("stableRS") or "")
        return cls(
            model=str(told.get(f"{ANNOTATIONS}model", "")),
            version=str(told.get(f"{ANNOTATIONS}version", "")),
            run_id=str(told.get(RUN, "")),
            since=str((metadata.get("annotations") or {}).get(SINCE, "")),
            observed=str(status.get("observedGeneration") or "") == str(metadata.get("generation")),
            phase=str(status.get("phase") or "Progressing"),
            message=shortened("; ".join(dict.fromkeys(said))) if said else "",
            aborted=bool(status.get("abort")),
            by_hand=bool(spec.get("paused")),
            pauses=tuple(str(one.get("reason")) for one in status.get("pauseConditions") or []),
            analysis=str(step.get("status") or ""),
            analysis_run=str(step.get("name") or ""),
            weight=100 if stable in ("", newest) else int(weights.get("weight") or 0),
            routed=int(weights.get("weight") or 0),
            step=status.get("currentStepIndex"),
            steps=len(steps),
            newest=newest,
            stable=stable,
            wanted=spec.get("replicas", 1),
            updated=status.get("updatedReplicas") or 0,
            available=status.get("availableReplicas") or 0,
        )

    @property
    def under_way(self) -> bool:
        """Whether another pair than the one that serves everybody is wanted, be it stopped or not.

        Where nothing has served everybody yet, the first comes without a canary.
        """
        return not self.observed or (bool(self.stable) and self.newest != self.stable)

    @property
    def stopped(self) -> bool:
        """Whether the controller has given up: its analysis failed, somebody aborted it, or its pods came too late."""
        return self.observed and (self.aborted or self.phase == STOPPED)

    @property
    def inconclusive(self) -> bool:
        """Whether it waits for a person, because its analysis could not tell."""
        return self.observed and f"{INCONCLUSIVE}AnalysisRun" in self.pauses

    @property
    def word(self) -> str:
        """``none`` is under way; ``running``, ``paused``, ``inconclusive``, ``stopped``."""
        if not self.under_way:
            return "none"
        if self.stopped:
            return "stopped"
        if self.inconclusive:
            return "inconclusive"
        return "paused" if self.by_hand or self.pauses else "running"

    def told(self) -> str:
        """In words, on one line."""
        whose = f"{self.model} {self.version}" if self.version else "a pair that Penstock has not brought"
        if not self.under_way:
            return f"{whose} serves everybody"
        if self.stopped:
            return f"{whose} was stopped: {self.message or 'aborted'}"
        if self.inconclusive:
            return f"{whose} is paused at {self.weight} %: inconclusive, needs you"
        held = "paused by hand" if self.by_hand else "paused" if self.pauses else "under way"
        analysis = f", its analysis: {self.analysis}" if self.analysis else ""
        return f"{whose} is {held} at {self.weight} %{analysis}"

    def missing(self, pods: list[Json], container: str, image: str, *, where: str) -> str:
        """What is missing until everybody is served by the newest ReplicaSet; empty: nothing.

        Args:
            pods: those of that ReplicaSet.
            container: the one whose image is compared, by digest.
            image: what it must be.
            where: the target, for the message.

        Raises:
            NotServingError: a pod cannot start.
        """
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        if faults := [fault for pod in alive if (fault := fault_of(pod))]:
            raise NotServingError(f"a pod cannot start: {faults[0]}", where=where)
        if self.newest != self.stable or self.phase != "Healthy":
            if self.under_way:
                return "; ".join(said for said in (self.told(), unplaced_of(alive)) if said)
            return f"it is {self.phase}: {self.message or unready_of(alive)}"
        if self.routed:
            return f"the router still sends {self.routed} % to the canary's Service"
        if not self.wanted:
            return "it has 0 replicas: nothing serves"
        ready = [pod for pod in alive if is_ready(pod)]
        if min(self.updated, self.available, len(ready)) < self.wanted:
            return (
                f"of {self.wanted} replicas {self.updated} are updated, {self.available} available: {unready_of(alive)}"
            )
        for pod in ready:
            if digest_of(image) != digest_of(image_of(pod["spec"], container)):
                return f"the pod {pod['metadata']['name']} runs another image"
            # two releases of one image differ in their weights; the status may be one look older than its generation
            if (pod["metadata"].get("annotations") or {}).get(RUN, "") != self.run_id:
                return f"the pod {pod['metadata']['name']} is of another release"
        return ""
