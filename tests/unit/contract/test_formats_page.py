"""``docs/formats.md`` mentions every field, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from penstock.bundle.estimates import RatingCount, StandardError, Tail
from penstock.bundle.export_record import ComparedCase, ExporterRecord, ExportRecord, TriedRecord
from penstock.bundle.interface_record import (
    BreakingChange,
    InterfaceFinding,
    InterfaceRecord,
    ReleasedDocument,
    TriedOperation,
)
from penstock.bundle.load_record import (
    LoadPart,
    MemoryLine,
    OverloadRecord,
    RecoveryRecord,
    RequestLine,
    SaturationRecord,
    StartRecord,
    StopRecord,
)
from penstock.bundle.models import Measurement
from penstock.bundle.page_record import PageRecord
from penstock.bundle.verdict_record import FloorRecord, RuleResult, Verdict
from penstock.contract.expectation import Expect
from penstock.contract.export import Export
from penstock.contract.floor import PolicyFloor
from penstock.contract.http_call import Answer, Body, Http, HttpCall
from penstock.contract.interface import ServiceInterface
from penstock.contract.models import Build, Call, Case, Check, Command, Contract, Suite, Weights, suite_model
from penstock.contract.page import Page, PageResult
from penstock.contract.policy import Margin, Policy, Rule
from penstock.contract.serving import Load
from penstock.families.matting.case import MattingCase
from penstock.families.recognition.case import RecognitionCase, TrueObject, WantedDescription
from penstock.families.talking_head.case import TalkingHeadCase
from penstock.ratings.records import Closing, CountedRatings, RatedPair, RaterRecord, Rating, RatingPlan
from penstock.releases.baseline import Baseline, Transfer
from penstock.targets.targets_file import (
    DeploymentSettings,
    GitopsSettings,
    HostSettings,
    ReadyAddress,
    SetField,
    Targets,
    WebhookSettings,
)

PAGE = (Path(__file__).parents[3] / "docs/formats.md").read_text(encoding="utf-8")
LOADED = (
    *(LoadPart, StartRecord, RequestLine, MemoryLine, SaturationRecord, OverloadRecord, StopRecord, RecoveryRecord),
)
INTERFACE = (InterfaceRecord, InterfaceFinding, TriedOperation, BreakingChange, ReleasedDocument)
RATINGS = (RatingPlan, RatedPair, Rating, Closing, CountedRatings, RaterRecord)
MODELS: list[tuple[type[BaseModel], str]] = [
    (Contract, "The contract"),
    (Weights, "The contract"),
    (Build, "The contract"),
    (Call, "The contract"),
    (Command, "The contract"),
    (Http, "The contract"),
    (HttpCall, "The contract"),
    (Body, "The contract"),
    (Answer, "The contract"),
    (Page, "The contract"),
    (PageResult, "The contract"),
    (Export, "The contract"),
    (Load, "The contract"),
    (ServiceInterface, "The contract"),
    (Check, "The contract"),
    (Suite, "The suite"),
    (Case, "The suite"),
    (TalkingHeadCase, "The suite"),
    (MattingCase, "The suite"),
    (RecognitionCase, "The suite"),
    (TrueObject, "The suite"),
    (WantedDescription, "The suite"),
    (Expect, "The suite"),
    (Policy, "The policy"),
    (Rule, "The policy"),
    (Margin, "The policy"),
    (PolicyFloor, "The policy floor"),
    *((model, "Targets") for model in (Targets, WebhookSettings, GitopsSettings, SetField, ReadyAddress)),
    *((model, "Targets") for model in (HostSettings, DeploymentSettings)),
    (Measurement, "Measurements"),
    (Tail, "Measurements"),
    (StandardError, "Measurements"),
    (RatingCount, "Measurements"),
    (Verdict, "The verdict"),
    (RuleResult, "The verdict"),
    (FloorRecord, "The verdict"),
    (PageRecord, "The page in a browser"),
    (ExportRecord, "The exported file"),
    (TriedRecord, "The exported file"),
    (ExporterRecord, "The exported file"),
    (ComparedCase, "The exported file"),
    *((model, "The service under load: `load/`") for model in LOADED),
    *((model, "The service's interface: `interface/`") for model in INTERFACE),
    (Baseline, "The current release"),
    (Transfer, "The current release"),
    *((model, "Ratings: `ratings/MODEL/RUN/`") for model in RATINGS),
]


def section(title: str) -> str:
    return next(text for text in PAGE.split("\n## ") if text.startswith(title))


@pytest.mark.parametrize(("model", "title"), MODELS)
def test_every_field_is_on_the_page(model: type[BaseModel], title: str) -> None:
    prose = re.sub(r"```.*?```", "", section(title), flags=re.DOTALL)
    spans = re.findall(r"`([^`]+)`", prose)
    words = {word for span in spans for word in re.findall(r"[a-z0-9_]+", span)}
    assert {info.alias or name for name, info in model.model_fields.items()} <= words


def test_the_examples_are_valid() -> None:
    blocks = [
        yaml.safe_load(text.replace("…64 hex digits…", "0" * 64).replace("…", "0" * 64))
        for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    ]
    whole = [block for block in blocks if "version" in block or "rules" in block]
    contract, suite, policy, floor, targets = whole
    assert len(Targets.model_validate(targets).targets) == 5
    Contract.model_validate(contract)
    (page,) = [block["page"] for block in blocks if "page" in block]
    rmbg = {"preset": "rmbg", "http": {"argv": ["python", "serve.py"]}}
    assert Contract.model_validate(contract | {"call": rmbg, "page": page}).page is not None
    suite_model("talking-head").model_validate(suite)
    Policy.model_validate(policy)
    PolicyFloor.model_validate(floor)
    lines = re.search(r"```\n(\{.*?)```", PAGE, re.DOTALL)
    assert lines is not None
    assert [Measurement.model_validate_json(line).case for line in lines[1].splitlines()] == [
        "portrait-01",
        "portrait-02",
    ]


def test_the_examples_of_calls_and_cases_are_valid() -> None:
    parts = [
        (kind, yaml.safe_load(text))
        for kind, text in re.findall(
            r"```yaml\n# (call|case|case of matting|case of recognition)\n(.*?)```", PAGE, re.DOTALL
        )
    ]
    models: dict[str, type[BaseModel]] = {
        "call": Call,
        "case": Case,
        "case of matting": MattingCase,
        "case of recognition": RecognitionCase,
    }
    assert [kind for kind, _ in parts].count("call") >= 4
    for kind, part in parts:
        models[kind].model_validate(part)
