"""``host``: a machine without Kubernetes, over the system's ``ssh``. Every program is the platform's."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.sources.program import Finished, run
from penstock.targets.known_hosts import known_hosts
from penstock.targets.pair import ServedPair
from penstock.targets.targets_file import WORD_NAME, HostSettings
from penstock.targets.waiting import wait_until_served

CONNECT_S = 20
SSH_FAILED = 255
MAX_STATE_CHARACTERS = 4096


class HostTarget:
    """One machine."""

    def __init__(self, name: str, settings: HostSettings, key: bytes, *, model: str) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Args:
            name: the target's.
            settings: what the platform says of it.
            key: the private key that logs in.
            model: whose release is served: a machine may serve several.
        """
        self._model = model
        self._settings, self._key, self._where = settings, key, f"target '{name}'"
        self._weights = 0
        self._begun = False

    @property
    def longest_s(self) -> float:
        """See the protocol: `state`, `pull`, the weights, `restart`, `back` and two waits."""
        settings = self._settings
        return (4 + self._weights) * settings.command_timeout_s + 2 * (settings.timeout_s + settings.command_timeout_s)

    def check(self, pair: ServedPair) -> None:
        """Refuse a pair whose weights nothing brings, or that would put an option into a program's words."""
        if pair.weights and self._settings.weights is None:
            todo = "The image would serve with the weights of another release: add the program 'weights'."
            raise UsageError("nothing brings the release's weights", where=self._where, todo=todo)
        given = [*pair.values.values(), *(text for file in pair.weights for text in (file.path, file.source))]
        if options := [text for text in given if text.startswith("-")]:
            todo = "A program of the machine would take it for an option: name it otherwise, and release it again."
            raise UsageError(f"'{one_line(options[0])[:80]}' begins with '-'", where=self._where, todo=todo)
        self._weights = len(pair.weights)

    def state(self) -> str:
        """What `state` prints.

        Raises:
            WorldError: it failed, or printed something else than one line.
        """
        return self._line(self._must("state", self._settings.state, {"model": self._model}))

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:  # noqa: ARG002 (`state` says it)
        """Pull, bring the weights, restart, and wait for `health` to name the pair."""
        settings = self._settings
        self._must("pull", settings.pull, pair.values)
        self._begun = True
        for file in pair.weights:
            given = {"path": file.path, "sha256": file.sha256, "source": file.source}
            self._must("weights", settings.weights or [], {**pair.values, **given})
        self._must("restart", settings.restart, pair.values)

        def look() -> str:
            done = self._run(settings.health, pair.values)
            if done.code:
                return f"'health' ended with {done.code}: {_last(done)}"
            shown = done.output.decode("utf-8", "replace")
            named = (*pair.says("image_digest"), *pair.says("weights"))
            missing = [word for word in named if word not in shown]
            return f"'health' does not name {missing[0]}" if missing else ""

        self._until(look, f"{pair.model} {pair.version}")

    def restore(self, state: str) -> None:
        """Let `back` bring back what `state` had printed, until it prints that again."""
        if not self._begun:  # the image lies there now, and nothing else has changed
            return
        self._must("back", self._settings.back, {"model": self._model, "state": state})

        def look() -> str:
            now = self._line(self._must("state", self._settings.state, {"model": self._model}))
            return "" if now == state else f"'state' prints '{now}'"

        self._until(look, "what served before")

    def _until(self, look: Callable[[], str], what: str) -> None:
        settings = self._settings
        wait_until_served(look, timeout_s=settings.timeout_s, poll_s=settings.poll_s, where=self._where, what=what)

    def _line(self, done: Finished) -> str:
        line = done.output.decode("utf-8", "replace").strip()
        if not line or not line.isprintable() or len(line) > MAX_STATE_CHARACTERS:
            todo = f"It prints one line of at most {MAX_STATE_CHARACTERS} characters: what 'back' needs."
            raise WorldError("'state' does not say on one line what serves now", where=self._where, todo=todo)
        return line

    def _must(self, name: str, program: Sequence[str], values: Mapping[str, str]) -> Finished:
        done = self._run(program, values)
        if done.code:
            what = f"'{name}' ended with {done.code}: {_last(done)}"
            raise WorldError(what, where=self._where, todo=f"Try it on {self._settings.address} by hand.")
        return done

    def _run(self, program: Sequence[str], values: Mapping[str, str]) -> Finished:
        """Run a program there.

        Raises:
            WorldError: the machine cannot be reached, or is not the one that was pinned, or refuses the key.
        """
        settings = self._settings
        words = [WORD_NAME.sub(lambda found: values[found[1]], word) for word in program]
        host = settings.address.rpartition("@")[2]
        with tempfile.TemporaryDirectory(prefix="penstock-host-") as name:
            folder = Path(name)
            key, known = folder / "key", folder / "known_hosts"
            key.touch(mode=0o600)  # ssh refuses a key that others may read, which is how a mounted secret looks
            key.write_bytes(self._key + b"\n")
            known.write_text(known_hosts(host, settings.port, settings.host_keys), encoding="ascii")
            done = run(
                [
                    *("ssh", "-F", "/dev/null", "-T", "-p", str(settings.port), "-i", str(key)),
                    *(part for option in _options(known) for part in ("-o", option)),
                    *("--", settings.address, shlex.join(words)),
                ],
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                timeout_s=settings.command_timeout_s,
            )
        if done.code == SSH_FAILED:
            raise self._unreached(done.tail)
        return done

    def _unreached(self, tail: str) -> WorldError:
        if "Host key verification failed" in tail or "IDENTIFICATION HAS CHANGED" in tail:
            todo = "If the machine's key was replaced, put the new one into 'host_keys' of targets.yaml."
            return WorldError("the machine shows another host key than the one pinned", where=self._where, todo=todo)
        if "Permission denied" in tail or "Load key" in tail:
            todo = f"Was the key replaced? Penstock logs in with the secret '{self._settings.key}'."
            return WorldError("the machine refuses the key", where=self._where, todo=todo)
        said = one_line(tail.strip().splitlines()[-1])[:300] if tail.strip() else "ssh said nothing"
        return WorldError(f"the machine cannot be reached: {said}", where=self._where, todo="Try again.")


def _options(known: Path) -> tuple[str, ...]:
    """No questions, no forwarding, no other key, the pinned host keys alone."""
    return (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known}",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "ForwardAgent=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        f"ConnectTimeout={CONNECT_S}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
        "LogLevel=ERROR",
    )


def _last(done: Finished) -> str:
    lines = done.tail.strip().splitlines()
    return one_line(lines[-1])[:300] if lines else "it said nothing"
