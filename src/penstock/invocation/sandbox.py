"""What a model may see and touch: a clean environment, and Landlock where the kernel has it.

Landlock (Linux 5.13 and later, no privileges needed) lets the model write only below its scratch directory, and read
only system directories, the Python that it runs on, its own source and the suite's inputs: not the bundle, the store,
nor the user's home. Since ABI 4 it also binds TCP: the model may listen on its own port only and connect to nothing.
Where the contract names hosts in ``call.network``, connections are allowed to *ports* 443, 80 and 53 (and to the ports
that are named as ``host:port``) of any host, because Landlock knows no host names; a cluster's network policy is what
holds the names. UDP is not covered. Since ABI 6 signals and abstract sockets to processes outside are refused too.
It says nothing about ``chmod``, ``chown`` and times of files that belong to the same user.

On a cluster this runs in the model's own image (:class:`ImageFiles`). Then all that the image holds is the model's to
read, and its ``PATH`` and variables are the model's; the volumes of the container are not: not the bundle, not the
driver's runtime, nothing of Tekton's, and of the repository no more than the suite.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.errors import UsageError
from penstock.invocation.launch import landlock_abi

SYSTEM_DIRECTORIES = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store"),
    *("/etc", "/run/systemd/resolve", "/var/cache/fontconfig", "/proc", "/sys"),
)
DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"),
    *("/dev/dri", "/dev/kfd", "/dev/nvidia-caps"),
)
SHARED_MEMORY = "/dev/shm"  # noqa: S108 (semaphores and shared arrays of the model's own workers live there)
PASSED_ON = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "LD_LIBRARY_PATH", "TZ")
"""The only variables of Penstock's own environment that a model gets: which cards, and where their driver is."""
NOT_THE_IMAGES = ("/workspace", "/tekton", "/dev", "/var/run/secrets", "/run/secrets")
"""What Kubernetes and Tekton mount into a container; of ``/dev`` only the devices named above are open to the model."""
NOT_THE_MODELS = ("KUBERNETES_", "TEKTON_", "PENSTOCK_")
"""Beginnings of the names of variables that a container has, but not from its image."""
PROGRAM_DIRECTORIES = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
WEB_PORTS = (443, 80, 53)
MAX_FILE_BYTES = 4 << 30
OPEN_FILES = 4096


@dataclass(frozen=True)
class ImageFiles:
    """The model runs on what the image holds in which this process runs."""

    directory: Path
    """Where the model is started: the image's working directory, or the clone if no image was built of it."""
    volumes: tuple[Path, ...] = ()
    """What is mounted into the container beside what Kubernetes and Tekton always mount: none of it is the image's."""

    def readable(self, root: Path = Path("/")) -> list[str]:
        """What the image itself holds: all of ``root`` but the volumes. What links in it lead to is there as well."""
        volumes = {root / name.lstrip("/") for name in NOT_THE_IMAGES} | {path.resolve() for path in self.volumes}
        found: list[str] = []
        folders = [root]
        while folders:
            with contextlib.suppress(PermissionError):  # what this user cannot read is not the model's either
                for path in sorted(folders.pop().iterdir()):
                    if path in volumes or path.is_symlink():
                        continue
                    if any(path in volume.parents for volume in volumes):
                        folders.append(path)
                    else:
                        found.append(str(path))
        return found


@dataclass(frozen=True)
class Sandbox:
    """What one model may do. Paths are absolute; those that do not exist are left out."""

    source: Path
    """The model's repository, or a directory of its image: its working directory, readable."""
    scratch: Path
    """The only directory in which it may write; holds ``home`` and ``tmp``."""
    readable: tuple[Path, ...] = ()
    """What else it may read, such as the suite's inputs."""
    network: tuple[str, ...] = ()
    """``call.network`` of the contract."""
    environment: dict[str, str] = field(default_factory=dict)
    """``call.env`` of the contract."""
    image: ImageFiles | None = None
    """The model runs in this process's container, and has its files, its programs and its variables."""

    def prepare(self) -> None:
        """Make the scratch directories."""
        for name in ("home", "tmp"):
            (self.scratch / name).mkdir(parents=True, exist_ok=True)

    def variables(self, port: int | None = None) -> dict[str, str]:
        """The model's whole environment. The contract can replace ``PATH`` and ``LANG``, but not what follows them."""
        given = dict(os.environ) | {"LD_LIBRARY_PATH": library_path_at_start()}
        programs = (str(Path(sys.executable).parent), *PROGRAM_DIRECTORIES)
        variables = {"PATH": os.pathsep.join(dict.fromkeys(programs)), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
        if self.image is None:
            variables |= {name: given[name] for name in PASSED_ON if given.get(name)}
        else:
            variables["PATH"] = os.pathsep.join(PROGRAM_DIRECTORIES)
            variables |= {name: value for name, value in given.items() if value and not name.startswith(NOT_THE_MODELS)}
        variables |= self.environment
        variables |= {
            "HOME": str(self.scratch / "home"),
            "TMPDIR": str(self.scratch / "tmp"),
            # The source is read-only to the model: nothing could be written beside it anyway.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
        }
        if port is not None:
            variables["PORT"] = str(port)
        return variables

    def order(self, argv: list[str], *, port: int | None, grace_s: float) -> dict[str, Any]:
        """The JSON object that :mod:`penstock.invocation.launch` reads."""
        if self.image is None:
            python = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)}
            readable = [*SYSTEM_DIRECTORIES, *sorted(python), str(self.source)]
        else:
            readable = self.image.readable()
        readable += map(str, self.readable)
        cards = sorted(str(path) for path in Path("/dev").glob("nvidia*"))
        return {
            "argv": argv,
            "environment": self.variables(port),
            "directory": str(self.source),
            "readable": readable,
            "writable": [str(self.scratch), SHARED_MEMORY],
            "devices": [*DEVICES, *cards],
            "bind": [port] if port is not None else [],
            "connect": connect_ports(self.network),
            "open_files": OPEN_FILES,
            "file_bytes": MAX_FILE_BYTES,
            "grace_s": grace_s,
        }


def library_path_at_start() -> str:
    """``LD_LIBRARY_PATH`` as this process was started with: importing OpenCV adds folders of its own to it."""
    try:
        content = Path("/proc/self/environ").read_bytes()
    except OSError:
        return os.environ.get("LD_LIBRARY_PATH", "")
    pairs = (os.fsdecode(pair).partition("=") for pair in content.split(b"\0"))
    return next((value for name, _, value in pairs if name == "LD_LIBRARY_PATH"), "")


def connect_ports(network: tuple[str, ...]) -> list[int]:
    """TCP ports that must be open for these hosts: those of the web and of DNS, and those named as ``host:port``.

    Raises:
        UsageError: a port is not a number from 1 to 65535.
    """
    if not network:
        return []
    ports = set(WEB_PORTS)
    for host in network:
        _, colon, port = host.rpartition(":")
        if colon:
            if not port.isdecimal() or not 0 < int(port) < 65536:
                raise UsageError(f"'{host}' is not a host or host:port", where="call.network")
            ports.add(int(port))
    return sorted(ports)


def confinement() -> str:
    """In words, for the log: how far a model is confined on this machine."""
    abi = landlock_abi()
    if abi == 0:
        return "no Landlock on this kernel: the model can read and write what this user can"
    lacks = [text for needed, text in ((4, "TCP connections"), (6, "signals to other processes")) if abi < needed]
    return f"Landlock ABI {abi}" + (f", which does not restrict {' and '.join(lacks)}" if lacks else "")
