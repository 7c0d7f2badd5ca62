"""Who takes part in the pull requests on the cluster's Gitea, where, and what became of those that change the model."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.first_link import Book, Looked
from tests.e2e.gitea import Delivery, Hosted, Person
from tests.e2e.pulls import Desk
from tests.e2e.repositories import git
from tests.e2e.run import Run


@dataclass(frozen=True)
class People:
    """Who takes part."""

    mona: Person
    """The repository is hers, and she may give commands."""
    eve: Person
    """Has a fork, and may not."""
    bot: Person
    """Whose token Penstock has."""


@dataclass(frozen=True)
class Site:
    """The repository, its desk, who takes part, and what its webhooks sent."""

    desk: Desk
    hosted: Hosted
    people: People
    clone: Path
    sent: list[Delivery]
    """To somebody beside the desk, who does nothing but write it down."""
    book: Book
    """Where links lead to while a run goes."""

    def commit(self, branch: str, name: str, content: str = "") -> str:
        """A commit that adds a file, on a branch."""
        git(self.clone, "checkout", "--quiet", branch)
        (self.clone / name).write_text(f"{content or name}\n", encoding="utf-8")
        git(self.clone, "add", name)
        git(self.clone, "commit", "--quiet", "--message", f"Add {name}")
        return git(self.clone, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Changed:
    """The pull request that got a second commit while its first was tried."""

    number: int
    heads: tuple[str, str]
    first: Run
    second: Run
    told: list[str]
    """States of the first commit, one after the other."""
    refused: httpx.Response
    """What was answered when somebody tried to merge it then."""
    looked: Future[Looked]
    """What is seen of the second commit from its push on."""
    suite: str
    """Where both commits have their suite from: an older commit."""


@dataclass(frozen=True)
class Forked:
    """The pull request of a fork."""

    number: int
    held: dict[str, Any]
    """The run as it waited, when its owner had said that it may go."""
    run: Run
    reopened: Run
    """Of the same commit, when the pull request was opened again and somebody had let it run once more."""
