"""The programs that we build ourselves from pinned Go modules, kept by digest outside the checkout."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.foundation.errors import UsageError, WorldError

MODULES_DIR = Path(__file__).parent / "go"
STRIP = "-s -w"
KUBERNETES_VERSION = "v1.36.3"
_KUBERNETES_FLAGS = (
    f"{STRIP} -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}"
    f" -X k8s.io/component-base/version.gitMajor={KUBERNETES_VERSION[1:].split('.')[0]}"
    f" -X k8s.io/component-base/version.gitMinor={KUBERNETES_VERSION[1:].split('.')[1]}"
)


@dataclass(frozen=True)
class Group:
    """Programs of one module that are built in one call: name in our cache → Go package."""

    flags: str
    packages: Mapping[str, str]
    tags: str = ""
    """Go's build tags; a group with any is built with cgo, which SQLite is why they are asked for."""


@dataclass(frozen=True)
class Module:
    """A folder below ``go/`` with its ``go.mod`` and ``go.sum``."""

    name: str
    groups: tuple[Group, ...]
    cuts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File of a dependency, as below ``vendor/`` → patterns whose matches are left out of it before it is compiled."""
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Go module → folders of it that its program reads as it runs: copied beside the program."""

    @property
    def folder(self) -> Path:
        """Where ``go.mod`` and ``go.sum`` lie."""
        return MODULES_DIR / self.name

    @property
    def programs(self) -> list[str]:
        """Every program, as ``Settings.binary`` names it."""
        return [name for group in self.groups for name in group.packages]


def _below(prefix: str, base: str, *names: str) -> dict[str, str]:
    return {f"{prefix}{name}": f"{base}/{name}" for name in names}


MODULES = (
    Module(
        "kubernetes",
        (
            Group(
                _KUBERNETES_FLAGS,
                _below(
                    "",
                    "k8s.io/kubernetes/cmd",
                    "kube-apiserver",
                    "kube-controller-manager",
                    "kube-scheduler",
                    "kubelet",
                    "kubectl",
                    "kube-proxy",
                ),
            ),
        ),
    ),
    Module("coredns", (Group(STRIP, {"coredns": "github.com/coredns/coredns"}),)),
    Module(
        "kube-router", (Group(STRIP, {"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"}),)
    ),
    Module(
        "tekton",
        (
            Group(
                STRIP,
                _below(
                    "pipeline/",
                    "github.com/tektoncd/pipeline/cmd",
                    "controller",
                    "webhook",
                    "events",
                    "resolvers",
                    "entrypoint",
                    "nop",
                    "workingdirinit",
                    "sidecarlogresults",
                ),
            ),
            Group(
                STRIP,
                _below(
                    "triggers/",
                    "github.com/tektoncd/triggers/cmd",
                    "controller",
                    "webhook",
                    "eventlistenersink",
                    "interceptors",
                ),
            ),
            Group(
                f"{STRIP} -X github.com/tektoncd/cli/pkg/cmd/version.clientVersion=0.46.0",
                {"tkn": "github.com/tektoncd/cli/cmd/tkn"},
            ),
        ),
    ),
    Module("versitygw", (Group(STRIP, {"versitygw": "github.com/versity/versitygw/cmd/versitygw"}),)),
    Module(
        "gitea",
        (
            Group(
                f"{STRIP} -X main.Version=1.26.0", {"gitea": "code.gitea.io/gitea"}, tags="sqlite sqlite_unlock_notify"
            ),
        ),
        data={"code.gitea.io/gitea": ("options", "public", "templates")},
    ),
    Module(
        "tools",
        (Group(STRIP, {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform", "kind": "sigs.k8s.io/kind"}),),
    ),
)

CANARY = (
    Module(
        "argo-rollouts",
        (Group(STRIP, {"rollouts-controller": "github.com/argoproj/argo-rollouts/cmd/rollouts-controller"}),),
    ),
    Module(
        "traefik",
        (Group(STRIP, {"traefik": "github.com/traefik/traefik/v3/cmd/traefik"}),),
        # no certificate is asked for here, and the clients of 190 DNS providers are a third of all packages
        cuts={
            "github.com/go-acme/lego/v4/providers/dns/zz_gen_dns_providers.go": (
                r'\t"github\.com/go-acme/lego/v4/providers/dns/.*\n',
                r"\tcase .*\n\t\treturn \w+\.NewDNSProvider\(\)\n",
            )
        },
    ),
)
"""What only the tests of a canary need: built when these ask for it."""
ADMISSION = Module(
    "policy-controller",
    (Group(STRIP, {"policy-controller/webhook": "github.com/sigstore/policy-controller/cmd/webhook"}),),
)
"""What only the tests of admission need."""
CHAINS = Module("chains", (Group(STRIP, {"chains/controller": "github.com/tektoncd/chains/cmd/controller"}),))
"""What only the tests of provenance need."""


def path(cache: Path, name: str) -> Path:
    """Where the program ``name`` lies once it is built."""
    for module in (*MODULES, *CANARY, ADMISSION, CHAINS):
        if name in module.programs:
            return folder(cache, module) / name
    raise UsageError(
        f"no program of ours is called '{name}'", where="tests/cluster/binaries.py", todo="Add it to MODULES."
    )


def folder(cache: Path, module: Module) -> Path:
    """The cache folder of a module: a change in its pins, its flags or the Go release makes another one."""
    return cache / "cluster" / "bin" / f"{module.name}-{digest(module, go_version())[:12]}"


def digest(module: Module, go: str) -> str:
    """SHA-256 of all that decides what a build makes."""
    parts: list[str] = [go, json.dumps([[group.flags, sorted(group.packages.items())] for group in module.groups])]
    parts += [json.dumps(more) for more in ([group.tags for group in module.groups if group.tags], module.cuts) if more]
    parts += [json.dumps(module.data)] if module.data else []
    parts += [hashlib.sha256((module.folder / name).read_bytes()).hexdigest() for name in ("go.mod", "go.sum")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def missing(cache: Path, modules: Sequence[Module] = MODULES) -> list[Module]:
    """Modules that are not built yet."""
    return [module for module in modules if not folder(cache, module).is_dir()]


def build_missing(cache: Path, modules: Sequence[Module] = MODULES) -> None:
    """Build what the cache lacks, one module after the other; a module's folder is there whole or not at all."""
    todo = missing(cache, modules)
    if todo:
        require_go()
    for position, module in enumerate(todo, start=1):
        names = ", ".join(module.programs)
        print(f"cluster: building {module.name} ({position} of {len(todo)}): {names}", flush=True)  # noqa: T201
        began = time.monotonic()
        _build(cache, module)
        print(f"cluster: built {module.name} in {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201


def _build(cache: Path, module: Module) -> None:
    target = folder(cache, module)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Left by a build that was killed; nothing else builds now, the caller holds the lock.
    for stale in target.parent.glob(f".{module.name}-*"):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=f".{module.name}-", dir=target.parent) as temporary:
        staging = Path(temporary) / "bin"
        source = _cut(module, Path(temporary) / "source") if module.cuts else module.folder
        for group in module.groups:
            for directory in {(staging / name).parent for name in group.packages}:
                directory.mkdir(parents=True, exist_ok=True)
                packages = [package for name, package in group.packages.items() if (staging / name).parent == directory]
                argv = [
                    "go",
                    "build",
                    "-trimpath",
                    "-buildvcs=false",
                    "-mod=vendor" if module.cuts else "-mod=readonly",
                    *(["-tags", group.tags] if group.tags else []),
                    "-ldflags",
                    group.flags,
                    "-o",
                    f"{directory}/",
                    *packages,
                ]
                _run_go(argv, source, cgo=bool(group.tags))
        absent = [name for name in module.programs if not (staging / name).is_file()]
        if absent:
            raise WorldError(f"go build made no {', '.join(absent)}", where=str(module.folder))
        for name, folders in module.data.items():
            upstream = Path(_run_go(["go", "list", "-m", "-f", "{{.Dir}}", name], source).strip())
            for one in folders:
                shutil.copytree(upstream / one, staging / one, copy_function=shutil.copyfile)
        staging.rename(target)


def _cut(module: Module, source: Path) -> Path:
    """A copy of the module with its dependencies beside it, and the cuts made in them; returns where it is.

    Raises:
        WorldError: a pattern matches nothing: the dependency has changed.
    """
    shutil.copytree(module.folder, source)
    packages = [package for group in module.groups for package in group.packages.values()]
    imports = "\n".join(f'import _ "{package}"' for package in packages)
    (source / "programs.go").write_text(f"package programs\n\n{imports}\n")
    _run_go(["go", "mod", "vendor"], source)
    for name, patterns in module.cuts.items():
        file = source / "vendor" / name
        text = file.read_text()
        for pattern in patterns:
            text, count = re.subn(pattern, "", text)
            if not count:
                raise WorldError(f"nothing matches {pattern!r}", where=name, todo="Adapt the cuts of the module.")
        file.write_text(text)
    return source


def _run_go(argv: list[str], folder: Path, *, cgo: bool = False) -> str:
    environment = _go_environment() | ({"CGO_ENABLED": "1"} if cgo else {})
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join(f"  | {line}" for line in done.stderr.splitlines()[-20:])
        raise WorldError(
            f"{' '.join(argv[:2])} failed (status {done.returncode}):\n{tail}",
            where=str(folder),
            todo="\nRun it there again.",
        )
    return done.stdout


def _go_environment() -> dict[str, str]:
    # GOTOOLCHAIN=local: another toolchain would be fetched without a word, and the digest would not know of it.
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


@functools.cache
def go_version() -> str:
    """``go1.26.8`` of the Go on PATH; ``none`` without one."""
    if shutil.which("go") is None:
        return "none"
    done = subprocess.run(
        ["go", "env", "GOVERSION"], cwd="/", env=_go_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "none"


def require_go() -> None:
    """Refuse, with what to do, when there is no Go or it is older than the modules ask for."""
    needed = max((_required(module) for module in MODULES), key=_numbers)
    found = go_version()
    if found == "none":
        raise UsageError(
            "there is no Go on PATH", where="cluster-up", todo=f"Install Go {needed} or newer (https://go.dev/dl/)."
        )
    if _numbers(found.removeprefix("go")) < _numbers(needed):
        raise UsageError(
            f"Go {found.removeprefix('go')} ({shutil.which('go')}) is too old",
            where="cluster-up",
            todo=f"Install Go {needed} or newer.",
        )


def _required(module: Module) -> str:
    for line in (module.folder / "go.mod").read_text().splitlines():
        if line.startswith("go "):
            return line.split()[1]
    raise UsageError("no 'go' line", where=str(module.folder / "go.mod"))


def _numbers(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split("."):
        digits = "".join(c for c in part if c.isdigit())
        numbers.append(int(digits or 0))
    return tuple(numbers)
