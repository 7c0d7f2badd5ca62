"""``penstock evaluate --url``: a service that runs already, one that refuses, is slow, or answers something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from tests.unit.evaluation.cutting_service import FORM, RMBG, Service, cutting_service
from tests.unit.evaluation.photo_folders import photo_folders
from typer.testing import CliRunner, Result

from penstock.bundle.directory import Bundle
from penstock.cli.evaluate import evaluate as command
from penstock.foundation.errors import PenstockError, UsageError, WorldError

pytestmark = pytest.mark.usefixtures("one_worker")
app = typer.Typer()
app.command()(command)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return photo_folders(tmp_path)


@pytest.fixture
def service() -> Iterator[Service]:
    with cutting_service() as started:
        yield started


def run(folders: Path, *arguments: Any) -> Result:
    words = [folders / "photos", "--truth", folders / "mattes", *arguments]
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(done: Result, kind: type[PenstockError], match: str) -> PenstockError:
    assert isinstance(done.exception, kind), done.output
    assert match in str(done.exception)
    return done.exception


@pytest.mark.slow
def test_a_form_and_rmbg_are_measured_beside_each_other_and_no_matte_is_sent(folders: Path, service: Service) -> None:
    out = folders / "out"
    options = ("--url", f"{service.url}{FORM}", "--against", folders / "old", "--out", out)
    done = run(folders, *options, "--json")
    assert done.exit_code == 0, done.output + repr(done.exception)
    found = json.loads(done.stdout)
    assert (found["candidate"], found["failed"]) == (f"{service.url}{FORM}", [])
    by_metric = {entry["metric"]: entry for entry in found["metrics"]}
    assert by_metric["iou"]["better"] == 3
    photos = [(folders / "photos" / f"{name}.jpg").read_bytes() for name in ("anna", "bob", "cleo")]
    assert service.requests == [(FORM, photo) for photo in photos]  # once each, in order, and nothing else
    candidate = Bundle(out / "candidate")
    assert [call.latency_s is not None and call.latency_s > 0 for call in candidate.invocations()] == [True] * 3
    assert f"of the service at {service.url}{FORM}" in next(
        step.note for step in candidate.run().steps if step.name == "infer"
    )
    assert candidate.run().inference is not None
    service.requests.clear()
    both = run(folders, "--url", service.url, "--preset", "rmbg", "--against-url", f"{service.url}{RMBG}", "--json")
    assert both.exit_code == 0, both.output + repr(both.exception)
    assert [path for path, _ in service.requests] == [RMBG] * 6  # the address may end with the preset's path
    changes = {entry["metric"]: entry["change"] for entry in json.loads(both.stdout)["metrics"]}
    assert changes["mae"] == 0
    assert "latency" in changes
    assert service.most_at_once == 1


@pytest.mark.slow
def test_several_at_a_time_where_it_is_said(folders: Path, service: Service) -> None:
    service.wait_s = 0.3
    done = run(folders, "--url", f"{service.url}{FORM}", "--concurrency", 3)
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert service.most_at_once == 3


def test_nobody_there_is_said_at_once_and_nothing_is_left(folders: Path, service: Service, tmp_path: Path) -> None:
    with cutting_service() as other:
        gone = other.url
    options = ("--url", service.url, "--preset", "rmbg", "--against-url", gone, "--out", tmp_path / "out")
    error = refused(run(folders, *options), WorldError, f"nothing answers at {gone}: ")
    assert error.exit_code == 4
    assert service.requests == []  # the first is not asked in vain
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_page_with_status_200_an_error_and_a_broken_answer_are_reasons(folders: Path, service: Service) -> None:
    service.html = True
    done = run(folders, "--url", f"{service.url}{FORM}")
    assert done.exit_code == 4, done.output
    assert f"! {service.url}{FORM}, anna: " in done.stdout
    assert "the model answered 'text/html' where 'image/png' was expected" in done.stdout
    service.html, service.status = False, 503
    assert "the model answered 503: " in run(folders, "--url", service.url, "--preset", "rmbg").stdout
    service.status, service.cut_off = 200, True
    done = run(folders, "--url", f"{service.url}{FORM}")
    assert done.exit_code == 4
    assert "the connection to the service broke: " in done.stdout


def test_a_slow_service_is_given_up_after_three_photos(tmp_path: Path, service: Service) -> None:
    folders = photo_folders(tmp_path, ("a", "b", "c", "d", "e"))
    service.wait_s = 0.6
    done = run(folders, "--url", f"{service.url}{FORM}", "--timeout", 0.1)
    assert done.exit_code == 4, done.output
    assert "a: the service did not answer within 0.1 s" in done.stdout
    assert done.stdout.count("the service gave no whole answer 3 times in a row: it is not called again") >= 2
    assert len(service.requests) == 3


def test_a_service_that_breaks_gets_each_photo_once_and_every_reason_is_kept(tmp_path: Path, service: Service) -> None:
    folders = photo_folders(tmp_path, ("a", "b", "c"))
    service.wait_s, service.cut_off = 0.3, True
    done = run(folders, "--url", f"{service.url}{FORM}", "--concurrency", 3, "--out", tmp_path / "out")
    assert done.exit_code == 4, done.output
    assert sorted(photo for _, photo in service.requests) == sorted(
        path.read_bytes() for path in (folders / "photos").iterdir()
    )
    reasons = [line for line in done.stdout.splitlines() if line.startswith("! ")]
    assert ["the connection to the service broke: " in reason for reason in reasons] == [True] * 3
    assert {call.attempts for call in Bundle(tmp_path / "out" / "candidate").invocations()} == {1}


@pytest.mark.slow
def test_slow_photos_among_others_are_not_sent_again(tmp_path: Path, service: Service) -> None:
    folders = photo_folders(tmp_path, tuple("abcdefgh"))
    service.wait_s = 0.6
    done = run(folders, "--url", f"{service.url}{FORM}", "--concurrency", 2, "--timeout", 0.1)
    assert done.exit_code == 4, done.output
    reasons = [line for line in done.stdout.splitlines() if line.startswith("! ")]
    sent = sum("the service did not answer within 0.1 s" in reason for reason in reasons)
    assert (len(reasons), sent) in ((8, 3), (8, 4))  # another may be under way when the third is late
    assert len(service.requests) <= sent  # a request that was late may never have reached it


def test_large_photos_come_back_scaled_as_the_preset_says(tmp_path: Path, service: Service) -> None:
    folders = photo_folders(tmp_path, ("a",))
    large = np.full((2100, 105, 3), 90, np.uint8)
    cv2.imwrite(str(folders / "photos" / "a.jpg"), large)
    cv2.imwrite(str(folders / "mattes" / "a.png"), large[:, :, 0])
    done = run(folders, "--url", service.url, "--preset", "rmbg")
    assert done.exit_code == 4
    assert "the answer is 105x2100 pixels where 51x1024 are wanted" in done.stdout


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("ftp://host/cut", "this is no address of a service: ftp://host/cut"),
        ("host:8000", "this is no address of a service"),
        ("http://me:secret@host/", "holds a user's name, a query or a fragment"),
        ("http://host/?token=1", "holds a user's name, a query or a fragment"),
        ("http://host:port/", "this is no address of a service: "),
    ],
)
def test_what_is_no_address(folders: Path, url: str, match: str) -> None:
    error = refused(run(folders, "--against-url", url, "--answers", folders / "new"), UsageError, match)
    assert error.where == "--against-url"
    assert "secret" not in str(error)


@pytest.mark.parametrize("preset", ["cog", "face-ood", "wanwu"])
def test_a_preset_that_says_too_little_names_those_that_fit(folders: Path, service: Service, preset: str) -> None:
    error = refused(run(folders, "--url", service.url, "--preset", preset), UsageError, "how one photo becomes one")
    assert error.todo == "Use rmbg; without one the photo is sent as a form field."
