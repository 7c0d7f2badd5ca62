"""Sidecars: processes beside the steps. The steps start when every sidecar is ready or has ended."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass

from penstock.foundation.errors import WorldError
from penstock.tekton.manifest_task import Probe, Sidecar, TaskSpec
from penstock.tekton.run_json import Event
from penstock.tekton.step_log import StepLog
from penstock.tekton.step_run import StepFaultError, Surroundings, command_of, environment_of, working_directory
from penstock.tekton.substitution import expand
from penstock.tekton.supervisor import Command, Ending, Outcome, Stop, run_command

_FIRST_PROBES_S = 0.1
"""A kubelet probes once a period; here the first probes come sooner, which changes only how long one waits."""


@dataclass
class _State:
    started: float
    ready: bool = False
    outcome: Outcome | None = None
    error: WorldError | None = None


class Sidecars:
    """The sidecars of one attempt."""

    def __init__(self, spec: TaskSpec, around: Surroundings) -> None:
        self.around = around
        self.stop = Stop()
        self.changed = threading.Condition()
        self.sidecars = spec.sidecars
        self.states = [_State(time.monotonic()) for _ in spec.sidecars]
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start all of them."""
        for index, sidecar in enumerate(self.sidecars):
            self._thread(self._run, index, sidecar)
            if sidecar.readiness_probe is None:
                self.states[index].ready = True
            else:
                self._thread(self._probe, index, sidecar)

    def wait_ready(self) -> Ending:
        """Wait until the steps may start. Returns STOPPED or TIMED_OUT if that came first, else EXITED."""
        while True:
            with self.changed:
                if all(state.ready or state.outcome is not None for state in self.states):
                    return Ending.EXITED
                deadline = self.around.deadline
                if deadline is not None and time.monotonic() >= deadline:
                    return Ending.TIMED_OUT
                if self.around.stop.requested:
                    return Ending.STOPPED
                left = 0.1 if deadline is None else min(0.1, deadline - time.monotonic())
                self.changed.wait(max(left, 0))

    def ended(self) -> list[tuple[str, int]]:
        """The sidecars that have ended by themselves: name and exit code."""
        with self.changed:
            return [
                (sidecar.name, state.outcome.exit_code)
                for sidecar, state in zip(self.sidecars, self.states, strict=True)
                if state.outcome is not None
            ]

    def close(self) -> None:
        """End all of them and wait until they are gone.

        Raises:
            WorldError: one of them could not be run for a reason of this machine.
        """
        self.stop.set("the steps have ended", hurry=self.around.stop.hurry)
        for thread in self.threads:
            thread.join()
        self.stop.close()
        for state in self.states:
            if state.error is not None:
                raise state.error

    def _thread(self, target: object, index: int, sidecar: Sidecar) -> None:
        thread = threading.Thread(target=target, args=(index, sidecar), daemon=True)  # type: ignore[arg-type]
        self.threads.append(thread)
        thread.start()

    def _run(self, index: int, sidecar: Sidecar) -> None:
        around = self.around
        suffix = f".retry-{around.attempt}" if around.attempt else ""
        name = f"sidecar-{sidecar.name or index}"

        def show(stream: str, line: str) -> None:
            around.emit(Event("output", around.pipeline_task, around.task_run, name, stream, line))

        outcome = Outcome(Ending.NOT_STARTED, 1)
        try:
            with StepLog(around.logs / f"{index}-{_file_name(name)}{suffix}.log", show) as log:
                try:
                    outcome = run_command(self._command(index, sidecar), sink=log.write, stop=self.stop)
                    if outcome.ending is Ending.NOT_STARTED:
                        log.say(f"Error executing command: {outcome.error}")
                except StepFaultError as fault:
                    log.say(str(fault))
        except WorldError as error:
            self.states[index].error = error
        with self.changed:
            self.states[index].outcome = outcome
            self.changed.notify_all()

    def _command(self, index: int, sidecar: Sidecar) -> Command:
        around = self.around
        environment, own = environment_of(sidecar, around.environment)
        argv = command_of(sidecar, sidecar.script, around.places.root / "scripts" / f"sidecar-script-{index}", own)
        cwd = working_directory(sidecar, around.places.root / "cwd" / f"sidecar-{index}", around.writable)
        return Command(argv, environment, cwd)

    def _probe(self, index: int, sidecar: Sidecar) -> None:
        probe = sidecar.readiness_probe
        assert probe is not None  # noqa: S101
        successes = failures = 0
        pause = float(probe.initial_delay_seconds)
        while not self.stop.wait(pause) and not self.around.stop.requested:
            with self.changed:
                if self.states[index].outcome is not None:
                    return
            good = self._check(sidecar, probe, index)
            successes, failures = (successes + 1, 0) if good else (0, failures + 1)
            ready = self.states[index].ready
            with self.changed:
                if successes >= probe.success_threshold and not ready:
                    self.states[index].ready = True
                    self.changed.notify_all()
                    # once the steps have started, readiness changes nothing any more
                    return
            pause = min(_FIRST_PROBES_S * (1 + failures), float(probe.period_seconds))

    def _check(self, sidecar: Sidecar, probe: Probe, index: int) -> bool:
        timeout = float(probe.timeout_seconds)
        if probe.exec is not None:
            return self._exec(sidecar, probe.exec.command, timeout, index)
        target = probe.http_get or probe.tcp_socket
        if target is None:
            return True
        port = target.port
        if isinstance(port, str):
            port = next((item.container_port for item in sidecar.ports if item.name == port), 0)
        # it takes as long to import as a step takes to start, and few tasks have sidecars
        import http.client

        try:
            if probe.http_get is None:
                with socket.create_connection(("127.0.0.1", port), timeout):
                    return True
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
            try:
                headers = {header.name: header.value for header in probe.http_get.http_headers}
                path = probe.http_get.path if probe.http_get.path.startswith("/") else f"/{probe.http_get.path}"
                connection.request("GET", path, headers={"User-Agent": "kube-probe/1.0", **headers})
                return 200 <= connection.getresponse().status < 400
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError, OverflowError):
            return False

    def _exec(self, sidecar: Sidecar, command: list[str], timeout: float, index: int) -> bool:
        if not command:
            return False
        environment, own = environment_of(sidecar, self.around.environment)
        argv = [expand(argument, own.get) for argument in command]
        try:
            cwd = working_directory(sidecar, self.around.places.root / "cwd" / f"sidecar-{index}", self.around.writable)
        except StepFaultError:
            return False
        deadline = time.monotonic() + timeout
        outcome = run_command(
            Command(argv, environment, cwd),
            sink=lambda _stream, _data: None,
            stop=self.stop,
            deadline=deadline,
            grace_s=0,
        )
        return outcome.ending is Ending.EXITED and outcome.exit_code == 0


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in name)[:80]


def _ignore(_stream: str, _data: bytes) -> None:
    """What a probe prints is not kept."""
