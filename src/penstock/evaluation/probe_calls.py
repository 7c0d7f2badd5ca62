"""One case put to both live services, one directly after the other: a pair of probes."""

from __future__ import annotations

import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from penstock.bundle.directory import Bundle
from penstock.contract.export_faults import agreement_of
from penstock.contract.load import load_contract, load_suite
from penstock.contract.models import CONTRACT_FILE, Case, Contract, Suite
from penstock.contract.request import calls_of, http_of, parameters
from penstock.evaluation.answers_apart import AnswersApart
from penstock.evaluation.case_answers import answer_files, answers_among
from penstock.evaluation.confined_comparison import confined_answers_apart
from penstock.evaluation.filled_parameters import filled_parameters, with_parameters
from penstock.evaluation.infer import OUTPUT_NAME, output_suffixes
from penstock.evaluation.inputs import check_case, input_paths
from penstock.evaluation.measure_cache import suite_digest
from penstock.families.family import Agreement
from penstock.foundation.errors import UsageError, one_line
from penstock.invocation.http_exchange import BrokenExchangeError, exchange
from penstock.invocation.service_address import ServiceAddress, read_address
from penstock.watch.probe_pairs import ProbeAnswer, ProbePair, SideName
from penstock.watch.probe_policy import ProbePolicy

HEADER: Final = "X-Penstock-Probe"
"""Every request of a probe has it, with the pair's number: by it a service's own counters can leave probes out."""
MAX_ERROR: Final = 300


@dataclass(frozen=True)
class ProbedSuite:
    """What is put to both sides, checked before anything is sent."""

    contract: Contract
    suite: Suite
    inputs: Mapping[str, Mapping[str, Path]]
    """Case → its files."""
    agreement: Agreement | None = None
    """How answers are compared with those on record; ``None``: they are not."""
    recorded: Mapping[str, Mapping[str, Path]] | None = None
    """Case → the released answer, by the name of the call; cases without one are missing."""


def read_probed_suite(policy: ProbePolicy, base: Path) -> ProbedSuite:
    """The suite of the policy's repository, and the answers on record.

    Args:
        policy: says where they are.
        base: what its paths are relative to.

    Raises:
        UsageError: the contract calls no service; a file is missing; the record is damaged, or of another suite or
            model; the family cannot compare answers.
    """
    bundle = Bundle(base / policy.recorded) if policy.recorded is not None else None
    if bundle is not None:
        bundle.verify()
    return probed_suite(base / policy.repository, bundle, slice_name=policy.slice or "")


def probed_suite(source: Path, record: Bundle | None, *, slice_name: str = "") -> ProbedSuite:
    """The suite in a folder, and the answers in a bundle of which calls and outputs are known to be whole.

    Args:
        source: holds ``penstock.yaml`` and the suite.
        record: of the release that is the canary; ``None``: answers are not compared.
        slice_name: only cases that carry it; empty: all.

    Raises:
        UsageError: as of :func:`read_probed_suite`.
    """
    contract = load_contract(source)
    http_of(contract)
    whole = load_suite(source, contract)
    suite = with_parameters(whole, filled_parameters(contract, whole, source)).only(slice_name)
    seen: set[Path] = set()
    for case in suite.cases:
        check_case(contract, source, case, seen)
    inputs = {case.name: input_paths(contract, source, case) for case in suite.cases}
    if record is None:
        return ProbedSuite(contract, suite, inputs)
    _check_record(record, contract, suite_digest(source, contract, whole))
    recorded = {
        call.case: answer_files(record, call) for call in record.invocations() if call.status == "ok" and call.outputs
    }
    if not any(case.name in recorded and case.expect is None for case in suite.cases):
        raise UsageError("it has no answer to a case that is put", where=str(record.path), todo="Leave 'recorded' out.")
    agreement = agreement_of(contract)
    limits = {**agreement.limits, **(contract.export.limits if contract.export is not None else {})}
    return ProbedSuite(contract, suite, inputs, Agreement(limits, agreement.compare), recorded)


def _check_record(bundle: Bundle, contract: Contract, digest: str) -> None:
    run = bundle.run()
    if run.model != contract.name:
        what = f"the record is of '{one_line(run.model)[:80]}', and the contract of '{contract.name}'"
        raise UsageError(what, where=str(bundle.path), todo="Give the bundle of the canary's release.")
    if run.suite is None or run.suite.digest != digest:
        raise UsageError(
            "the record is of another suite: its answers are to other cases",
            where=str(bundle.path),
            todo=f"Check out the commit of the canary's release beside {CONTRACT_FILE}.",
        )


@dataclass(frozen=True)
class Lots:
    """Which case, and which side first, of the pair with a number: the same number and seed, the same lots.

    Each case is drawn anew from all of them: in a fixed turn what comes next would depend on what has been.
    """

    seed: int
    cases: int

    def draw(self, number: int) -> tuple[int, bool]:
        """The place of the case, and whether the canary is first."""
        rng = np.random.default_rng([self.seed, number])
        return int(rng.integers(self.cases)), bool(rng.integers(2))


class ProbeCalls:
    """Puts pairs of probes. Use as a context manager.

    Args:
        probed: what is put.
        policy: where both sides are, and the seed.
        clock: Unix seconds; the watch's.
        compare: an answer with the one on record; within a time, since it is hostile.

    Raises:
        UsageError: an address is none.
    """

    def __init__(
        self,
        probed: ProbedSuite,
        policy: ProbePolicy,
        clock: Callable[[], float] = time.time,
        *,
        compare: Callable[..., AnswersApart] = confined_answers_apart,
    ) -> None:
        self._probed, self._clock, self._compare = probed, clock, compare
        self._addresses: dict[SideName, ServiceAddress] = {
            "canary": read_address(policy.canary, where="probes.canary"),
            "stable": read_address(policy.stable, where="probes.stable"),
        }
        self._lots = Lots(policy.seed, len(probed.suite.cases))
        self._suffixes = output_suffixes(probed.contract)
        # nothing is kept alive: a connection that was closed in the meantime would pass for a failure of the service
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            verify=ssl.create_default_context(),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> ProbeCalls:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def put(self, number: int) -> ProbePair:
        """Put the case of a pair to both sides. Whatever a service does is a result, and all waiting is limited.

        Raises:
            UsageError: a file of the suite, or of the record, is gone.
            WorldError: the disk is full; nothing can be compared on this machine.
        """
        place, canary_first = self._lots.draw(number)
        case = self._probed.suite.cases[place]
        order: tuple[SideName, SideName] = ("canary", "stable") if canary_first else ("stable", "canary")
        self._client.headers[HEADER] = str(number)
        with tempfile.TemporaryDirectory(prefix="penstock-probe-") as folder:
            answers, outputs = {}, {}
            for side in order:
                answers[side], outputs[side] = self._ask(side, case, Path(folder) / side)
            ended = self._clock()
            recorded = (self._probed.recorded or {}).get(case.name)
            compared = recorded is not None and not answers["canary"].failed and case.expect is None
            differs = self._differs(case, recorded, outputs["canary"]) if compared and recorded is not None else None
        return ProbePair(ended, case.name, order[0], answers["canary"], answers["stable"], compared, differs)

    def _ask(self, side: SideName, case: Case, folder: Path) -> tuple[ProbeAnswer, dict[str, Path]]:
        """All calls of a case, up to the first that is not answered."""
        folder.mkdir()
        # a cookie is the case's at most: one of the canary's may be for a domain that the stable side is in, too, and
        # lead its requests elsewhere or have them refused
        self._client.cookies.clear()
        contract, seconds, outputs = self._probed.contract, 0.0, {}
        for name in self._calls(case):
            output = folder / f"{name or OUTPUT_NAME}{self._suffixes[name]}"
            try:
                result = exchange(
                    self._client,
                    str(self._addresses[side]),
                    contract,
                    case,
                    dict(self._probed.inputs[case.name]),
                    output,
                    contract.call.timeout_s,
                    name=name,
                )
            except BrokenExchangeError as broken:
                said = f"the connection broke: {broken.reason}"
                late = f"no answer within {contract.call.timeout_s:g} s"
                return ProbeAnswer(None, one_line(late if broken.expired else said)[:MAX_ERROR]), {}
            if result.status != "ok":
                return ProbeAnswer(None, one_line(result.error or result.status)[:MAX_ERROR]), {}
            seconds += result.latency_s or 0.0
            if result.refusal is not None:
                break
            outputs[name] = output
        return ProbeAnswer(max(1000 * seconds, 1e-3)), outputs

    def _calls(self, case: Case) -> Iterator[str]:
        yield from calls_of(http_of(self._probed.contract), case)

    def _differs(self, case: Case, recorded: Mapping[str, Path], outputs: Mapping[str, Path]) -> str | None:
        """How the canary's answer differs from the one on record by more than the limits."""
        agreement = self._probed.agreement
        if agreement is None:
            return None
        live, given = answers_among(outputs), parameters(self._probed.contract, case)
        fault = self._compare(agreement.compare, agreement.limits, recorded, live, given).fault
        return None if fault is None else one_line(fault)[:MAX_ERROR]
