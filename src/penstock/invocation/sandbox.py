"""What a model may see and touch: a clean environment, and walls around it as far as this machine has them.

The levels (:mod:`penstock.invocation.isolation`) are *namespaces*, *landlock* and *none*; docs/security.md says what
each holds. At all of them the model has no capabilities and a filter of system calls. Unless it is *none*, the model
can write only below its scratch directory and read only system directories, the Python that it runs on, its own source
and the suite's inputs: not the bundle, the store, nor the user's home. It may listen on its own port and connect to
nothing. Where the contract names hosts in ``call.network``, connections are allowed to *ports* 443, 80 and 53 (and to
the ports that are named as ``host:port``) of any host, because the kernel knows no host names; a cluster's network
policy is what holds the names.

On a cluster this runs in the model's own image (:class:`ImageFiles`). Then all that the image holds is the model's to
read, and its ``PATH`` and variables are the model's; the volumes of the container are not: not the bundle, not the
driver's runtime, nothing of Tekton's, and of the repository no more than the suite.
"""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import penstock
from penstock.bundle.models import Isolation
from penstock.contract.policy import Level
from penstock.foundation.errors import UsageError
from penstock.invocation import seccomp
from penstock.invocation.bubblewrap import bubblewrap
from penstock.invocation.environment import PythonEnvironment, own_environment, program_of_user
from penstock.invocation.hidden_files import all_but
from penstock.invocation.isolation import best_level, in_pod, isolation
from penstock.invocation.launch import BOOT

SYSTEM_DIRECTORIES = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store"),
    *("/run/systemd/resolve", "/var/cache/fontconfig", "/proc", "/sys"),
)
SETTINGS = (
    *("alternatives", "ca-certificates", "ca-certificates.conf", "fonts", "gai.conf", "glvnd", "group", "host.conf"),
    *("hostname", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "locale.conf", "localtime"),
    *("machine-id", "magic", "mime.types", "nsswitch.conf", "nvidia", "OpenCL", "os-release", "passwd"),
    *("pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "protocols", "resolv.conf"),
    *("services", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf", "timezone", "vulkan"),
)
"""What a model may read of ``/etc``: as root all of it would be passwords and private keys as well."""
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
    """The model runs inside this container's image."""

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
    hidden: tuple[Path, ...] = ()
    """Files among all that which it may not read: what its answers are compared with. Landlock hides them."""
    network: tuple[str, ...] = ()
    """``call.network`` of the contract."""
    environment: dict[str, str] = field(default_factory=dict)
    """``call.env`` of the contract."""
    image: ImageFiles | None = None
    """The model runs in this process's container, and has its files, its programs and its variables."""
    python: PythonEnvironment | None = None
    """What a local model runs on; ``None``: what Penstock itself does."""
    level: Level | None = None
    """How far it is confined; ``None``: as far as this machine can."""

    @property
    def isolation(self) -> Isolation:
        """How far the model is confined, for records."""
        return isolation(self._level, pod=in_pod(), network=bool(self.network))

    @property
    def _level(self) -> Level:
        return self.level or best_level(image=self.image is not None)

    @property
    def wrapped(self) -> bool:
        """Whether it gets namespaces of its own here, and does not only have those of a pod."""
        return self._level == "namespaces" and self.image is None and not in_pod()

    def prepare(self) -> None:
        """Make the scratch directories."""
        for name in ("home", "tmp"):
            (self.scratch / name).mkdir(parents=True, exist_ok=True)

    def variables(self, port: int | None = None) -> dict[str, str]:
        """The model's whole environment.

        The contract can replace ``PATH``, ``LANG`` and what an image sets, but not what follows them.
        """
        given = dict(os.environ) | {"LD_LIBRARY_PATH": library_path_at_start()}
        python = self.python or own_environment()
        programs = (str(python.programs), *PROGRAM_DIRECTORIES)
        variables = {"PATH": os.pathsep.join(dict.fromkeys(programs)), "PYTHONUNBUFFERED": "1"}
        if self.image is None:
            # an image's locale is its own: one that cannot name every file is found out here, and not by users
            variables["LANG"] = "C.UTF-8"
            variables |= {name: given[name] for name in PASSED_ON if given.get(name)} | python.variables()
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
        variables = self.variables(port)
        program, *rest = argv
        readable = self._readable()
        if self.image is None:
            program, needed = program_of_user(program, variables["PATH"])
            readable += needed
        pieces = all_but(readable, self.hidden)
        own = self.wrapped
        # a container has mounts and IPC of its own, and no sockets but its own
        contained = self.image is not None or in_pod()
        rules = seccomp.compiled(own_namespaces=own or contained, udp=own or bool(self.network), answers=not contained)
        return {
            "argv": [program, *rest],
            "environment": variables,
            "directory": str(self.source),
            "landlock": self._level != "none",
            "readable": pieces.readable,
            "listable": pieces.listable,
            "writable": [str(self.scratch), SHARED_MEMORY],
            "devices": [*DEVICES, *_cards()],
            "thread_names": [thread_names(alone=own or contained)] if _cards() else [],
            "bind": [port] if port is not None else [],
            "connect": connect_ports(self.network),
            "filter": base64.b64encode(rules).decode(),
            "asked": {} if contained else seccomp.asked(),
            "own": [str(self.scratch)],
            "private": own and not self.network,
            "open_files": OPEN_FILES,
            "file_bytes": MAX_FILE_BYTES,
            "grace_s": grace_s,
        }

    def launcher(self, argv: list[str], handle: int) -> list[str]:
        """The command line of :mod:`penstock.invocation.launch`, in namespaces of its own where there are.

        Args:
            argv: the model's own, for what it has to be able to read.
            handle: a socket that the launcher inherits.
        """
        root = Path(penstock.__file__).parent.parent
        words = ["-I", "-S", "-c", BOOT, str(root), str(handle)]
        wrapper = bubblewrap() if self.wrapped else None
        if wrapper is None:
            return [sys.executable, *words]
        _, needed = program_of_user(argv[0], self.variables()["PATH"])
        own = own_environment()
        code = [str(root / "penstock" / "__init__.py"), str(root / "penstock" / "invocation")]
        return wrapper.command(
            [str(Path(sys.executable).resolve()), *words],
            readable=[*self._readable(), *needed, *map(str, own.installations), *code],
            writable=[str(self.scratch)],
            devices=[*DEVICES, *_cards()],
            network=bool(self.network),
        )

    def _readable(self) -> list[str]:
        if self.image is not None:
            return [*self.image.readable(), *map(str, self.readable)]
        settings = [f"/etc/{name}" for name in SETTINGS]
        python = (self.python or own_environment()).readable()
        return [*SYSTEM_DIRECTORIES, *settings, *python, str(self.source), *map(str, self.readable)]


def _cards() -> list[str]:
    return sorted(str(path) for path in Path("/dev").glob("nvidia*"))


def thread_names(*, alone: bool) -> str:
    """Where a model may overwrite files of ``/proc``, on a machine with a card.

    CUDA's driver names its threads through ``/proc/self/task/TID/comm``, and no card can be used where that is refused
    (error 304). Where all processes that the model sees are its own or its driver's, that is ``/proc``. Elsewhere other
    programs of the user would lie open, and for root ``/proc/sys``, in a user namespace as well: only the first process
    may.

    Args:
        alone: the model has namespaces of its own, or runs in a container.
    """
    return "/proc" if alone and os.geteuid() != 0 else "/proc/self/task"


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
