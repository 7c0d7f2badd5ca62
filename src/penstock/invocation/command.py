"""The model is a program: started once a case."""

from __future__ import annotations

import time
from pathlib import Path

from penstock.contract.models import Case, Contract
from penstock.contract.request import command_argv, command_of
from penstock.foundation.handles import Folder
from penstock.foundation.nvidia import gpu_used_mib
from penstock.invocation.log import BoundedLog
from penstock.invocation.memory import MemoryWatch
from penstock.invocation.model import CallResult
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox
from penstock.invocation.scratch import CALL, Scratch, collect


class CommandModel:
    """See :class:`penstock.invocation.model.Model`. The program writes into a directory of the call, which is new
    and removed after; only the one file that it was asked for is taken, once all its processes have ended, through a
    handle of that directory which was opened before the program was started.
    """

    def __init__(self, contract: Contract, sandbox: Sandbox, scratch: Scratch, log: BoundedLog) -> None:
        self._contract = contract
        self._command = command_of(contract)
        self._sandbox = sandbox
        self._scratch = scratch
        self._log = log
        self._gpu_before = gpu_used_mib()

    @property
    def warm(self) -> bool:
        """Never: each call starts the program, and its latency says so."""
        return False

    def revive(self) -> int:
        """Always once: there is nothing that could be gone."""
        return 1

    def others_took(self, gpu_mib: float) -> None:
        if self._gpu_before is not None:
            self._gpu_before += gpu_mib

    def close(self) -> None:
        """Nothing runs between calls."""

    def call(
        self,
        case: Case,
        inputs: dict[str, Path],
        output: Path,
        timeout_s: float,
        *,
        name: str = "",  # noqa: ARG002 (a program has one call)
    ) -> CallResult:
        file = f"output{self._command.output}"
        argv = command_argv(self._contract, case, {**inputs, "output": self._scratch.path / CALL / file})
        self._log.mark()
        self._log.note(f"case {case.name}: {' '.join(argv)}")
        with self._scratch.call() as folder:
            return self._run(argv, folder, file, output, timeout_s)

    def _run(self, argv: list[str], folder: Folder, name: str, output: Path, timeout_s: float) -> CallResult:
        begin = time.monotonic()
        with ModelProcess(argv, self._sandbox, self._log) as process:
            with MemoryWatch(process.supervisor, gpu_before_mib=self._gpu_before) as watch:
                ended = process.wait(timeout_s)
                latency = time.monotonic() - begin
            if ended is not None:
                watch.include(ended.max_rss_mib)
        memory = watch.peak_mib
        if ended is None:
            text = f"the model did not end within {timeout_s:g} s"
            return CallResult("timeout", peak_memory_mib=memory, gpu_memory_mib=watch.gpu_mib, error=text)
        problem: str | None
        if ended.code != 0:
            problem = f"the model {describe_exit(ended.code)}; the end of its log: {self._log.end()}"
        elif (problem := collect(folder, name, output)) is not None:
            problem = f"{problem}; the end of its log: {self._log.end()}"
        return CallResult(
            "ok" if problem is None else "failed",
            latency_s=latency,
            exit_code=ended.code,
            peak_memory_mib=memory,
            gpu_memory_mib=watch.gpu_mib,
            error=problem,
        )
