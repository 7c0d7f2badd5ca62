"""What a model that is not trusted could find out where it runs: files, environments, mounts, the network.

It looks only; one JSON line on standard error holds what it found. ``looking_for.json`` beside it (made by the test)
names the SHA-256 of secrets that must not be here, and addresses.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PLACES = ("/var/run", "/run", "/workspace", "/tekton", "/home", "/root", "/etc", "/tmp", "/mnt", "/model")
CREDENTIAL_FILES = re.compile(
    r"^(\.git-credentials|\.netrc|config\.json|\.dockerconfigjson|kubeconfig|AWS_.*|id_(rsa|ed25519)|credentials|token)$"
)
WORD = re.compile(rb"[A-Za-z0-9+/_.-]{8,200}=*")
NOT_CREDENTIALS = {".py", ".pyc", ".so", ".mp4", ".png", ".flac", ".onnx", ".safetensors"}
MAX_BYTES = 1 << 16
MAX_FILES = 20_000
TIMEOUT_S = 2.0


def report() -> None:
    """Look about, and write the line."""
    found = look_about(json.loads(Path(__file__).with_name("looking_for.json").read_text(encoding="utf-8")))
    sys.stderr.write(json.dumps({"event": "scouted", **found}) + "\n")
    sys.stderr.flush()


def look_about(looking_for: dict[str, Any]) -> dict[str, Any]:
    """All findings. ``looking_for``: ``secrets`` (name → SHA-256), ``addresses`` (name → [host, port]), ``names``."""
    wanted = {digest: name for name, digest in looking_for["secrets"].items()}
    addresses, names = looking_for["addresses"], looking_for["names"]
    with ThreadPoolExecutor(len(addresses) + len(names) + 1) as pool:
        answers = {name: pool.submit(reach, host, port) for name, (host, port) in addresses.items()}
        resolved = {name: pool.submit(resolve, name) for name in names}
        files = list(readable_files())
        environments = {path: read(Path(path)) for path in processes()}
        texts = {str(path): read(path) for path in files} | environments
        return {
            "who": [os.getuid(), os.getgid()],
            "files": len(files),
            "processes": len(environments),
            "mounts": mounts(),
            "environment": sorted(os.environ),
            "service_account": sorted(str(path) for path in files if "serviceaccount" in str(path)),
            "credential_files": sorted(str(path) for path in files if CREDENTIAL_FILES.match(path.name)),
            "secrets": {place: names_of(text, wanted) for place, text in texts.items() if names_of(text, wanted)},
            "reached": {name: answer.result() for name, answer in answers.items()},
            "resolved": {name: answer.result() for name, answer in resolved.items()},
        }


def readable_files() -> Iterator[Path]:
    """Files that could hold a credential: small, and below a place that is not the operating system's own."""
    count = 0
    for place in PLACES:
        for folder, _, names in os.walk(place):
            for name in names:
                path = Path(folder, name)
                count += 1
                if count > MAX_FILES:
                    return
                if path.suffix not in NOT_CREDENTIALS and is_file(path):
                    yield path


def is_file(path: Path) -> bool:
    """Whether it is one; no, if we may not look."""
    try:
        return path.is_file()
    except OSError:
        return False


def processes() -> list[str]:
    """The environments of all processes that can be seen."""
    return [f"{path}/environ" for path in Path("/proc").iterdir() if path.name.isdecimal()]


def read(path: Path) -> bytes:
    """The beginning of a file; nothing of one that is closed to us."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return b""


def names_of(text: bytes, wanted: dict[str, str]) -> list[str]:
    """Which of the wanted secrets stand in a text as a word of their own."""
    digests = {hashlib.sha256(word).hexdigest() for word in WORD.findall(text)}
    return sorted(wanted[digest] for digest in digests & wanted.keys())


def mounts() -> list[str]:
    """Where something is mounted."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return sorted({line.split()[4] for line in lines})


def reach(host: str, port: int) -> str:
    """``open``, or why a connection could not be had."""
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S):
            return "open"
    except OSError as error:
        return type(error).__name__


def resolve(name: str) -> str:
    """The address of a name, or why there is none."""
    try:
        return str(socket.getaddrinfo(name, 443)[0][4][0])
    except OSError as error:
        return type(error).__name__
