"""``gitops``: a commit in a deployment repository, and a look at what serves until it is the pair."""

from __future__ import annotations

from pathlib import Path

from penstock.targets.deployment_repository import LONGEST_GIT_S, DeploymentRepository
from penstock.targets.pair import ServedPair
from penstock.targets.short_answer import NoShortAnswerError, ask
from penstock.targets.targets_file import GitopsSettings
from penstock.targets.waiting import wait_until_served

LOOK_TIMEOUT_S = 10.0


class GitopsTarget:
    """One file in a deployment repository."""

    def __init__(self, name: str, settings: GitopsSettings, secrets: Path | None) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Raises:
            UsageError: a secret is missing.
        """
        self._settings, self._where = settings, f"target '{name}'"
        self._repository = DeploymentRepository(settings, secrets, where=self._where)
        self._current: ServedPair | None = None

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        return 2 * (self._settings.timeout_s + LOOK_TIMEOUT_S + LONGEST_GIT_S)

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair of which the file would keep weights of another."""
        self._repository.check(pair)

    def state(self) -> str:
        """The branch's commit now; its file has all of the fields."""
        return self._repository.head()

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Commit, push, and wait for what applies it."""
        self._current = current
        self._repository.bring(pair, current)
        self._wait(pair)

    def restore(self, state: str) -> None:
        """Revert the commit, if it was pushed, and wait for what served before."""
        there, current = self._repository.take_back(state), self._current
        # somebody may have put another image there by hand: then nobody can say what `ready` names
        if there is not None and current is not None and there == self._repository.values_of(current):
            self._wait(current)

    def _wait(self, pair: ServedPair) -> None:
        ready = self._settings.ready

        def look() -> str:
            try:
                answer = ask("GET", ready.url, timeout_s=LOOK_TIMEOUT_S)
            except NoShortAnswerError as error:
                return str(error)
            if answer.status != 200:
                return f"its address 'ready' answers {answer.status}"
            text = answer.content.decode("utf-8", "replace")
            missing = [word for what in ready.says for word in pair.says(what) if word not in text]
            return f"its address 'ready' does not name {missing[0]}" if missing else ""

        what, settings = f"{pair.model} {pair.version}", self._settings
        wait_until_served(look, timeout_s=settings.timeout_s, poll_s=settings.poll_s, where=self._where, what=what)
