"""``rollout``: a Rollout of Argo Rollouts. Some users get the pair first, and all once its analysis says so."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError
from penstock.targets.canary import BEFORE, CanaryState, canary_begun
from penstock.targets.control_group import END_S, ControlGroup
from penstock.targets.controller_pulse import PROGRESS_S, ControllerPulse, measured
from penstock.targets.deployment import LOOK_S, SWAP_S, DeploymentTarget
from penstock.targets.pair import ServedPair
from penstock.targets.pod_template import Json, with_pair
from penstock.targets.pods import image_of, unplaced_of
from penstock.targets.rollout_steps import steps_s
from penstock.targets.targets_file import RolloutSettings
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError, ServesLateError
from penstock.targets.workload_api import REQUEST_S, ApiSilentError, StaleError

log = logging.getLogger(__name__)

UNDECIDED = ("Running", "Inconclusive")
"""What Argo Rollouts calls an analysis that has not said good or bad."""
MAX_KEPT = 128 << 10
"""Characters of a template that is kept on the Rollout: the API server takes 256 KiB of annotations in all."""


class RolloutTarget(DeploymentTarget):
    """One Rollout. Its steps, weights and analysis are the platform's; the pair and the start are ours."""

    def __init__(
        self, name: str, settings: RolloutSettings, secrets: Path | None, ask: Callable[[str], None] = lambda _: None
    ) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Args:
            name: the target's.
            settings: what the platform says of it.
            secrets: the directory of secrets.
            ask: tells people that a canary waits for them: why, and until when.

        Raises:
            UsageError: as :class:`penstock.targets.workload_api.WorkloadApi` says.
        """
        super().__init__(name, settings, secrets)
        self._name, self._canary_s, self._ask = name, settings.canary_s, ask
        self._pulse = ControllerPulse(where=self._where)
        self._control = ControlGroup(self._api, settings.control, where=self._where) if settings.control else None
        self._beside = ""
        """What its control group lacks, as that was seen last."""
        self._going_back = False
        """Whether :meth:`restore` has begun."""
        self._pair: ServedPair | None = None
        """What :meth:`check` was asked about."""
        self._current: ServedPair | None = None
        """What :meth:`deploy` is to replace."""
        self._ends = datetime.now(UTC)
        """When the canary's time is over."""
        self._seen: CanaryState | None = None
        """As it was seen last."""
        self._observed = False
        """Whether the controller has seen our change."""
        self._asked = False
        """Whether people know of the pause that there is now."""
        self._stopped_before = False
        """Whether a canary that was stopped still stands in the template: a promotion was killed."""
        self._followed: Json | None = None
        """The template of a canary of this very pair that is there already: its promotion was killed."""
        self._kept: Json | None = None
        """What was there before that."""

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        control_s = END_S + LOOK_S if self._control is not None else 0.0
        return self._canary_s + self._settings.timeout_s + 2 * (LOOK_S + SWAP_S + 2 * REQUEST_S) + control_s

    def check(self, pair: ServedPair) -> None:
        """See the protocol."""
        super().check(pair)
        self._pair = pair

    def state(self) -> str:
        """The pod template, as JSON. Of a canary of this very pair that is there already: the one from before it."""
        state = super().state()
        if self._followed is None:
            return state
        self._before = self._kept
        return json.dumps(self._kept, sort_keys=True)

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """See the protocol: some users first, then all.

        Raises:
            CanaryStoppedError: its analysis or a person has stopped it, or its pods come too late.
            NotServingError: a pod cannot start; the controller is gone.
            CanaryUndecidedError: its time was over, and its analysis could not tell.
            UsageError: it is the very canary that was stopped, and still stands in the template.
        """
        self._current = current
        before = self._before
        if self._stopped_before and before and with_pair(before, pair, self._settings, where=self._where) == before:
            todo = f"First {self._way_back}, which puts the current release's template there; then this one again."
            raise UsageError("it was stopped, and its template is there yet", where=self._where, todo=todo)
        with self._undecided_told(pair):
            if self._followed is None:
                super().deploy(pair, current)
            else:
                self._ours = self._followed
                self._wait(self._followed, f"{pair.model} {pair.version}", self._canary_s)

    def restore(self, state: str) -> None:
        """See the protocol. A stopped canary that was in the template is not begun again: ours is stopped, too."""
        self._pulse = ControllerPulse(where=self._where)
        with self._control_ended():
            if not self._stopped_before or self._ours is None:
                super().restore(state)
                return
            self._stop(lambda template: template == self._ours)

    @contextmanager
    def _control_ended(self) -> Iterator[None]:
        """At the end there is no control group, however it ends. Its users had what serves everybody now."""
        self._going_back = True
        try:
            yield
        finally:
            if self._control is not None and (missing := self._control.end()):
                log.warning("the control group of the %s is left behind: %s", self._where, missing)

    @contextmanager
    def _undecided_told(self, pair: ServedPair) -> Iterator[None]:
        """Turn "late" into "undecided" where that is what it was."""
        self._ends = datetime.now(UTC) + timedelta(seconds=self._canary_s)
        try:
            yield
        except ServesLateError as error:
            seen = self._seen
            if seen is None or not seen.observed or seen.by_hand or seen.analysis not in UNDECIDED:
                raise
            raise CanaryUndecidedError(
                f"inconclusive, needs you: the canary of {pair.model} {pair.version} had {self._canary_s:g} s, and "
                f"its analysis is {seen.analysis} at {seen.weight} %: {self._with_beside(seen.message)}",
                where=self._where,
                todo="Promote it again when there is more traffic, or let its watch have more time.",
            ) from error

    def _stop(self, ours: Callable[[Json | None], bool]) -> None:
        """Stop our canary, and return once the controller has.

        Args:
            ours: whether a pod template is the one to be stopped.

        Raises:
            WorldError: it is not known to be stopped, or cannot be any more.
        """
        end = time.monotonic() + self._settings.timeout_s
        while going := self._going_on(ours):
            if time.monotonic() > end:
                todo = f"Stop it: penstock canary abort {self._name}"
                raise WorldError(f"it is not known to be stopped: {going}", where=self._where, todo=todo)
            time.sleep(self._settings.poll_s)

    def _going_on(self, ours: Callable[[Json | None], bool]) -> str:
        """Stop our canary; why it is not stopped yet. The controller forgets an abort that comes with a new template.

        Raises:
            WorldError: it cannot be stopped any more.
        """
        try:
            found = self._api.read()
            state = CanaryState.of(found)
            if not ours(template := found["spec"].get("template")):
                raise self._edited(template)
            if not state.observed:
                return "the change has not been seen by the controller yet"
            if not state.under_way:
                todo = f"Bring the current release back: {self._way_back}"
                raise WorldError("it serves everybody by now", where=self._where, todo=todo)
            if not state.aborted:
                self._api.merge_status({"abort": True})
            if state.by_hand:
                self._api.merge({"spec": {"paused": False}})
        except (ApiSilentError, StaleError) as error:
            return str(error) or "it is refused"
        return ""

    @property
    def _way_back(self) -> str:
        """What brings the current release again, whose waiver may be over: ``promote`` would stop at that."""
        known = self._current or self._pair
        model = known.model if known is not None else "MODEL"
        version = self._current.version if self._current is not None else "VERSION"
        return f"penstock rollback {model} --to {version} --reason TEXT"

    @property
    def _deploy_s(self) -> float:
        return self._canary_s

    @property
    def _taken_up(self) -> bool:
        return self._observed

    def _hold(self, found: Json) -> None:
        spec = found["spec"]
        canary = (spec.get("strategy") or {}).get("canary") or {}
        steps = canary.get("steps") or []
        if not any("analysis" in step for step in steps):
            todo = "Give its strategy 'canary' a step 'analysis': docs/operations.md, 'A Rollout'."
            raise UsageError("no step of the Rollout waits for an analysis", where=self._where, todo=todo)
        if not (spec.get("rollbackWindow") or {}).get("revisions"):
            todo = "Set 'rollbackWindow: {revisions: 3}'; without it what served before would be a canary again."
            raise UsageError("the Rollout has no rollbackWindow", where=self._where, todo=todo)
        self._hold_time(canary)
        self._hold_control(found)
        state = CanaryState.of(found)
        if state.under_way and self._takes_over(found):
            return
        self._stopped_before = state.under_way and state.stopped
        if state.under_way and not state.stopped:
            todo = f"Stop it (penstock canary abort {self._name}), then {self._way_back}, of the current release."
            raise UsageError(f"a canary is there already: {state.told()}", where=self._where, todo=todo)

    def _hold_time(self, canary: Json) -> None:
        """Refuse a limit of ours that would end a watch which may still decide."""
        try:
            longest = steps_s(canary, self._api.analysis_template)
        except ApiSilentError as error:
            raise WorldError(str(error), where=self._where, todo="Try again.") from None
        if longest > self._canary_s:
            what = f"the Rollout's steps may take {longest:g} s (interval and count of their analysis, pauses)"
            todo = "Set 'canary_s' in targets.yaml to that, and the time that a person and one more analysis may need."
            raise UsageError(f"{what}, and canary_s is {self._canary_s:g}", where=self._where, todo=todo)

    def _hold_control(self, found: Json) -> None:
        """Refuse a platform that has no place for the control group."""
        if self._control is None:
            return
        try:
            self._control.hold(found)
        except ApiSilentError as error:
            raise WorldError(str(error), where=self._where, todo="Try again.") from None

    def _takes_over(self, found: Json) -> bool:
        """Whether what is under way is the very pair, brought by a promotion that is gone; then it is followed."""
        kept, pair, template = _kept(found), self._pair, found["spec"]["template"]
        if kept is None or pair is None or with_pair(kept, pair, self._settings, where=self._where) != template:
            return False
        if kept == template:  # it was kept for a release after it: what was there before this canary is not known
            return False
        self._followed, self._kept = template, kept
        return True

    def _with_deploy(self, found: Json) -> list[Json]:
        """The start of the canary, and what was there; on the Rollout: in the template it would be another one."""
        told = canary_begun(self._pair.version if self._pair is not None else "")
        before = json.dumps(found["spec"].get("template"), sort_keys=True)
        told[BEFORE] = before if len(before) <= MAX_KEPT else ""
        if not found["metadata"].get("annotations"):
            return [{"op": "add", "path": "/metadata/annotations", "value": told}]
        return [
            {"op": "add", "path": f"/metadata/annotations/{name.replace('/', '~1')}", "value": value}
            for name, value in told.items()
        ]

    def _with_restore(self, found: Json) -> list[Json]:
        """A pause of the canary ends with it: a Rollout that is paused would not go back."""
        if not found["spec"].get("paused"):
            return []
        return [{"op": "replace", "path": "/spec/paused", "value": False}]

    def _command(self, act: str) -> str:
        if act == "resume":
            return f"penstock canary resume {self._name}"
        return super()._command(act)

    def _missing(self, found: Json) -> str:
        """What is missing until everybody is served; what has failed is raised."""
        state = CanaryState.of(found)
        self._seen = state
        if not state.observed:
            self._pulse.look([found["metadata"].get("generation"), found.get("status")], 0.0, "seen the change")
            return "the change has not been seen by the controller yet"
        self._observed = True
        self._follow_beside(found, state)
        pods = self._pods(found, state)
        if state.stopped:
            why = "; ".join(said for said in (state.message, unplaced_of(pods)) if said)
            raise CanaryStoppedError(f"the canary was stopped: {why}", where=self._where)
        self._hold_alive(found, state)
        self._ask_once(state)
        container = self._settings.container
        image = image_of(found["spec"]["template"]["spec"], container)
        missing = state.missing(pods, container, image, where=self._where)
        return self._with_beside(missing or self._not_led(found, state))

    def _follow_beside(self, found: Json, state: CanaryState) -> None:
        """Bring its control group nearer to the canary. What that lacks is logged: a promotion may wait for it."""
        before, self._beside = self._beside, ""
        if self._control is not None and not self._going_back:
            self._beside = self._control.follow(found, state)
        if self._beside and self._beside != before:
            log.info("the control group of the %s: %s", self._where, self._beside)

    def _with_beside(self, said: str) -> str:
        """With what its control group lacks: without that side no watch can tell."""
        lacks = f"the control group: {self._beside}" if self._beside else ""
        return "; ".join(part for part in (said, lacks) if part)

    def _hold_alive(self, found: Json, state: CanaryState) -> None:
        """Raises where the controller ought to have done something for long: an analysis measures, pods come up."""
        if not state.under_way or state.by_hand or state.pauses:
            self._pulse.look(None, None, "done anything")
            return
        if state.analysis == "Running" and state.analysis_run:
            try:
                counts, within_s = measured(self._api.analysis_run(state.analysis_run))
            except WorldError:
                return  # it is gone, or may not be read: the next look says what became of it
            self._pulse.look([state.analysis_run, counts], within_s, "measured anything for its analysis")
            return
        deadline = float(found["spec"].get("progressDeadlineSeconds") or PROGRESS_S)
        self._pulse.look(found.get("status"), deadline, "done anything for the canary")

    def _ask_once(self, state: CanaryState) -> None:
        """Tell people once of each pause in which the canary waits for them."""
        if not state.inconclusive:
            self._asked = False
        elif not self._asked:
            self._asked = True
            until = self._ends.isoformat(timespec="minutes")
            stays = f"its watch could not tell, it stays at {state.weight} % of the users until {until}"
            self._ask(self._with_beside(stays))

    def _not_led(self, found: Json, state: CanaryState) -> str:
        """The Services that do not lead to the newest ReplicaSet yet: the controller changes them after its status."""
        canary = (found["spec"].get("strategy") or {}).get("canary") or {}
        names = {str(canary[one]) for one in ("stableService", "canaryService") if canary.get(one)}
        leading = {
            service["metadata"]["name"]
            for service in (self._api.services() if names else [])
            if (service["spec"].get("selector") or {}).get(state.HASH) == state.newest
        }
        behind = ", ".join(sorted(names - leading))
        return f"these Services do not lead to its pods yet: {behind}" if behind else ""

    def _pods(self, found: Json, state: CanaryState) -> list[Json]:
        """The pods of the newest ReplicaSet: they have a label of their own beside the Rollout's."""
        labels = (found["spec"].get("selector") or {}).get("matchLabels") or {}
        wanted = {**labels, state.HASH: state.newest}
        return self._api.pods(",".join(f"{name}={value}" for name, value in sorted(wanted.items())))


def _kept(found: Json) -> Json | None:
    """The template from before the canary, as we have noted it on the Rollout; ``None`` if there is none."""
    try:
        kept = json.loads((found["metadata"].get("annotations") or {}).get(BEFORE) or "null")
    except ValueError:  # somebody has changed it
        return None
    return kept if isinstance(kept, dict) and isinstance(kept.get("spec"), dict) else None
