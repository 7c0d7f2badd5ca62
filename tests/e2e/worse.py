"""A pull request that makes the model worse than its release, and what comments below it do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.api import Object
from tests.e2e.gitea import Delivery, Person
from tests.e2e.install import NAMESPACE
from tests.e2e.pulls import CONTEXT, DEPLOYMENT, Desk, note, until
from tests.e2e.repositories import Repository, git
from tests.e2e.run import Run

BAD, RULES = "v1.0.2-duration", ("lse_d", "duration_error", "lse_c")
"""A release that makes videos of another length. It breaks two rules, and looks worse by the third."""
ODD = "odd/$(touch${IFS}x);`id`_<b>_&|'\"!x(y)#7"
"""The name of its branch."""
NO_COMMAND = "/penstock hello"
PODS = "app.kubernetes.io/name=pulls"


@dataclass(frozen=True)
class Worse:
    """The pull request."""

    number: int
    head: str
    first: Run


@dataclass(frozen=True)
class Waived:
    """What comments, and a push by force, did to it."""

    status: dict[str, Any]
    """Of its commit, when it was judged."""
    refused: httpx.Response
    """What was answered when somebody tried to merge it then."""
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    """The comments of the bot."""
    again: Run
    """It was tried again; then its branch was pushed anew, by force."""
    cancelled: Run
    """Of the new commit."""
    run: Run
    head: str
    names: tuple[list[str], list[str]]
    """The runs, before all of its events were sent once more, the last first, and after that."""


@dataclass(frozen=True)
class Scene:
    """Where it happens, and who takes part."""

    desk: Desk
    mona: Person
    """She may give commands."""
    eve: Person
    """She may not."""
    bot: Person
    clone: Path
    sent: list[Delivery]
    """By Gitea to somebody who writes it down."""

    @contextmanager
    def away(self) -> Iterator[None]:
        """The desk's pod is gone for so long."""
        kubectl, namespace = self.desk.session.cluster.facts.kubectl, ("--namespace", NAMESPACE)
        kubectl("scale", *namespace, DEPLOYMENT, "--replicas=0")
        kubectl("wait", *namespace, "pod", f"--selector={PODS}", "--for=delete", "--timeout=60s")
        yield
        kubectl("scale", *namespace, DEPLOYMENT, "--replicas=1")
        kubectl("rollout", "status", *namespace, DEPLOYMENT, "--timeout=180s")

    def names(self, number: int) -> list[str]:
        """The runs of a pull request."""
        return [run["metadata"]["name"] for run in self.desk.runs(number)]

    def of_bot(self, number: int) -> list[dict[str, Any]]:
        """Penstock's comments below a pull request."""
        return [one for one in self.desk.hosted.comments(number) if one["user"]["login"] == self.bot.name]

    def open_worse(self, model: Repository) -> Worse:
        """It is opened while no desk is there: of that event nobody knows."""
        git(self.clone, "fetch", "--quiet", str(model.path), f"refs/tags/{BAD}")
        head = git(self.clone, "rev-parse", "FETCH_HEAD^{commit}")
        with self.away():
            self.desk.hosted.push(self.clone, f"{head}:refs/heads/{ODD}")
            number = self.desk.hosted.pull(self.mona, ODD, "A change for the worse: `$(id)` <b>")
            until(lambda: self._events(number) or None, "its event on its way", timeout_s=60)
        return Worse(number, head, self.desk.wait_run(number, "of what nobody was told", lambda _: True))

    def _events(self, number: int) -> list[Delivery]:
        return [one for one in self.sent if one.kind in ("pull_request", "issue_comment") and one.number == number]

    def comment_on(self, worse: Worse) -> Waived:
        """Comments that do nothing come first: when a later one has done something, they have not."""
        number, hosted, desk = worse.number, self.desk.hosted, self.desk
        worse.first.wait()
        status = desk.wait_status(worse.head, "failure")
        refused = until(lambda: _known(hosted.merge(number)), "an answer to a merge", timeout_s=60)
        before = self.of_bot(number)
        day = datetime.now(UTC).date() + timedelta(days=30)
        waive = "\n".join(f"/penstock waive {rule} as agreed until {day}" for rule in RULES)
        hosted.comment(self.eve, number, waive)
        hosted.change_comment(self.mona, number, "To be tried?", "/penstock verify full")
        hosted.comment(self.mona, number, "/penstock retest")
        again = desk.wait_run(number, "tried again", started_by("retest"))
        head = git(self.clone, "commit-tree", f"{worse.head}^{{tree}}", "-p", f"{worse.head}^", "-m", "The same anew")
        hosted.push(self.clone, f"+{head}:refs/heads/{ODD}")
        cancelled = desk.wait_run(number, "of what was pushed by force", lambda run: note(run, "revision") == head)
        hosted.comment(self.mona, number, "/penstock cancel")
        desk.wait_status(head, "error", f"cancelled by {self.mona.name}")
        hosted.comment(self.mona, number, waive)
        run = desk.wait_run(
            number, "with all waivers", lambda run: note(run, "cause").endswith(f" waive {len(RULES)}")
        ).wait()
        after, names = self.of_bot(number), self.names(number)
        self._send_again(number)
        runs = (again.wait(), cancelled.wait(), run)
        return Waived(status, refused, before, after, *runs, head, (names, self.names(number)))

    def _send_again(self, number: int) -> None:
        """All of its events once more, the last first."""
        events = self._events(number)[::-1]
        assert [one.again(self.desk.url).status_code for one in events] == [202] * len(events)
        # one event after the other: this one is answered when those are done
        self.desk.hosted.comment(self.mona, number, NO_COMMAND)
        until(
            lambda: next((one for one in self.of_bot(number) if "no command" in one["body"]), None),
            "the answer to a comment that is no command",
            timeout_s=60,
        )

    def delete_fork(self, number: int) -> Run:
        """While a commit of it is tried once more."""
        self.desk.hosted.comment(self.mona, number, "/penstock retest")
        run = self.desk.wait_run(number, "let go", started_by("retest"))
        self.eve.do("DELETE", f"repos/{self.eve.name}/{self.desk.hosted.name.partition('/')[2]}")
        return run

    def states(self, commit: str) -> list[str]:
        """What a commit was told, one after the other."""
        return [one["status"] for one in self.desk.hosted.statuses(commit, CONTEXT)]


def started_by(verb: str) -> Callable[[Object], bool]:
    """Whether a run was made by a comment with this command alone, and let go."""
    return lambda run: note(run, "cause").endswith(f" {verb} 1") and run["spec"].get("status", "") == ""


def _known(answer: httpx.Response) -> httpx.Response | None:
    """``None``: Gitea still works out whether it could be merged."""
    return None if "try again later" in answer.text.lower() else answer


def loaded(url: str) -> httpx.Response:
    """What somebody's browser gets."""
    return httpx.get(url, timeout=60, trust_env=False).raise_for_status()


def pictures_in(comment: str) -> list[str]:
    """Addresses of the pictures in Markdown."""
    return re.findall(r"!\[[^\]]*\]\(<([^>]+)>\)", comment)


def videos_in(comment: str) -> list[str]:
    """Addresses of the videos in Markdown."""
    return re.findall(r"(?<!!)\[[^\]]*\.mp4\]\(<([^>]+)>\)", comment)
