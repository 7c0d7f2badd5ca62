"""Whether the parts of an environment fit together: what is known in, findings out. Nothing is read or started here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from penstock.bundle.environment_record import (
    MAX_FINDINGS,
    DriverNeed,
    EnvironmentFault,
    EnvironmentFinding,
    EnvironmentRecord,
    Severity,
)
from penstock.environment.cuda_table import oldest_driver
from penstock.environment.facts import EnvironmentFacts, FoundVersion
from penstock.environment.gpu_wheels import TABLE, GpuWheel, gpu_wheels
from penstock.environment.locale_of import encoding_fault, stated_locale
from penstock.environment.wheels import Wheel, allows, release_of, unfit_tag
from penstock.foundation.errors import one_line

MAX_PACKAGES = 2000
MAX_TEXT = 600
MAX_NOT_JUDGED = 50
MAX_OF_A_KIND = 10
"""Findings that are listed of one kind; the others are counted in the last one."""
MODULES = {"onnxruntime": ("onnxruntime", "onnxruntime-gpu"), "cv2": ("opencv-python", "opencv-python-headless")}
"""A module → the packages that bring it: of two, the one that was installed last is what is imported."""


def judge(
    facts: EnvironmentFacts,
    *,
    service: bool = False,
    network: Sequence[str] = (),
    weights: Mapping[str, str] | None = None,
) -> EnvironmentRecord:
    """Judge an environment. The driver is none of it: which one there is, is known where the model runs.

    Args:
        facts: what was read.
        service: the model is a service, which somebody has to be able to ask how it is.
        network: the hosts of ``call.network``.
        weights: variables that name a file where weights are mounted and none is: name → value.
    """
    gpu, unknown = gpu_wheels(facts.wheels, facts.build_info)
    findings = [
        *(finding for each in gpu for finding in _cuda(each, facts)),
        *_python(facts),
        *_locale(facts),
        *_twice(facts.wheels),
        *_settings(facts, service=service, network=network, weights=weights or {}),
    ]
    return EnvironmentRecord(
        read=facts.read,
        image=facts.digest,
        python=[_dotted(python) for python in facts.pythons or []],
        packages={wheel.name: wheel.version for wheel in facts.wheels[:MAX_PACKAGES]},
        cuda=[one_line(str(found)) for found in facts.cudart or []],
        cudnn=[one_line(str(found)) for found in facts.cudnn or []],
        locale=one_line(stated_locale(facts.environment or {}))[:200],
        user=one_line(facts.user or "")[:200],
        healthcheck=one_line(facts.healthcheck or "")[:500],
        layers=facts.layers,
        needs=list(_needs(gpu)),
        compat=facts.compat,
        findings=ordered(findings),
        not_judged=[one_line(text)[:MAX_TEXT] for text in islice(_not_judged(facts, unknown), MAX_NOT_JUDGED)],
    )


def ordered(findings: Iterable[EnvironmentFinding]) -> list[EnvironmentFinding]:
    """Errors first; of one kind the first ten."""
    kept: list[EnvironmentFinding] = []
    for finding in sorted(findings, key=lambda each: each.severity):
        of_kind = sum((each.kind, each.severity) == (finding.kind, finding.severity) for each in kept)
        if of_kind < MAX_OF_A_KIND and len(kept) < MAX_FINDINGS:
            kept.append(finding)
    return kept


def finding_of(kind: EnvironmentFault, severity: Severity, what: str, todo: str = "") -> EnvironmentFinding:
    """A finding whose text is safe to print."""
    return EnvironmentFinding(
        kind=kind, severity=severity, what=one_line(what)[:MAX_TEXT], todo=one_line(todo)[:MAX_TEXT]
    )


def _cuda(gpu: GpuWheel, facts: EnvironmentFacts) -> Iterator[EnvironmentFinding]:
    """CUDA and cuDNN beside a wheel: of the major version that it was built for."""
    if gpu.evidence == TABLE and facts.other_index:
        return
    if not _there(gpu.cuda, facts.cudart):
        yield _lacks(gpu, f"CUDA {gpu.cuda}", facts.cudart)
    elif not _there(gpu.cuda, facts.cublas):
        yield _lacks(gpu, f"CUDA's libcublas {gpu.cuda}", facts.cublas)
    if gpu.cudnn is not None and not _there(gpu.cudnn, facts.cudnn) and (facts.cudnn or facts.cudart):
        yield _lacks(gpu, f"cuDNN {gpu.cudnn}", facts.cudnn)


def _there(major: int, found: Sequence[FoundVersion] | None) -> bool:
    """Whether a major version is there, or may be."""
    return found is None or any(each.major == major for each in found)


def _lacks(gpu: GpuWheel, what: str, there: Sequence[FoundVersion] | None) -> EnvironmentFinding:
    has = ", ".join(map(str, (there or ())[:3])) or "none"
    cudnn = f" and cuDNN {gpu.cudnn}" if gpu.cudnn is not None else ""
    todo = f"Take a base image with CUDA {gpu.cuda}{cudnn}, or a version of {gpu.wheel.name} that fits what is there."
    return finding_of("cuda", "error", f"{gpu.wheel} needs {what} ({gpu.evidence}), and the image has {has}", todo)


def _needs(gpu: Iterable[GpuWheel]) -> Iterator[DriverNeed]:
    for each in gpu:
        driver = oldest_driver(each.cuda)
        if driver is not None:
            yield DriverNeed(wheel=str(each.wheel), cuda=each.cuda, driver=driver)


def _python(facts: EnvironmentFacts) -> Iterator[EnvironmentFinding]:
    """Wheels for another Python, processor or C library than there is."""
    for wheel in facts.wheels:
        python = python_of(wheel.folder)
        if python is None:
            continue
        if facts.pythons and python not in facts.pythons:
            there = ", ".join(map(_dotted, facts.pythons))
            what = f"{wheel} lies in {wheel.folder}, and the image has Python {there}"
            yield finding_of("python", "error", what, "Install it with the Python that the model runs on.")
            continue
        reason = unfit_tag(wheel.tags, python, facts.processor, musl=facts.musl)
        if reason is None and not allows(wheel.requires_python, python):
            reason = f"it asks for Python {wheel.requires_python[:100]}, and lies in that of {_dotted(python)}"
        if reason is not None:
            todo = "Install it in the stage that runs, with the Python that the model runs on."
            yield finding_of("python", "error", f"{wheel} cannot be imported: {reason}", todo)


def python_of(folder: str) -> tuple[int, int] | None:
    """The Python whose packages a folder holds: ``usr/local/lib/python3.11/site-packages``."""
    for part in reversed(folder.split("/")):
        if part.startswith("python3."):
            numbers = release_of(part.removeprefix("python"))
            return (numbers[0], numbers[1]) if len(numbers) == 2 else None
    return None


def _locale(facts: EnvironmentFacts) -> Iterator[EnvironmentFinding]:
    if facts.environment is None:
        return
    fault = encoding_fault(facts.environment)
    if fault is not None:
        severity, what = fault
        yield finding_of("locale", severity, what, "Write 'ENV LANG=C.UTF-8' in the Containerfile.")


def _twice(wheels: Sequence[Wheel]) -> Iterator[EnvironmentFinding]:
    names = {wheel.name for wheel in wheels}
    for module, packages in MODULES.items():
        if names.issuperset(packages):
            what = f"{' and '.join(packages)} both bring the module {module}: the one that was installed last counts"
            yield finding_of("twice", "warning", what, "Install one of them.")


def _settings(
    facts: EnvironmentFacts, *, service: bool, network: Sequence[str], weights: Mapping[str, str]
) -> Iterator[EnvironmentFinding]:
    if facts.user is not None and facts.user.partition(":")[0] in ("", "root", "0"):
        yield finding_of("user", "warning", "the image runs as root", "Write 'USER 10001:10001' in the Containerfile.")
    if service and facts.healthcheck == "":
        what = "the recipe has no HEALTHCHECK"
        yield finding_of("healthcheck", "warning", what, "Write one that asks the service whether it is ready.")
    if network:
        what = f"the model needs a network: call.network names {', '.join(network[:5])}"
        yield finding_of("network", "warning", what, "Put what it fetches into the image, or among the weights.")
    for name, value in weights.items():
        what = f"the variable {name} names {value[:200]}, where weights are mounted and no weights of the contract lie"
        yield finding_of("weights", "warning", what, "Correct it, or the path in 'weights'.")


def _not_judged(facts: EnvironmentFacts, unknown: Sequence[Wheel]) -> Iterator[str]:
    named = [wheel.name for wheel in facts.wheels]
    for name in facts.unpinned:
        if name in ("onnxruntime-gpu", "torch") and name not in named:
            yield f"CUDA of {name}: the requirements name no version of it"
    for wheel in unknown:
        yield f"CUDA of {wheel}: neither it nor Penstock's table says what it was built for"
    if facts.other_index and any(name in ("onnxruntime-gpu", "torch") for name in named):
        yield "CUDA of packages from another index than PyPI, unless their version says it"
    for file in facts.unread:
        yield f"packages of {file}, which the recipe installs and the repository does not have"
    if facts.read == "image" and not facts.pythons and facts.wheels:
        yield "wheels against the image's Python: none was found"
    if facts.read == "recipe":
        yield "wheels against the image's Python: no image was built, and none are there"
        if facts.cudart is None and any(name in ("onnxruntime-gpu", "torch") for name in named):
            yield "CUDA beside the packages: the base image's name does not tell, or the recipe installs some"
        if facts.environment is None:
            yield "the locale: what the base image sets is not known"
        if facts.user is None:
            yield "the user: what the base image sets is not known"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def majors(found: Iterable[int], where: str) -> list[FoundVersion]:
    """Major versions of which no more is known."""
    return [FoundVersion(str(major), where) for major in sorted(found)]
