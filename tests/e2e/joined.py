"""A session that several processes share: what the first has made up, for the tests that run beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.install import Installed
from tests.e2e.repositories import ROOT

FILE = ROOT / "build" / "e2e" / "session.json"
VARIABLE = "PENSTOCK_E2E_JOIN"
"""Set to that file: its session is joined, nothing is installed anew."""


@dataclass(frozen=True)
class Joined:
    """The session, as the first process has written it.

    Attributes:
        id: its name.
        installed: the secrets of what it has installed.
        released: whether the runs that several tests look at have ended.
    """

    id: str
    installed: Installed
    released: bool = False

    @classmethod
    def given(cls) -> Joined | None:
        """The session that is to be joined; ``None``: these tests make one of their own."""
        path = os.environ.get(VARIABLE)
        return cls.read(Path(path)) if path else None

    @classmethod
    def read(cls, path: Path = FILE) -> Joined | None:
        """``None``: nothing is installed yet."""
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(said["id"], Installed(**said["installed"]), said["released"])

    def write(self) -> None:
        """For the process beside this one; whole, or not at all."""
        FILE.parent.mkdir(parents=True, exist_ok=True)
        half = FILE.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(json.dumps(asdict(self)), encoding="utf-8")
        half.replace(FILE)
