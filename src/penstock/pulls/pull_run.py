"""The run of a pull request as a PipelineRun: what it is created with, and what one that is there says of itself.

All that is known of a pull request's runs stands in their labels and annotations: nothing is lost with a process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from penstock.foundation.errors import one_line
from penstock.pulls.desk_file import DeskFile, DeskRepository
from penstock.pulls.pull_lookup import PullNow

DESK_LABEL: Final = "penstock.dev/desk"
DESK: Final = "pulls"
PULL_LABEL: Final = "penstock.dev/pull"
SETTLED_LABEL: Final = "penstock.dev/settled"
"""``false`` from the start, ``true`` when nothing is to be done about it any more: only then it may be deleted."""
COMMIT_LABEL: Final = "penstock.dev/commit"
_NOTE = "penstock.dev/"
PENDING: Final = "PipelineRunPending"
CANCELLED: Final = "Cancelled"
NOTIFY: Final = "notify"
"""The task that tells the verdict."""
Ending = Literal["superseded", "closed", "repeated", "cancelled"]
"""Why a run was ended: a newer commit, the pull request was closed, the same commit is tried anew, somebody said so."""
WORKSPACES: Final[tuple[dict[str, Any], ...]] = (
    {"name": "work", "persistentVolumeClaim": {"claimName": "penstock-work"}},
    {"name": "store-credentials", "secret": {"secretName": "penstock-store", "optional": True}},
    {"name": "weights-credentials", "secret": {"secretName": "penstock-weights", "optional": True}},
    # not optional: without it unsigned weights would be let through in silence
    {"name": "weights-keys", "configMap": {"name": "penstock-weights-keys"}},
    # not optional either: a fork's policy is its own, and the floor is what it cannot loosen
    {"name": "policy-floor", "configMap": {"name": "penstock-policy-floor"}},
    {"name": "registry-credentials", "secret": {"secretName": "penstock-registry", "optional": True}},
    {"name": "basic-auth", "secret": {"secretName": "penstock-git", "optional": True}},
    {"name": "ssh-directory", "secret": {"secretName": "penstock-git-ssh", "optional": True}},
    {"name": "suite", "configMap": {"name": "penstock-suite", "optional": True}},
    {"name": "receivers", "secret": {"secretName": "penstock-receivers", "optional": True}},
)
"""As ``tekton/triggers/template-verify.yaml`` has them, but for ``forge``, which each forge names, and
``transcriber-key``: no transcriber is named here, and what a fork's model has made is sent to nobody."""


@dataclass(frozen=True)
class RunWanted:
    """What a new run is to be."""

    pull: PullNow
    slice: str
    waive: tuple[Mapping[str, str], ...] = ()
    cause: str = "push"
    """``push``, or ``comment N VERB PLACE``: one command of a comment makes one run."""
    asked_by: str = ""
    approved_by: str = ""
    """Who let a fork's commit run."""
    attempt: int = 0
    """Counts on from run to run of a pull request, so that no two have one name, even if runs were deleted."""

    @property
    def held(self) -> bool:
        """Whether it waits for somebody who lets it run."""
        return self.pull.fork and not self.approved_by


def pull_key(repository: DeskRepository, number: int) -> str:
    """The label of all runs of one pull request."""
    digest = hashlib.sha256(f"{repository.forge_name}\n{repository.path.lower()}".encode()).hexdigest()
    return f"{digest[:12]}-{number}"


def run_name(repository: DeskRepository, wanted: RunWanted) -> str:
    """The same for the same, so that nothing is created twice. A run's folder and its evidence have this name."""
    pull = wanted.pull
    parts = (pull_key(repository, pull.number), pull.head, pull.base, wanted.cause, str(wanted.attempt))
    return f"pull-{pull.number}-{pull.head[:8]}-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:8]}"


def run_body(repository: DeskRepository, desk: DeskFile, wanted: RunWanted) -> dict[str, Any]:
    """The PipelineRun; it is created pending, and let go in its turn."""
    pull, settings = wanted.pull, repository.settings
    of = "merge-requests" if settings.kind == "gitlab" else "pull"
    params = {
        "url": repository.url,
        "revision": pull.head,
        "ref": f"refs/{of}/{pull.number}/head",
        # a tag may have the branch's name
        "base": f"refs/heads/{pull.base}",
        "pull-request": str(pull.number),
        "fork": "true" if pull.fork else "false",
        "store": desk.store,
        "registry": desk.registry,
        "tls-verify": "true" if desk.tls_verify else "false",
        "allow-http": "true" if settings.allow_http else "false",
        "shards": str(desk.shards),
        "slice": wanted.slice,
        "waive": json.dumps([dict(one) for one in wanted.waive]),
    }
    notes = {
        "url": repository.url,
        "revision": pull.head,
        "forge": repository.forge_name,
        "path": repository.path,
        "number": str(pull.number),
        "base": pull.base,
        "fork": params["fork"],
        "slice": wanted.slice,
        "waive": params["waive"],
        "cause": wanted.cause,
        "attempt": str(wanted.attempt),
        "asked-by": wanted.asked_by,
        "approved-by": wanted.approved_by,
        "held": "true" if wanted.held else "false",
    }
    forge = {"name": "forge", "secret": {"secretName": settings.secret, "optional": True}}
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "name": run_name(repository, wanted),
            "labels": {
                "app.kubernetes.io/part-of": "penstock",
                DESK_LABEL: DESK,
                PULL_LABEL: pull_key(repository, pull.number),
                COMMIT_LABEL: pull.head[:40],
                SETTLED_LABEL: "false",
            },
            "annotations": {f"{_NOTE}{name}": value for name, value in notes.items()},
        },
        "spec": {
            "status": PENDING,
            "pipelineRef": {"name": "verify"},
            "params": [{"name": name, "value": value} for name, value in params.items()],
            # Tekton's default is one hour for the whole run; time in the queue for the card counts
            "timeouts": {"pipeline": "6h"},
            "taskRunTemplate": {
                "serviceAccountName": "penstock",
                "podTemplate": {
                    "securityContext": {"fsGroup": 65532, "fsGroupChangePolicy": "OnRootMismatch"},
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                },
            },
            "workspaces": [*WORKSPACES, forge],
        },
    }


@dataclass(frozen=True)
class PullRun:
    """A run that is there."""

    name: str
    version: str
    """Its ``resourceVersion``."""
    created: str
    """ISO 8601, of the cluster's clock."""
    key: str
    head: str
    notes: Mapping[str, str]
    """Its annotations of ours, without their prefix."""
    asked: str
    """``spec.status``."""
    ended: bool
    reason: str
    """Tekton's, of how it ended."""
    message: str
    told_verdict: bool
    """Whether its *notify* has done its work."""
    summary: str = ""
    """Its headline, as *notify* wrote it."""
    telling: bool = False
    """Whether its *notify* has begun."""

    @property
    def held(self) -> bool:
        """Whether it waits until somebody lets it run."""
        return self.notes.get("held") == "true" and self.pending

    @property
    def pending(self) -> bool:
        """Whether it was never let go."""
        return self.asked == PENDING and not self.ended

    @property
    def active(self) -> bool:
        """Whether it goes, or may go later."""
        return not self.ended and self.asked in ("", PENDING)

    @property
    def running(self) -> bool:
        """Whether it takes a place, also while it is being ended."""
        return not self.ended and self.asked != PENDING

    @property
    def number(self) -> int:
        """Of the pull request."""
        return int(self.key.rpartition("-")[2])

    @property
    def attempt(self) -> int:
        """Which of its pull request's runs it is: a later one has a higher number."""
        found = self.notes.get("attempt", "")
        return int(found) if found.isdecimal() and len(found) <= 12 else 0

    @property
    def waive(self) -> tuple[Mapping[str, str], ...]:
        """What of its rules is waived."""
        try:
            found = json.loads(self.notes.get("waive") or "[]")
        except ValueError:
            return ()
        return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()

    @property
    def counts_as_tried(self) -> bool:
        """Whether its commit needs no run by itself: it has or had one that was not ended because the pull went on."""
        return self.notes.get("ended") not in ("superseded", "closed")


def read_run(item: Mapping[str, Any]) -> PullRun:
    """A PipelineRun as the API server gives it."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status") or {}
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    conditions: Sequence[Mapping[str, Any]] = status.get("conditions") or []
    done = next((one for one in conditions if one.get("type") == "Succeeded"), {})
    results = {one.get("name"): one.get("value") for one in status.get("results") or []}
    return PullRun(
        name=str(metadata["name"]),
        version=str(metadata.get("resourceVersion", "")),
        created=str(metadata.get("creationTimestamp", "")),
        key=str(labels.get(PULL_LABEL, "")),
        head=str(annotations.get(f"{_NOTE}revision", "")),
        notes={name.removeprefix(_NOTE): value for name, value in annotations.items() if name.startswith(_NOTE)},
        asked=str(spec.get("status", "")),
        ended=done.get("status") in ("True", "False"),
        reason=one_line(str(done.get("reason", "")))[:100],
        message=one_line(str(done.get("message", "")))[:300],
        told_verdict=bool(results.get("told")),
        summary=one_line(str(results.get("summary") or ""))[:300],
        telling=any(one.get("pipelineTaskName") == NOTIFY for one in status.get("childReferences") or []),
    )


def note(**notes: str) -> dict[str, Any]:
    """The change that writes annotations: ``approved_by`` is ``penstock.dev/approved-by``."""
    return {"metadata": {"annotations": {f"{_NOTE}{name.replace('_', '-')}": value for name, value in notes.items()}}}
