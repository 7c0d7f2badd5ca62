"""The model is a service that runs already, at an address: it is called, and neither started, confined nor ended."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import httpx

from penstock.contract.models import Case, Contract
from penstock.invocation.http_exchange import BrokenExchangeError, exchange
from penstock.invocation.log import BoundedLog
from penstock.invocation.model import CallResult
from penstock.invocation.service_address import ServiceAddress, look_for

MAX_BROKEN = 3
"""Calls in a row without a whole answer; then the service is called no more."""


class RunningService:
    """See :class:`penstock.invocation.model.Model`.

    Raises:
        WorldError: nothing listens at the address.
    """

    def __init__(self, contract: Contract, address: ServiceAddress, log: BoundedLog) -> None:
        """Look whether something listens there. No proxy is used, and no redirect is followed.

        Args:
            contract: its ``call.http`` says what is sent; how a service is started is not looked at.
            address: without the paths of the contract's calls.
            log: gets a line for each call.
        """
        self._contract = contract
        self._address = address
        self._log = log
        self._broken = 0
        self._lock = threading.Lock()
        look_for(address)
        # the trust store of this machine: the user's own services may be signed by an authority of his own
        self._client = httpx.Client(trust_env=False, follow_redirects=False, verify=ssl.create_default_context())

    @property
    def warm(self) -> bool:
        """It runs already."""
        return True

    def revive(self) -> int:
        """It cannot be started from here."""
        return 1

    def others_took(self, gpu_mib: float) -> None:
        """Its memory is not seen from here."""

    def close(self) -> None:
        self._client.close()

    def call(
        self, case: Case, inputs: dict[str, Path], output: Path, timeout_s: float, *, name: str = ""
    ) -> CallResult:
        with self._lock:
            if self._broken >= MAX_BROKEN:
                why = f"the service gave no whole answer {MAX_BROKEN} times in a row: it is not called again"
                return CallResult("failed", error=why, refusal="otherwise" if case.expect else None)
        self._log.note(f"case {case.name}: {name}" if name else f"case {case.name}")
        try:
            result = exchange(
                self._client, str(self._address), self._contract, case, inputs, output, timeout_s, name=name
            )
        except BrokenExchangeError as broken:
            said = f"the connection to the service broke: {broken.reason}"
            result = broken.result(f"the service did not answer within {timeout_s:g} s" if broken.expired else said)
        with self._lock:
            self._broken = self._broken + 1 if result.broken_off else 0
        return result
