"""A helper keeps what it is told of, and nothing else; what each helper keeps is tried beside it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from penstock.invocation.helper_confinement import max_data
from penstock.invocation.helper_process import readable_code, run_helper
from penstock.invocation.landlock import landlock_abi

LOOKS = """
import json, os, resource, socket, sys
sys.path[:0] = sys.argv[1:]
from pathlib import Path
from penstock.invocation.helper_confinement import keep_only
given = json.load(sys.stdin)
keep_only(readable=given["readable"], folder=Path(given["folder"]), also_writable=[given["beside"]],
          ports=[given["port"]], max_memory=1 << 30)
def tried(act):
    try: act()
    except OSError as error: return type(error).__name__
    return "done"
said = {
    "read": tried(lambda: open(given["file"]).read()),
    "read a secret": tried(lambda: open(given["secret"]).read()),
    "write": tried(lambda: open("made", "w").close()),
    "write beside": tried(lambda: open(given["beside"] + "/made", "w").close()),
    "write to what is read": tried(lambda: open(given["file"], "w").close()),
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", given["port"]), 5)),
    "connect elsewhere": tried(lambda: socket.create_connection(("127.0.0.1", given["other"]), 5)),
    "listen": tried(lambda: socket.create_server(("127.0.0.1", 0))),
    "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
}
Path("said.json").write_text(json.dumps(said))
"""


@pytest.mark.slow
@pytest.mark.skipif(landlock_abi() < 4, reason="this kernel's Landlock knows no ports")
def test_it_keeps_what_it_is_told_of(tmp_path: Path) -> None:
    folder, beside, file, secret = (tmp_path / name for name in ("folder", "beside", "file", "secret"))
    folder.mkdir()
    beside.mkdir()
    file.write_text("a picture")
    secret.write_text("hunter2")
    with socket.create_server(("127.0.0.1", 0)) as service, socket.create_server(("127.0.0.1", 0)) as other:
        order = {"readable": [*readable_code(), str(file)], "folder": str(folder), "beside": str(beside)}
        order |= {"file": str(file), "secret": str(secret)}
        ports = {"port": service.getsockname()[1], "other": other.getsockname()[1]}
        run_helper(LOOKS, json.dumps({**order, **ports}).encode(), folder, 30.0)
    refused = "PermissionError"
    assert json.loads((folder / "said.json").read_text()) == {
        "read": "done",
        "read a secret": refused,
        "write": "done",
        "write beside": "done",
        "write to what is read": refused,
        "connect": "done",
        "connect elsewhere": refused,
        "listen": refused,
        "memory": 1 << 30,
    }
    assert (folder / "made").is_file()


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({}, 8 << 30),
        ({"memory.max": "max\n"}, 8 << 30),
        ({"memory.max": "2147483648\n"}, 1 << 30),
        ({"memory/memory.limit_in_bytes": "1073741824\n"}, 1 << 29),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 8 << 30),
    ],
)
def test_half_of_the_containers_memory(tmp_path: Path, files: dict[str, str], most: int) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert max_data(8 << 30, tmp_path) == most
