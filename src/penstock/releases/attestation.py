"""The verdict as an attestation: what was judged, by which evidence, as a SLSA Verification Summary over the image.

Specification: https://slsa.dev/spec/v1.1/verification_summary. What the summary has no field for stands under
``penstock`` in its predicate. The pair of image and weights is what was judged: the image is the subject, and the
weights are named with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationError

from penstock import __version__
from penstock.bundle.directory import explain
from penstock.bundle.models import BuiltElsewhere, Run
from penstock.bundle.record import Record
from penstock.bundle.sbom_file import SBOM
from penstock.bundle.verdict_record import Verdict
from penstock.releases.baseline import Release
from penstock.store.archive import name_part

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
VERIFIER = "https://github.com/penstock/penstock/gate"
SHA256 = "sha256:"
MAX_NAME = 160


class JudgedWeights(Record):
    """A file of weights that was judged with the image."""

    path: str
    sha256: str
    signed_by: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None
    """The platform's key that had signed it: SHA-256 of the public key's DER; ``None``: no signature was asked for."""


class WaivedRule(Record):
    """A rule that fell and did not count, because somebody took responsibility."""

    metric: str
    slice: str | None = None
    reason: str
    author: str
    expires: str
    """The last day on which the waiver holds, ISO 8601."""


class JudgedPair(Record):
    """``predicate.penstock``: what Penstock says beyond the summary."""

    model: str
    version: str
    run: str
    commit: str
    tree: str
    weights: list[JudgedWeights]
    use_onnx: bool | None = None
    """As in the release's record: the service of this pair has to be told, ``False``: its trained weights."""
    elsewhere: Annotated[BuiltElsewhere | None, Field(exclude_if=lambda value: value is None)] = None
    """Of an image that another system built, what of it was compared with the commit; ``None``: Penstock built it."""
    suite: str | None = None
    """Digest of the cases; ``None``: the run does not say."""
    compared_with: str | None = None
    """Run id of the release that it was compared with; ``None``: the first release."""
    waived: list[WaivedRule] = Field(default_factory=list)


class _Input(Record):
    uri: str
    digest: dict[str, str] = Field(default_factory=dict)


class _Policy(Record):
    uri: str = ""


class _Predicate(Record):
    result: str = Field(alias="verificationResult")
    time: str = Field(alias="timeVerified")
    policy: _Policy = Field(default_factory=_Policy)
    inputs: list[_Input] = Field(alias="inputAttestations", default_factory=list)
    penstock: JudgedPair


class _Subject(Record):
    name: str
    digest: dict[str, str]


class Statement(Record):
    """A signed statement, as it is read: only what is looked at."""

    kind: str = Field(alias="_type")
    predicate_type: str = Field(alias="predicateType")
    subject: list[_Subject]
    predicate: _Predicate

    @property
    def repository(self) -> str:
        """Address of the repository whose commit was judged, as it is written there: ``git+https://…``."""
        return self.predicate.policy.uri

    @property
    def sbom_sha256(self) -> str | None:
        """SHA-256 of the bill of materials that it names."""
        named = [one.digest.get("sha256") for one in self.predicate.inputs if one.uri.endswith(f"/{SBOM}")]
        return named[0] if named else None


def statement(release: Release, run: Run, verdict: Verdict, *, evidence: str, time: str) -> bytes:
    """The statement that is signed, as canonical JSON.

    Args:
        release: the record of the release.
        run: the run that showed it.
        verdict: ``pass``.
        evidence: address of the bundle in the store.
        time: when, UTC, ISO 8601.
    """
    pair = JudgedPair(
        model=release.model,
        version=release.version,
        run=release.run_id,
        commit=release.commit,
        tree=release.tree,
        weights=[
            JudgedWeights(path=file.path, sha256=file.sha256, signed_by=file.signed_by) for file in release.weights
        ],
        use_onnx=release.use_onnx,
        elsewhere=release.image.elsewhere,
        suite=run.suite.digest if run.suite is not None else None,
        compared_with=release.replaces,
        waived=waived_rules(verdict),
    )
    inputs = [{"uri": f"{evidence}/manifest.json", "digest": {"sha256": release.manifest_sha256}}]
    if release.sbom_sha256 is not None:
        inputs.append({"uri": f"{evidence}/{SBOM}", "digest": {"sha256": release.sbom_sha256}})
    whole = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {
                "name": release.image.url or f"{release.url}@{release.commit}",
                "digest": {"sha256": release.image.digest.removeprefix(SHA256)},
            }
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": VERIFIER, "version": {"penstock": __version__}},
            "timeVerified": time,
            "resourceUri": release.image.url or release.url,
            # the rules are files of the commit; the verdict, which the manifest covers, has each with its bounds
            "policy": {"uri": f"git+{release.url}", "digest": {"gitCommit": release.commit}},
            "inputAttestations": inputs,
            "verificationResult": "PASSED",
            "verifiedLevels": [],
            "slsaVersion": "1.1",
            "penstock": pair.model_dump(mode="json"),
        },
    }
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def waived_rules(verdict: Verdict) -> list[WaivedRule]:
    """The rules that fell and did not count, because a waiver held when the verdict was given."""
    return [
        WaivedRule(
            metric=rule.metric,
            slice=rule.slice,
            reason=rule.waiver.reason,
            author=rule.waiver.author,
            expires=rule.waiver.expires,
        )
        for rule in verdict.rules
        if rule.waiver is not None and rule.waived and rule.verdict != "pass"
    ]


def waiver_over(waived: Sequence[WaivedRule], today: date) -> str | None:
    """Which waiver is over by ``today``, in words; ``None``: none is.

    Raises:
        ValueError: the end of one is no date.
    """
    over = [rule for rule in waived if date.fromisoformat(rule.expires) < today]
    if not over:
        return None
    return f"the waiver of '{over[0].metric}' by {over[0].author} ended on {over[0].expires}"


def read_statement(content: dict[str, Any]) -> Statement:
    """Read what was signed.

    Raises:
        ValueError: it is no verdict of Penstock's, with the reason.
    """
    try:
        found = Statement.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"it is no verdict: {explain(error)}") from None
    if (found.kind, found.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError(f"it is a '{found.predicate_type[:80]}', no verification summary")
    return found


def attestation_prefix(digest: str) -> str:
    """``attestations/sha256-DIGEST``: all verdicts over an image. ``digest`` is ``sha256:…``."""
    return f"attestations/{name_part(digest.replace(':', '-'), 'digest')}"


def attestation_key(release: Release, key_id: str) -> str:
    """``attestations/sha256-DIGEST/MODEL@VERSION.KEY.json``, ``KEY`` being the first of the key's id.

    One image may be released with several weights, and its verdict signed with another key after a change of keys.
    """
    return f"{attestation_prefix(release.image.digest)}/{_file_name(release.model, release.version, key_id)}"


def sbom_key(model: str, version: str, digest: str, key_id: str) -> str:
    """``sboms/sha256-DIGEST/MODEL@VERSION.KEY.json``: the signed bill of materials of a release, named likewise."""
    return f"sboms/{name_part(digest.replace(':', '-'), 'digest')}/{_file_name(model, version, key_id)}"


def _file_name(model: str, version: str, key_id: str) -> str:
    name = f"{name_part(model, 'model')}@{name_part(version, 'version')}"
    if len(name.encode()) > MAX_NAME:
        name = f"{name[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{name}.{key_id[:12]}.json"
