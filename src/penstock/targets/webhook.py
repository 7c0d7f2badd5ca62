"""``webhook``: one signed POST, repeated until its answer says that the pair serves."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penstock.bundle.directory import explain
from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.targets.pair import ServedPair
from penstock.targets.short_answer import NoShortAnswerError, ShortAnswer, ask
from penstock.targets.targets_file import WebhookSettings
from penstock.targets.waiting import NotServingError, wait_until_served

Act = Literal["state", "deploy", "restore"]
LEAST_SECRET_BYTES = 16
STATE_TRIES = 3
LATER = (408, 425, 429)
"""Statuses that ask to come again, as those from 500 on do."""


class WebhookAnswer(BaseModel):
    """What the receiver answers, as JSON."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    state: Literal["serving", "deploying", "failed"] | None = None
    """How far it is; of no meaning in an answer to ``state``, which is a question."""
    revision: str = Field("", max_length=200)
    """What serves, in the receiver's own words; it gets them back with ``restore``."""
    image: str = Field("", max_length=200)
    """``sha256:…`` of the image that serves."""
    weights: list[str] = Field(default_factory=list, max_length=1000)
    """SHA-256 of each file of weights that serves."""
    reason: str = Field("", max_length=2000)


class WebhookTarget:
    """A receiver of signed requests."""

    def __init__(
        self,
        name: str,
        settings: WebhookSettings,
        secret: bytes,
        token: str,
        *,
        model: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """See :class:`penstock.targets.target_driver.TargetDriver`.

        Args:
            name: the target's.
            settings: what the platform says of it.
            secret: the shared key.
            token: of this change alone: part of the idempotency key.
            model: whose release is served: one receiver may have several.
            now: seconds since 1970, for the signature.
        """
        self._name, self._model, self._settings = name, model, settings
        self._secret, self._token, self._now = secret, token, now
        self._where = f"target '{name}'"

    @property
    def longest_s(self) -> float:
        """See the protocol."""
        settings = self._settings
        asking = STATE_TRIES * (settings.request_timeout_s + settings.poll_s)
        return asking + 2 * (settings.timeout_s + 2 * settings.request_timeout_s)

    def check(self, pair: ServedPair) -> None:
        """Every pair can be sent."""

    def state(self) -> str:
        """Ask what serves.

        Raises:
            WorldError: the receiver does not say.
        """
        problem = ""
        for last in (*[False] * (STATE_TRIES - 1), True):
            found = self._send("state", {})
            if isinstance(found, WebhookAnswer):
                if not found.revision:
                    todo = "It must answer 'state' with a 'revision', so that what is there can be put back."
                    raise WorldError("it does not say what serves now", where=self._where, todo=todo)
                return found.revision
            problem = found
            if not last:
                time.sleep(self._settings.poll_s)
        raise WorldError(f"it does not say what serves now: {problem}", where=self._where, todo="Nothing was changed.")

    def deploy(self, pair: ServedPair, current: ServedPair | None) -> None:
        """Send the pair until the answer says that it serves."""
        body = {"pair": pair.as_object(), "current": current.as_object() if current is not None else None}

        def missing(answer: WebhookAnswer) -> str:
            wanted = sorted(file.sha256 for file in pair.weights)
            if answer.image != pair.image_digest:
                return f"it says that it serves, with the image '{answer.image[:80]}'"
            return "" if sorted(answer.weights) == wanted else "it says that it serves, with other weights"

        self._until("deploy", body, missing, f"{pair.model} {pair.version}")

    def restore(self, state: str) -> None:
        """Send back what the receiver said before."""

        def missing(answer: WebhookAnswer) -> str:
            return "" if answer.revision == state else f"it says that it serves '{answer.revision}'"

        self._until("restore", {"revision": state}, missing, "what served before")

    def _until(self, act: Act, body: dict[str, Any], missing: Callable[[WebhookAnswer], str], what: str) -> None:
        def look() -> str:
            found = self._send(act, body)
            if isinstance(found, str):
                return found
            if found.state is None:
                raise _no_answer("state: Field required", self._where)
            if found.state == "failed":
                raise NotServingError(f"it could not serve {what}: {one_line(found.reason)[:300]}", where=self._where)
            return missing(found) if found.state == "serving" else "it is still deploying"

        settings = self._settings
        wait_until_served(look, timeout_s=settings.timeout_s, poll_s=settings.poll_s, where=self._where, what=what)

    def _send(self, act: Act, body: dict[str, Any]) -> WebhookAnswer | str:
        """The receiver's answer, or why there is none yet.

        Raises:
            PenstockError: the same request again would not help.
        """
        whole = {"schema_version": 1, "act": act, "target": self._name, "model": self._model, **body}
        content = json.dumps(whole, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{self._token}-{act}",
            **signature(self._secret, content, int(self._now())),
        }
        try:
            answer = ask(
                "POST",
                self._settings.url,
                timeout_s=self._settings.request_timeout_s,
                content=content,
                headers=headers,
            )
        except NoShortAnswerError as error:
            return str(error)
        if answer.status >= 500 or answer.status in LATER:
            return f"it answered {answer.status}"
        self._hold_accepted(answer)
        return self._read(answer)

    def _hold_accepted(self, answer: ShortAnswer) -> None:
        if answer.status in (401, 403):
            todo = f"Was the key replaced? Penstock signs with the secret '{self._settings.secret}'."
            raise WorldError(f"it refuses the signature ({answer.status})", where=self._where, todo=todo)
        if 300 <= answer.status < 400:
            todo = "A redirect is not followed: put the final address into targets.yaml."
            raise UsageError(f"it answered {answer.status}", where=self._where, todo=todo)
        if answer.status not in (200, 202):
            raise WorldError(f"it refuses the request ({answer.status})", where=self._where, todo="Look at its log.")

    def _read(self, answer: ShortAnswer) -> WebhookAnswer:
        try:
            return WebhookAnswer.model_validate_json(answer.content)
        except ValidationError as error:
            raise _no_answer(explain(error), self._where) from None


def _no_answer(why: str, where: str) -> WorldError:
    what = one_line(f"its answer is not one of a receiver: {why}")[:400]
    return WorldError(what, where=where, todo="docs/operations.md says what it is.")


def signature(secret: bytes, content: bytes, timestamp: int) -> dict[str, str]:
    """The headers that sign a request: HMAC-SHA256 over ``TIMESTAMP.CONTENT``; so it cannot be sent again later."""
    digest = hmac.new(secret, f"{timestamp}.".encode() + content, hashlib.sha256).hexdigest()
    return {"Penstock-Timestamp": str(timestamp), "Penstock-Signature": f"v1={digest}"}
