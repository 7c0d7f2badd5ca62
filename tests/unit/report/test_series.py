"""What is known frame by frame, read from a file that anybody may have edited; and pages of large suites."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.unit.report.read_pages import read

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.families.talking_head.view import VIEW
from penstock.report import page, series
from penstock.report.page import write_page, write_report
from penstock.report.series import read_series


def line(case: object, **more: object) -> str:
    return json.dumps({"case": case, "fps": 25, "sync_distance": [7.0], "jitter": [None, 0.5, None], **more})


def test_series_of_the_cases_that_are_asked_for(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('a')}\n{line('b', sync_distance=[8.12345])}\n{line('c')}\n", encoding="utf-8")
    found = read_series(bundle, ["b", "a", "none"], VIEW)
    assert list(found) == ["a", "b"]
    assert found["b"]["lanes"]["sync"] == [8.1235]
    assert found["a"]["lanes"]["jitter"] == [None, 0.5, None]


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"case": ["a"]}', "[" * 9999, '{"case": 1}', "\udc80"])
def test_a_line_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path, broken: str) -> None:
    bundle = Bundle(tmp_path)
    text = f"{broken}\n{line('a')}\n"
    bundle.series_file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert list(read_series(bundle, ["a"], VIEW)) == ["a"]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAX_BYTES", 200)
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('long', pad='x' * 1000)}\n{line('a')}\n", encoding="utf-8")
    assert list(read_series(bundle, ["long", "a"], VIEW)) == ["a"]


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "series.jsonl")
    assert read_series(Bundle(tmp_path), ["a"], VIEW) == {}


def test_an_old_bundle_s_series_lie_beside_the_outputs(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    (bundle.outputs / "a").mkdir(parents=True)
    (bundle.outputs / "a" / "frames.json").write_text(line("any"), encoding="utf-8")
    assert read_series(bundle, ["a", "b", "../a"], VIEW)["a"]["lanes"]["sync"] == [7.0]


@pytest.mark.slow
def test_a_page_has_the_worst_cases_of_a_large_suite_and_says_how_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SERIES_BYTES", 20_000)
    bundle = Bundle(tmp_path)
    cases = [f"case-{number:05}" for number in range(3000)]
    bundle.write_measurements(
        Measurement(case=case, metric="lse_d", value=9 - n / 1000) for n, case in enumerate(cases)
    )
    bundle.series_file.write_text("".join(f"{line(case)}\n" for case in cases), encoding="utf-8")
    write_page(bundle, None, Verdict(verdict="pass", level=0.05, rules=[]), bundle.report)
    html = (bundle.report / "index.html").read_text(encoding="utf-8")
    assert "The 1000 worst of 3000 cases" in html
    data = json.loads(html.split('id="data">', 1)[1].split("</script>", 1)[0])
    assert len(data) == 1000
    drawn = [case["frames"]["candidate"] is not None for case in data]
    assert drawn[0]
    assert not drawn[-1]
    assert drawn == sorted(drawn, reverse=True)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '"x"', '{"fps": NaN}', '{"sync_distance": 7, "jitter": {}, "sound": [], "face": [1]}', "[" * 9999],
)
def test_frames_that_cannot_be_read_are_left_out(pair: tuple[Bundle, Bundle], content: str) -> None:
    candidate, baseline = pair
    (candidate.outputs / "bad" / "frames.json").write_text(content, encoding="utf-8")
    candidate.update_run(candidate.run().model_copy(update={"family": "talking-head"}))
    write_report(candidate, baseline)
    _, tags = read(candidate.report / "index.html")
    (frames,) = (case["frames"]["candidate"] for case in json.loads(tags.data) if case["name"] == "bad")
    nothing = ({"sync": [], "jitter": []}, [], None)
    assert frames is None or (frames["lanes"], frames["sound"], frames["box"]) == nothing


def test_words_and_sounds_of_what_is_said(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    words = [["move", 0.0, 0.2], ["over", 0.5, 0.4], ["a\nb", 1, 2], [3, 0, 1], ["x", -1, 2], ["n", 0, "1"], "word"]
    sounds = [
        ["p", 0.1, 0.2, True, 0.01],
        ["m", 1, 2, "yes"],
        ["z", 0, 1, True],
        ["b", 0, 1e9, True],
        ["p"],
        [[], 0, 1, 1],
    ]
    bundle.series_file.write_text(f"{line('a', speech={'words': words, 'closures': sounds})}\n", encoding="utf-8")
    found = read_series(bundle, ["a"], VIEW)["a"]
    assert found["words"] == [["move", 0.0, 0.2], ["a b", 1, 2]]
    assert found["closures"] == [["p", 0.1, 0.2, True], ["m", 1, 2, False]]


@pytest.mark.parametrize("speech", [None, [], "said", {"words": {}, "closures": 7}, {"words": [[]] * 5}])
def test_a_speech_that_is_none(tmp_path: Path, speech: object) -> None:
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('a', speech=speech)}\n", encoding="utf-8")
    found = read_series(bundle, ["a"], VIEW)["a"]
    assert (found["words"], found["closures"]) == ([], [])


def test_what_a_transcriber_heard(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.series_file.write_text(f"{line('a')}\n{line('b')}\n", encoding="utf-8")
    heard = {"case": "a", "by": "pocketsphinx", "words": [["boat", 0.1, 0.4], ["x", "y", 1]]}
    text = (
        f"{json.dumps(heard)}\nno json\n{json.dumps({'case': 'b', 'error': 'no sound'})}\n{json.dumps({'case': 'c'})}\n"
    )
    (tmp_path / "transcripts.jsonl").write_text(text, encoding="utf-8")
    found = read_series(bundle, ["a", "b", "c"], VIEW)
    assert [found[case]["heard"] for case in ("a", "b")] == [[["boat", 0.1, 0.4]], []]
    assert "c" not in found
