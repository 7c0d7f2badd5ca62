"""A machine that serves a model: shell programs that keep a file of what serves, behind a real sshd or a stand-in."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.targets.host import HostTarget
from penstock.targets.targets_file import HostSettings

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PROGRAMS = {
    "state": 'cat "$here/serving"',
    "pull": 'case "$1" in *@sha256:*) echo "$1" >> "$here/pulled";; *) exit 3;; esac',
    "weights": 'echo "$2" > "$here/weights"; test ! -e "$here/no-weights" || { echo "no such file" >&2; exit 9; }',
    "restart": 'echo "$1" "$(cat "$here/weights")" > "$here/serving"',
    "health": 'test ! -e "$here/sick" && cat "$here/serving"',
    "back": 'echo "$1" > "$here/serving"',
}


@dataclass(frozen=True)
class Machine:
    """Where it is, and how one logs in."""

    folder: Path
    port: int
    host_key: str
    key: bytes

    @property
    def serving(self) -> str:
        return (self.folder / "serving").read_text().strip()

    def settings(self, **more: Any) -> HostSettings:
        words = {
            "state": [],
            "pull": ["{image}"],
            "weights": ["{path}", "{sha256}", "{source}"],
            "restart": ["{image_digest}"],
            "health": [],
            "back": ["{state}"],
        }
        programs = {name: [str(self.folder / f"the {name}"), *given] for name, given in words.items()}
        there = {"kind": "host", "models": ["m"], "address": f"{getpass.getuser()}@127.0.0.1", "port": self.port}
        keys = {"host_keys": [self.host_key], "key": "ssh"}
        return HostSettings.model_validate(there | keys | programs | {"timeout_s": 5.0, "poll_s": 0.01} | more)

    def target(self, key: bytes | None = None, **more: Any) -> HostTarget:
        return HostTarget("booth", self.settings(**more), key or self.key, model="sonic-lite")


def make_key(path: Path) -> tuple[bytes, str]:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.read_bytes(), path.with_suffix(".pub").read_text().strip()


STAND_IN = """\
#!/bin/sh
here='FOLDER'
printf '%s\\n' "$@" > "$here/argv"
for word; do
  case "$previous" in -i) stat -c %a "$word" | tr '\\n' ' ' > "$here/identity"; cat "$word" >> "$here/identity";; esac
  case "$word" in UserKnownHostsFile=*) cat "${word#*=}" > "$here/known";; esac
  previous="$word"
done
if test -e "$here/ssh-fails"; then cat "$here/ssh-fails" >&2; exit 255; fi
exec sh -c "$previous"
"""
"""In the place of ``ssh``: runs here what it was to run there, and keeps what it was given."""


def stand_in(folder: Path) -> tuple[Machine, str]:
    """A machine without a server, and the ``PATH`` with its ``ssh``."""
    _programs(folder)
    (folder / "bin").mkdir()
    program = folder / "bin" / "ssh"
    program.write_text(STAND_IN.replace("FOLDER", str(folder)))
    program.chmod(0o755)
    found = Machine(folder, 22, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlW8GrwmO0z", b"a private key")
    return found, f"{folder / 'bin'}:{os.environ['PATH']}"


def _programs(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in PROGRAMS.items():
        program = folder / f"the {name}"  # a space: words have to be quoted
        program.write_text(f"#!/bin/sh\nhere='{folder}'\n{body}\n")
        program.chmod(0o755)
    (folder / "serving").write_text(f"sha256:{'0' * 64} {'0' * 64}\n")


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    assert SSHD is not None, "there is no sshd here: install the package openssh-server"
    _programs(folder)
    _, host_key = make_key(folder / "host")
    key, public = make_key(folder / "login")
    (folder / "authorized").write_text(public + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "sshd_config"
    lines = [f"ListenAddress 127.0.0.1:{port}", f"HostKey {folder / 'host'}", f"AuthorizedKeysFile {folder}/authorized"]
    lines += [
        "StrictModes no",
        "PidFile none",
        "UsePAM no",
        "UseDNS no",
        "PasswordAuthentication no",
        "PermitRootLogin yes",
    ]
    config.write_text("\n".join(lines) + "\n")
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        for _ in range(500):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, (folder / "sshd.log").read_text()
            time.sleep(0.01)
        yield Machine(folder, port, host_key, key)
    finally:
        server.terminate()
        server.wait(timeout=20)
