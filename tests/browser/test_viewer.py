"""Two videos on one bar with one sound: what the browser really shows, read off the pixels."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.bundles import FPS, STEP, grey
from tests.browser.conftest import PHONE, Opened, wait_until_shown

from penstock.bundle.directory import Bundle
from penstock.report.page import write_page

SHOWN = """() => Object.fromEntries([...document.querySelectorAll('.side video')].map((video) => {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const pixels = context.getImageData(8, 8, 16, 16).data;
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 4) sum += pixels[at];
  return [video.closest('figure').classList.contains('baseline') ? 'baseline' : 'candidate', sum / 256];
}))"""


def frames_shown(page: Page) -> dict[str, int]:
    """Side → number of the frame that is on its screen."""
    wait_until_shown(page)
    return {side: round((level - grey(0)) / STEP) for side, level in page.evaluate(SHOWN).items()}


def comes_to_show(page: Page, wanted: dict[str, int]) -> bool:
    """A busy machine may take a while to bring a frame to the screen."""
    for _ in range(100):
        if frames_shown(page) == wanted:
            return True
        page.wait_for_timeout(50)
    return frames_shown(page) == wanted


def both(frame: int) -> dict[str, int]:
    return {"baseline": frame, "candidate": frame}


@pytest.fixture
def viewer(report: Path, opened: Callable[..., Opened]) -> Page:
    """The case 'bela-fast', whose lips fit worst around frame 40."""
    return opened(report, fragment="#case-2").page


def test_a_case_opens_at_the_dip_and_shows_it_on_both_sides(viewer: Page) -> None:
    assert viewer.locator("#viewer-name").inner_text() == "bela-fast"
    shown = frames_shown(viewer)
    assert shown["baseline"] == shown["candidate"]
    assert shown["candidate"] == pytest.approx(40, abs=2)
    assert f"frame {shown['candidate'] + 1} of 60" in viewer.locator("#readout").inner_text()


def test_a_click_on_the_strip_seeks_both(viewer: Page) -> None:
    box = viewer.locator("#scrub").bounding_box()
    assert box
    for share in (0.0, 0.25, 0.5, 0.999):
        viewer.mouse.click(box["x"] + share * (box["width"] - 1), box["y"] + 30)
        shown = frames_shown(viewer)
        assert shown["baseline"] == shown["candidate"] == pytest.approx(share * 59, abs=1)


def test_frames_are_stepped_by_the_keys(viewer: Page) -> None:
    viewer.locator("#scrub").focus()
    viewer.keyboard.press("Home")
    assert comes_to_show(viewer, both(0))
    for key, frame in ((".", 1), (".", 2), ("ArrowRight", 3), (",", 2), ("ArrowLeft", 1), (",", 0), (",", 0)):
        viewer.keyboard.press(key)
        assert comes_to_show(viewer, both(frame)), key
    viewer.locator("#viewer").focus()
    viewer.keyboard.press("ArrowRight")
    assert comes_to_show(viewer, both(1))
    viewer.locator("#scrub").focus()
    viewer.keyboard.press("End")
    assert comes_to_show(viewer, both(59))


def test_w_goes_to_the_worst_moments_in_turn(viewer: Page) -> None:
    viewer.locator("#scrub").focus()
    viewer.keyboard.press("Home")
    viewer.keyboard.press("w")
    assert frames_shown(viewer)["candidate"] == pytest.approx(40, abs=2)
    viewer.keyboard.press("w")
    assert abs(frames_shown(viewer)["candidate"] - 40) > 8
    viewer.keyboard.press("j")
    assert "jitter" in viewer.locator("#readout").inner_text()


def test_one_side_sounds_and_b_turns_it(viewer: Page) -> None:
    muted = "() => [...document.querySelectorAll('video')].map((video) => video.muted)"
    assert viewer.evaluate(muted) == [True, False]
    viewer.keyboard.press("b")
    assert viewer.evaluate(muted) == [False, True]
    assert "sound: baseline" in viewer.locator("#sound").inner_text()
    viewer.keyboard.press("m")
    assert viewer.evaluate(muted) == [True, True]
    viewer.keyboard.press("m")
    viewer.keyboard.press("b")
    assert viewer.evaluate(muted) == [True, False]


def test_both_play_within_a_frame_of_each_other(viewer: Page) -> None:
    """A machine that is busy may hold a video up: they must come together again, and stop at the same frame."""
    viewer.locator("#scrub").focus()
    viewer.keyboard.press("Home")
    wait_until_shown(viewer)
    viewer.evaluate(
        """() => {
        window.together = 0;
        const videos = [...document.querySelectorAll('video')];
        let last = 0;
        const look = () => {
          const [one, other] = videos.map((video) => video.currentTime);
          if (other > 0.4 && other !== last) together = Math.abs(one - other) <= 1 / 25 ? together + 1 : 0;
          last = other;
          requestAnimationFrame(look);
        };
        look();
        }"""
    )
    viewer.locator("#viewer").focus()
    viewer.keyboard.press("l")  # the clip is repeated
    viewer.keyboard.press(" ")
    viewer.wait_for_function("() => together > 20", timeout=60_000)
    assert "pause" in (viewer.locator("#play").get_attribute("aria-label") or "")
    viewer.keyboard.press(" ")
    shown = frames_shown(viewer)
    assert shown["baseline"] == shown["candidate"] > 0


def test_it_stops_at_the_end_and_repeats_when_asked(viewer: Page) -> None:
    viewer.locator("#scrub").focus()
    viewer.keyboard.press("End")
    viewer.keyboard.press(",")
    viewer.locator("#viewer").focus()
    viewer.keyboard.press(" ")
    viewer.wait_for_function("() => document.getElementById('readout').textContent.startsWith('frame 60 of 60')")
    viewer.wait_for_function("() => document.getElementById('play').ariaLabel.startsWith('play')")
    assert comes_to_show(viewer, both(59))
    viewer.keyboard.press("l")
    assert "loop: clip" in viewer.locator("#loop").inner_text()
    viewer.keyboard.press(" ")
    viewer.wait_for_function("() => document.querySelector('.candidate video').currentTime > 0.3")
    viewer.keyboard.press("l")
    viewer.keyboard.press("w")
    viewer.keyboard.press(" ")
    viewer.wait_for_function("() => document.querySelector('.candidate video').currentTime < 1.25", timeout=5000)
    viewer.keyboard.press(" ")
    assert "loop: one second" in viewer.locator("#loop").inner_text()


def test_cases_are_chosen_by_keys_and_clicks(viewer: Page) -> None:
    name = viewer.locator("#viewer-name")
    viewer.keyboard.press("n")
    assert name.inner_text() == "carla-slow"
    viewer.keyboard.press("p")
    viewer.keyboard.press("p")
    assert name.inner_text() == "emil-german"
    assert "failed: the model answered 500" in viewer.locator("#viewer-error").inner_text()
    assert viewer.locator(".candidate .message").inner_text() == "nothing came back"
    assert viewer.locator("#previous").is_disabled()
    link = viewer.locator(".cases a", has_text="greta-hum")
    link.focus()
    viewer.keyboard.press("Enter")
    assert name.inner_text() == "greta-hum"
    assert viewer.evaluate("document.activeElement.id") == "viewer"
    assert viewer.evaluate("Math.round(document.getElementById('viewer').getBoundingClientRect().top)") in range(20)
    assert viewer.locator("video").count() == 2
    shown = frames_shown(viewer)
    assert shown["baseline"] == shown["candidate"]


def test_keys_of_a_list_and_of_the_browser_stay_theirs(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    before = page.locator("#viewer-name").inner_text()
    page.locator("#speed").focus()
    page.keyboard.press("n")
    assert page.locator("#viewer-name").inner_text() == before
    page.keyboard.press("Control+n")
    assert page.locator("#viewer-name").inner_text() == before


LANES = """() => Object.fromEntries(['sync', 'jitter', 'sound'].map((lane) =>
  [lane, document.querySelectorAll(`#lane-${lane} svg > *`).length]))"""


def test_the_strip_has_both_lines_and_the_sound(viewer: Page) -> None:
    drawn = viewer.evaluate(LANES)
    assert drawn["sync"] >= 3  # two lines and the dip
    assert drawn["jitter"] >= 3
    assert drawn["sound"] == 1


def test_what_is_said_runs_under_the_videos_and_on_the_strip(viewer: Page) -> None:
    assert viewer.locator("#subtitles").inner_text().split() == ["move", "over", "bob"]
    assert viewer.locator("#lane-speech .words span").all_inner_texts() == ["move", "over", "bob"]
    sounds = viewer.locator("#lane-speech .candidate b")
    assert sounds.all_inner_texts() == ["m", "b", "b"]
    assert [each.get_attribute("class") for each in sounds.all()] == ["closed", "apart", "closed"]
    assert sounds.nth(1).get_attribute("title") == "candidate: b at 1.20 s, lips stay apart"
    viewer.locator("#subtitles span").nth(1).click()
    assert comes_to_show(viewer, both(12))  # 0.5 s
    assert viewer.locator("#subtitles .now").inner_text() == "over"
    across = viewer.locator("#lane-speech .words").bounding_box()
    bob = viewer.locator("#lane-speech .words span").nth(2).bounding_box()
    assert across is not None
    assert bob is not None
    assert (bob["x"] - across["x"]) / across["width"] == pytest.approx(30 / 59, abs=0.01)


def test_the_sound_is_drawn_from_the_video_where_it_was_not_measured(
    pair: tuple[Bundle, Bundle], tmp_path: Path, opened: Callable[..., Opened]
) -> None:
    candidate, baseline = pair
    page = opened(_without_series(candidate, baseline, tmp_path)).page
    page.wait_for_selector("#lane-sound polygon", state="attached")
    points = (page.locator("#lane-sound polygon").get_attribute("points") or "").split()
    levels = [abs(50 - float(point.split(",")[1])) for point in points[: len(points) // 2]]
    assert max(levels) == pytest.approx(47, abs=0.5)
    assert min(levels[5:-10]) < 10  # syllables, with silence between them
    assert page.locator("#lane-sync").is_hidden()
    assert page.locator("#worst-sync").is_disabled()


def _without_series(candidate: Bundle, baseline: Bundle, target: Path) -> Path:
    copies = []
    for name, bundle in (("candidate", candidate), ("baseline", baseline)):
        shutil.copytree(bundle.path, target / name)
        for frames in (target / name).rglob("frames.json"):
            frames.unlink()
        copies.append(Bundle(target / name))
    write_page(copies[0], copies[1], candidate.verdict(), target / "page")
    page = target / "page" / "index.html"
    return page.rename(target / "page" / "second.html")


MOUTH: dict[str, Any] = {"arg": ".candidate .closeup"}
RED = """(selector) => {
  const mouth = document.querySelector(selector);
  const canvas = new OffscreenCanvas(mouth.width, mouth.height);
  const context = canvas.getContext('2d');
  context.drawImage(mouth, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let red = 0;
  for (let at = 0; at < pixels.length; at += 4) if (pixels[at] > 100 && pixels[at + 1] < 90) red += 1;
  return red / (pixels.length / 4);
}"""


def test_the_mouth_is_enlarged_and_can_be_moved(viewer: Page) -> None:
    wait_until_shown(viewer)
    viewer.wait_for_function(f"(selector) => ({RED})(selector) > 0.2", **MOUTH)
    viewer.locator(".candidate .closeup").focus()
    for _ in range(32):
        viewer.keyboard.press("ArrowUp")
    viewer.wait_for_function(f"(selector) => ({RED})(selector) < 0.02", **MOUTH)
    for _ in range(32):
        viewer.keyboard.press("ArrowDown")
    before = viewer.evaluate(RED, ".candidate .closeup")
    for _ in range(5):
        viewer.keyboard.press("-")
    assert viewer.evaluate(RED, ".candidate .closeup") < 0.7 * before
    box = viewer.locator(".candidate .closeup").bounding_box()
    assert box
    viewer.mouse.move(box["x"] + 200, box["y"] + 60)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + 20, box["y"] + 60, steps=4)
    viewer.mouse.up()
    assert viewer.evaluate(RED, ".candidate .closeup") < 0.5 * before


def test_media_by_reference_play_from_beside_the_page(
    pair: tuple[Bundle, Bundle], opened: Callable[..., Opened]
) -> None:
    candidate, baseline = pair
    write_page(candidate, baseline, candidate.verdict(), candidate.report / "referring", embed_bytes=0)
    page = opened(candidate.report / "referring" / "index.html", fragment="#case-2").page
    sources = page.evaluate("() => [...document.querySelectorAll('video')].map((video) => video.getAttribute('src'))")
    assert sources == ["media/baseline/0001-bela-fast.mp4", "../../outputs/bela-fast/output.mp4"]
    assert page.evaluate(LANES)["sound"] == 1
    for key in ("w", "."):
        page.keyboard.press(key)
        page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => !video.seeking)")
    times = page.evaluate("() => [...document.querySelectorAll('video')].map((video) => video.currentTime)")
    assert times[0] == times[1] == pytest.approx(41.5 / FPS, abs=3 / FPS)


def test_a_page_without_its_media_says_where_they_are(
    pair: tuple[Bundle, Bundle], tmp_path: Path, opened: Callable[..., Opened]
) -> None:
    candidate, baseline = pair
    write_page(candidate, baseline, candidate.verdict(), candidate.report / "sent", embed_bytes=0)
    mailed = tmp_path / "index.html"
    mailed.write_bytes((candidate.report / "sent" / "index.html").read_bytes())
    shown = opened(mailed, ready=False, fragment="#case-2")
    shown.may_say = "ERR_FILE_NOT_FOUND"
    shown.page.wait_for_selector(".candidate .message")
    assert "open the report where its bundle lies" in shown.page.locator(".candidate .message").inner_text()
    assert "bela-fast" in shown.page.locator(".candidate .message").inner_text()


def test_a_phone_can_play_too(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report, size=PHONE, fragment="#case-2").page
    page.locator("#forth").click()
    shown = frames_shown(page)
    assert shown["baseline"] == shown["candidate"] == pytest.approx(41, abs=2)
    heights = "() => [...document.querySelectorAll('.transport button')].map((b) => b.getBoundingClientRect().height)"
    assert min(page.evaluate(heights)) >= 32


def test_space_plays_on_a_fresh_page_without_a_click(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    wait_until_shown(page)
    assert page.evaluate("document.activeElement === document.body")
    before = frames_shown(page)["baseline"]  # the first case has no answer
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('#play').textContent === '❚❚'")
    assert page.evaluate("document.querySelector('#play').getBoundingClientRect().top < innerHeight")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('#play').textContent === '▶'")
    assert frames_shown(page)["baseline"] >= before


def test_space_on_what_scrolls_or_answers_to_it_is_left_alone(report: Path, opened: Callable[..., Opened]) -> None:
    page = opened(report).page
    wait_until_shown(page)
    page.locator("details.glossary summary").focus()
    page.keyboard.press(" ")
    assert page.locator("details.glossary").get_attribute("open") is not None
    assert page.locator("#play").inner_text() == "▶"
    assert "How far apart lips and sound are" in page.locator("details.glossary").inner_text()
