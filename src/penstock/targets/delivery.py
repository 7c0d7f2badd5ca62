"""Bringing a release to its target: allowed, signed, by one at a time, and put back if it does not come to serve."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from penstock.foundation.errors import PenstockError, UsageError, WorldError, one_line
from penstock.releases.attest import Proof, UnverifiedError, verify
from penstock.releases.attestation import JudgedPair
from penstock.releases.baseline import Release, weights_of
from penstock.releases.canary_log import CanaryKind, log_canary_act
from penstock.releases.envelope import public_key
from penstock.releases.moves import MAX_REASON, stated_author
from penstock.store.archive import run_key
from penstock.store.store import Store
from penstock.targets.asked_provenance import hold_asked_provenance
from penstock.targets.claim import ClaimLostError, HeldClaim, claimed
from penstock.targets.kinds import open_target
from penstock.targets.news import Heard, News, NewsEvent, unheard
from penstock.targets.pair import ServedPair, pair_of
from penstock.targets.target_driver import TargetDriver
from penstock.targets.targets_file import load_targets, settings_of
from penstock.targets.waiting import CanaryStoppedError, CanaryUndecidedError

log = logging.getLogger(__name__)


class Delivery:
    """For one act: what :class:`penstock.releases.acts.Serving` asks for, with the platform's targets.

    Args:
        store: where the releases are.
        file: ``targets.yaml``; the public keys that it names lie beside it.
        secrets: the directory of the targets' secrets, if any of them needs one.
        by: who acts.
        heard: tells people of a canary that needs them, and of what did not come to serve and was put back.
        today: for waivers that are over.

    Raises:
        UsageError: the file is not valid, or a key in it is none.
    """

    def __init__(
        self,
        store: Store,
        file: Path,
        secrets: Path | None = None,
        *,
        by: str = "",
        heard: Heard = unheard,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._file, self._secrets, self._today = store, file, secrets, today
        self._by, self._heard = stated_author(by), heard
        self._targets = load_targets(file)
        self._keys = {name: public_key(file.parent / name) for name in self._targets.verdict_keys}
        self._builders = [public_key(file.parent / name) for name in self._targets.provenance_keys]
        self._driver: TargetDriver | None = None
        self._held: HeldClaim | None = None
        self._brought: tuple[str, Release, str | None] | None = None
        """Target, release and the version that stays current until it serves."""

    @contextmanager
    def claimed(self, target: str, release: Release, *, back: bool) -> Iterator[None]:
        """See the protocol. What may not be served there is refused before the target is claimed."""
        settings = settings_of(self._targets, target, release.model, where=str(self._file))
        pair = self._pair(release)
        proofs = self._hold_signed(release, date.min if back else self._today().date())
        if self._builders and not back:  # what has served before must come back also while its registry is away
            self._hold_built(release, proofs)
        token = str(uuid4())
        driver = open_target(target, settings, self._secrets, model=release.model, token=token, ask=self._ask)
        driver.check(pair)
        with claimed(
            self._store, target, release.model, release.version, by=self._by, longest_s=driver.longest_s
        ) as held:
            self._driver, self._held = driver, held
            try:
                yield
            finally:
                self._driver = self._held = None

    @contextmanager
    def served(self, target: str, release: Release, current: Release | None) -> Iterator[None]:
        """See the protocol. Ctrl-C puts back what was there, too."""
        driver, held = self._driver, self._held
        if driver is None or held is None:
            raise AssertionError("a target is claimed before it is changed")
        pair = self._pair(release)
        state = driver.state()
        log.info("%s %s is brought to the target '%s'", release.model, release.version, target)
        self._brought = (target, release, current.version if current is not None else None)
        try:
            driver.deploy(pair, self._earlier(current))
            held.hold()
            yield
        except ClaimLostError as error:
            self._tell("unknown", error.what)
            raise
        except BaseException as error:
            self._put_back(driver, held, state, target, error)
            self._tell_put_back(error)
            raise

    def _put_back(self, driver: TargetDriver, held: HeldClaim, state: str, target: str, error: BaseException) -> None:
        """Raises where that fails as well: then nobody knows what serves."""
        why = error.what if isinstance(error, PenstockError) else type(error).__name__
        log.warning("the target '%s' gets back what was there: %s", target, why)
        try:
            held.hold()
            driver.restore(state)
        except ClaimLostError as lost:
            self._tell("unknown", lost.what)
            raise
        except PenstockError as second:
            what = f"{why}; and what was there before could not be put back: {second.what}"
            self._tell("unknown", what)
            raise WorldError(
                what,
                where=f"target '{target}'",
                todo=f"Look at what serves there. {self._how_back()}".rstrip(),
            ) from error

    def _how_back(self) -> str:
        """What brings the current release back, whatever its waivers; empty: there is none."""
        _, release, serves = self._known()
        if serves is None:
            return ""
        return f"To bring the current release back: penstock rollback {release.model} --to {serves} --reason TEXT"

    def _tell_put_back(self, error: BaseException) -> None:
        """Tell why it was put back. A canary's end is in the log of releases as well, since nobody has typed it."""
        if isinstance(error, UsageError):
            return  # refused before anything came of it: who typed it is told by the exit code
        why = error.what if isinstance(error, PenstockError) else f"it was interrupted ({type(error).__name__})"
        if isinstance(error, CanaryStoppedError):
            self._record("canary stopped", why)
            self._tell("canary stopped", why)
        elif isinstance(error, CanaryUndecidedError):
            self._record("canary undecided", why)
            self._tell("inconclusive", why)
        else:
            self._tell("put back", why)

    def _record(self, kind: CanaryKind, why: str) -> None:
        _, release, _ = self._known()
        reason = one_line(why)[:MAX_REASON]
        try:
            log_canary_act(self._store, release.model, release.version, kind, reason=reason, by=self._by)
        except PenstockError as error:  # what served before serves: that is what counts
            log.warning("the end of the canary is not on record: %s", error)

    def _ask(self, reason: str) -> None:
        self._tell("needs you", reason)

    def _tell(self, event: NewsEvent, reason: str) -> None:
        target, release, serves = self._known()
        log.warning("%s %s at the target '%s': %s: %s", release.model, release.version, target, event, reason)
        self._heard(
            News(
                event,
                release.model,
                release.version,
                release.run_id,
                release.commit,
                target,
                one_line(reason),
                self._by,
                serves,
            )
        )

    def _known(self) -> tuple[str, Release, str | None]:
        if self._brought is None:
            raise AssertionError("nothing is told before a target is changed")
        return self._brought

    def _pair(self, release: Release) -> ServedPair:
        return pair_of(release, evidence=self._store.location(run_key(release.model, release.run_id)))

    def _earlier(self, current: Release | None) -> ServedPair | None:
        """What Penstock brought there last; one without an image was never brought anywhere."""
        return self._pair(current) if current is not None and current.image.kind == "image" else None

    def _hold_built(self, release: Release, proofs: list[Proof]) -> None:
        where, registry = f"{release.model} {release.version}", self._targets.registry
        hold_asked_provenance(release.image, proofs, self._builders, registry, self._secrets, where=where)

    def _hold_signed(self, release: Release, today: date) -> list[Proof]:
        """Check that one of the platform's keys has signed the verdict over this release; without keys, say so.

        Args:
            release: what is to be served.
            today: a waiver that is over by then makes a verdict void.

        Returns:
            The verdicts of the first such key; none without keys.

        Raises:
            UnverifiedError: none has, or the verdict does not hold any more.
        """
        if not self._keys:
            log.warning("verdict not verified: %s names no verdict_keys", self._file.name)
            return []
        weights = {file.path: file.sha256 for file in release.weights}
        reasons = []
        for name, key in self._keys.items():
            try:
                proofs = verify(self._store, release.image.digest, key, weights=weights, today=today)
            except (UnverifiedError, UsageError) as error:
                reasons.append(f"{name}: {error.what}")
                continue
            ours = [one for one in proofs if (one.pair.model, one.pair.version) == (release.model, release.version)]
            if held := [one for one in ours if _is_pair(one.pair, release)]:
                return held
            other = "the release's record says another pair than the verdict" if ours else ""
            reasons.append(f"{name}: {other or 'the verdicts that hold are about other releases'}")
        raise UnverifiedError(
            f"its verdict is not signed by the platform ({'; '.join(reasons)})",
            where=f"{release.model} {release.version}",
            todo="The step publish, run again with the key, signs it.",
        )


def _is_pair(judged: JudgedPair, release: Release) -> bool:
    """Whether a release's record, which nobody has signed, says of the pair that its target is told what was signed."""
    there = (judged.commit, judged.use_onnx, sorted((file.path, file.sha256) for file in judged.weights))
    return there == (release.commit, release.use_onnx, sorted(weights_of(release)))
