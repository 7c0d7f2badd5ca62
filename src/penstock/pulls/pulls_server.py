"""The desk as a program: its parts put together, and the HTTP server in front of them."""

from __future__ import annotations

import datetime
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.commit_status import CommitStatus, put_status, read_statuses
from penstock.notices.forge import RefusedError, put_comment
from penstock.notices.forge_places import Address, open_place
from penstock.pulls.desk import Desk
from penstock.pulls.desk_file import DeskRepository, DeskSettings, ForgeSecrets
from penstock.pulls.desk_runs import DeskRuns
from penstock.pulls.desk_threads import DeskThread, RoundsThread
from penstock.pulls.happenings import PullEvent
from penstock.pulls.hook_queue import HookQueue, QueuedEvent
from penstock.pulls.pull_lookup import PullNow, look_up, recently_open
from penstock.pulls.rounds import Rounds
from penstock.services.listening import ListenAddress, bound
from penstock.services.web_server import extra_serve, web_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from uvicorn import Server

log = logging.getLogger(__name__)
MARKER = "<!-- penstock pulls -->"
MISSED_SINCE = datetime.timedelta(days=1)
"""At the start, pull requests that have changed within so long are looked at: their events may have been missed."""
LONGEST_SLEEP_S = 2.0


class Forges:
    """The forges as the desk needs them."""

    def __init__(self, secrets: Mapping[str, ForgeSecrets]) -> None:
        self._secrets = secrets

    def look_up(self, repository: DeskRepository, number: int) -> PullNow:
        """What a pull request is now."""
        return look_up(self._secrets[repository.forge_name].forge, repository.path, number)

    def tell(self, repository: DeskRepository, commit: str, status: CommitStatus) -> None:
        """Set a commit's status."""
        forge = self._secrets[repository.forge_name].forge
        put_status(forge, Address(forge.kind, repository.path, commit=commit), status, sleep=_nap)

    def said(self, repository: DeskRepository, commit: str) -> list[CommitStatus]:
        """What was said of a commit, the last first."""
        forge = self._secrets[repository.forge_name].forge
        return read_statuses(forge, Address(forge.kind, repository.path, commit=commit))

    def answer(self, repository: DeskRepository, number: int, text: str) -> None:
        """Say below a pull request why something was not done, in one comment that is edited."""
        forge = self._secrets[repository.forge_name].forge
        address = Address(forge.kind, repository.path, number)
        body = f"{MARKER}\n{text}\n\nThe commands: docs/pulls.md of Penstock.\n"
        try:
            put_comment(lambda: open_place(forge, address), MARKER, body, sleep=_nap)
        except (WorldError, UsageError) as error:
            log.warning("%s#%d: the answer was not written: %s", repository.shown, number, error)

    def missed(
        self, repositories: Sequence[DeskRepository], queue: HookQueue, *, beat: Callable[[], None] = lambda: None
    ) -> None:
        """Put into the queue what has changed lately: while nobody listened, events were lost.

        Args:
            repositories: of one forge. The first answer that does not come ends it.
            queue: of that forge.
            beat: called before each repository.
        """
        since = datetime.datetime.now(datetime.UTC) - MISSED_SINCE
        for repository in repositories:
            beat()
            forge = self._secrets[repository.forge_name].forge
            try:
                numbers = recently_open(forge, repository.path, since=since)
            except (RefusedError, UsageError) as error:
                log.warning("%s: what was missed is not known: %s", repository.shown, error)
                continue
            except WorldError as error:
                log.warning("%s and what comes after it: what was missed is not known: %s", repository.shown, error)
                return
            for number in numbers:
                event = PullEvent(path=repository.path, number=number, head=None)
                if not queue.put(QueuedEvent(repository, event)):
                    log.warning("%s and what comes after it: %d events wait already", repository.shown, len(queue))
                    return


def _nap(seconds: float) -> None:
    """The desk has others to care for: what needs longer is tried again later."""
    time.sleep(min(seconds, LONGEST_SLEEP_S))


def serve_desk(
    settings: DeskSettings, known: Mapping[str, ForgeSecrets], runs: DeskRuns, *, host: str, port: int
) -> None:
    """Listen until the process is ended; then finish what is in the queue.

    Args:
        settings: what ``pulls.yaml`` says.
        known: the secrets of each forge, by its name.
        runs: of the cluster.
        host: the address that it listens on.
        port: 0: any free one.

    Raises:
        UsageError: the extra ``serve`` is not installed.
        WorldError: the address is taken.
    """
    forges, queues = Forges(known), {name: HookQueue() for name in known}
    desk = Desk(settings, runs, look_up=forges.look_up, answer=forges.answer, tell=forges.tell)
    rounds = RoundsThread(Rounds(settings, runs, tell=forges.tell, said=forges.said))
    threads = {name: DeskThread(queue, desk, changed=rounds.wake) for name, queue in queues.items()}
    all_of_them: list[RoundsThread | DeskThread] = [*threads.values(), rounds]
    server = _server(settings, known, queues, lambda: min(one.alive_at for one in all_of_them))
    with bound(ListenAddress(host, port)) as listening:
        log.info("listening on %s:%d for %d repositories", *listening.getsockname()[:2], len(settings.repositories))
        rounds.start()
        for name, thread in threads.items():
            mine = [one for one in settings.repositories if one.forge_name == name]
            thread.start(first=partial(forges.missed, mine, queues[name], beat=thread.beat))
        server.run(sockets=[listening])
        for one in all_of_them:
            one.stop()


def _server(
    settings: DeskSettings,
    secrets: Mapping[str, ForgeSecrets],
    queues: Mapping[str, HookQueue],
    alive_at: Callable[[], float],
) -> Server:
    with extra_serve("the desk"):
        from penstock.pulls.hook_app import Hooks, hook_application
    return web_server(hook_application(Hooks(settings, secrets, queues, alive_at)))
