"""A contract's target against the platform's file: the nearest name, whose it is, and nothing else is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.unit.targets.targets_files import webhook, write_targets

from penstock.contract.faults import Fault
from penstock.contract.models import Contract
from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_text import parse_yaml
from penstock.targets.target_faults import target_faults

CONTRACT = """\
version: 1
name: sonic-lite
family: talking-head
target: studoi
"""


def faults(targets: Path, target: str | None) -> list[Fault]:
    document = parse_yaml(CONTRACT.encode(), name="penstock.yaml")
    contract = Contract.model_construct(name="sonic-lite", target=target)
    return list(target_faults(contract, document, targets))


def test_names(tmp_path: Path) -> None:
    """The secrets and the key that the file names are not there, and nobody misses them."""
    targets = write_targets(tmp_path, studio=webhook(), booth=webhook(models=["other"]))
    content = yaml.safe_load(targets.read_text())
    targets.write_text(yaml.safe_dump({**content, "verdict_keys": ["missing.pub"]}))
    assert faults(targets, "studio") == faults(targets, None) == []
    (near,) = faults(targets, "studoi")
    assert (near.line, near.field, near.warning) == (4, "target", False)
    assert near.todo.startswith("Did you mean 'studio'?")
    (far,) = faults(targets, "warehouse")
    assert far.todo == "'target' in the contract names one of: studio."
    (closed,) = faults(targets, "booth")
    assert "not open to the model 'sonic-lite'" in closed.what


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        faults(tmp_path / "none.yaml", None)
