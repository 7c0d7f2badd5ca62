"""What people do with a canary that is under way: look at it, pause it, let it go on, stop it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.releases.canary_log import CanaryKind, log_canary_act
from penstock.releases.moves import Move, stated_author, stated_reason
from penstock.store.store import Store
from penstock.targets.canary import SINCE, CanaryState
from penstock.targets.control_group import ControlGroup, ControlSeen
from penstock.targets.targets_file import RolloutSettings, Targets
from penstock.targets.workload_api import ApiSilentError, StaleError, WorkloadApi

log = logging.getLogger(__name__)

Act = Literal["pause", "resume", "abort"]
Answered = TypeVar("Answered")
SEEN_S, SEEN_POLL_S = 30.0, 0.5
"""How long the controller may take to see a change before a canary can be stopped."""
KINDS: dict[Act, CanaryKind] = {"pause": "canary paused", "resume": "canary resumed", "abort": "canary aborted"}


@dataclass(frozen=True)
class CanaryAct:
    """What became of a command."""

    target: str
    state: CanaryState
    """Before it."""
    entry: Move | None
    """In the log; ``None``: nothing had to be done."""


class Canary:
    """The Rollout of one target.

    Args:
        targets: the platform's.
        named: a target of kind ``rollout``, or the model that it serves.
        secrets: the directory of the targets' secrets.
        where: the file of the targets, for messages.

    Raises:
        UsageError: there is no such target, or more than one; see :class:`WorkloadApi`.
    """

    def __init__(self, targets: Targets, named: str, secrets: Path | None, *, where: str) -> None:
        self.target, settings = rollout_of(targets, named, where=where)
        self._where, self._models = f"target '{self.target}'", settings.models
        self._api = WorkloadApi(settings, secrets, where=self._where)
        self._control = ControlGroup(self._api, settings.control, where=self._where) if settings.control else None

    def state(self) -> CanaryState:
        """How far it is.

        Raises:
            WorldError: the API server does not say.
        """
        return CanaryState.of(self._sure(self._api.read))

    def control(self) -> ControlSeen:
        """What there is of its control group; nothing where the target has none.

        Raises:
            WorldError: the API server does not say.
        """
        control = self._control
        return ControlSeen(0, 0) if control is None else self._sure(lambda: control.seen(self._api.read()))

    def do(self, act: Act, store: Callable[[], Store], *, reason: str, by: str = "") -> CanaryAct:
        """Do it, unless it is so already, and write it into the log.

        The cluster comes first: who stops a canary must not wait for the store.

        Args:
            act: ``pause``: the weight stays, and nothing further happens. ``resume``: it goes on; where its analysis
                could not tell, that is begun again, as of now. ``abort``: all users are back on what serves everybody.
            store: opens the store with the log, once it is done.
            reason: why.
            by: who.

        Raises:
            UsageError: there is no canary that was brought by Penstock, or one that cannot do this; the reason is empty
                or too long.
            WorldError: it was not done; or it was, and is not on record: the message says which.
        """
        stated_reason(reason)
        stated_author(by)
        state = self._seen_state() if act == "abort" else self.state()
        if self._is_so(act, state):
            self._end_control(act)
            return CanaryAct(self.target, state, None)
        if state.model not in self._models or not state.version:
            todo = "Its own tools act on it: kubectl argo rollouts."
            raise UsageError("the pair there was not brought by Penstock", where=self._where, todo=todo)
        if state.stopped and act != "abort":
            todo = f"Promote it again: penstock promote {state.model} {state.version}"
            if state.by_hand:
                todo = f"This ends its pause: penstock canary abort {self.target} --reason TEXT"
            raise UsageError("that canary was stopped: it cannot go on", where=self._where, todo=todo)
        self._sure(lambda: self._carry_out(act, state))
        try:
            entry = log_canary_act(store(), state.model, state.version, KINDS[act], reason=reason, by=by)
        except PenstockError as error:
            what = f"the {act} is done, and is not on record: {error.what}"
            raise WorldError(what, where=self._where, todo="Tell those who read the log.") from error
        finally:
            self._end_control(act)
        return CanaryAct(self.target, state, entry)

    def _is_so(self, act: Act, state: CanaryState) -> bool:
        if act == "resume":  # one that came to all while somebody paused it still has to be let go
            return not state.stopped and not state.by_hand and not state.pauses
        if act == "abort":  # one whose pods were late is given up, and still may go on once they are there
            return not state.under_way or (state.aborted and not state.by_hand)
        return not state.under_way or state.by_hand

    def _carry_out(self, act: Act, state: CanaryState) -> None:
        if act == "abort":
            if not state.aborted:
                self._api.merge_status({"abort": True})
            if state.by_hand:  # neither the next promotion nor anything else would come to serve
                self._api.merge({"spec": {"paused": False}})
        elif act == "pause":
            self._api.merge({"spec": {"paused": True}})
        else:
            if state.inconclusive:  # else the watch's own time would be over as soon as it begins anew
                self._api.merge({"metadata": {"annotations": {SINCE: str(int(time.time()))}}})
            if state.pauses:
                # 'controllerPause' stays: by it the controller knows that it was let go, and begins the analysis anew
                self._api.merge_status({"pauseConditions": None})
            if state.by_hand:
                self._api.merge({"spec": {"paused": False}})

    def _end_control(self, act: Act) -> None:
        """Of a canary that is stopped: its promotion, which would end it, may have been killed."""
        if act != "abort" or self._control is None:
            return
        if missing := self._control.end():
            log.warning("the control group of the %s is left behind: %s", self._where, missing)

    def _seen_state(self) -> CanaryState:
        """As it is once the controller has seen the template: an abort that it finds with a new one is forgotten."""
        end = time.monotonic() + SEEN_S
        while not (state := self.state()).observed:
            if time.monotonic() > end:
                what = f"nothing was stopped: the controller has not seen the last change for {SEEN_S:g} s"
                todo = "Does it run? Then try again; it brings nothing to anybody until it has seen it."
                raise WorldError(what, where=self._where, todo=todo)
            time.sleep(SEEN_POLL_S)
        return state

    def _sure(self, ask: Callable[[], Answered]) -> Answered:
        try:
            return ask()
        except (ApiSilentError, StaleError) as error:
            what = str(error) or "the API server refuses the change"
            raise WorldError(what, where=self._where, todo="Try again.") from None


def rollout_of(targets: Targets, named: str, *, where: str) -> tuple[str, RolloutSettings]:
    """A target of kind ``rollout``, by its own name or by the model that it serves.

    Raises:
        UsageError: there is none, another kind has the name, or the model has several.
    """
    rollouts = {name: found for name, found in targets.targets.items() if isinstance(found, RolloutSettings)}
    known = f"There is: {', '.join(sorted(rollouts)) or 'none'}."
    if named in rollouts:
        return named, rollouts[named]
    if named in targets.targets:
        what = f"the target '{named}' is of the kind '{targets.targets[named].kind}', which has no canary"
        raise UsageError(what, where=where, todo=known)
    found = sorted(name for name, settings in rollouts.items() if named in settings.models)
    if len(found) > 1:
        raise UsageError(f"'{named}' has several: {', '.join(found)}", where=where, todo="Name one of them.")
    if not found:
        raise UsageError(f"no target of kind 'rollout' is called '{named}' or serves it", where=where, todo=known)
    return found[0], rollouts[found[0]]
