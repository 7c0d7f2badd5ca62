"""What is drawn of a suite as a whole, in a real browser: it fits, can be read, and what hostile names say is text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser.answer_bundles import NAMES, PEOPLE, write_face_pair, write_recognition_pair
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.browser.test_accessible import CONTRAST, NAMELESS, USABLE

from penstock.bundle.directory import Bundle
from penstock.bundle.figures_record import FIGURES_FILE, Figures, MatrixFigure, read_figures, write_figures
from penstock.bundle.verdict_record import Verdict
from penstock.report.page import write_page, write_report

SECTION = ".figures"
BEYOND = """(section) => [...document.querySelectorAll(`${section} :is(text, span, td, th)`)]
  .filter((element) => element.checkVisibility() && !element.closest('.scroll'))
  .map((element) => [element.getBoundingClientRect(), element.textContent])
  .filter(([box]) => box.left < -0.5 || box.right > innerWidth + 0.5)
  .map(([box, text]) => `${Math.round(box.left)} to ${Math.round(box.right)}: ${text.slice(0, 40)}`)"""
OVERLAPS = """(chart) => {
  const ticks = [...chart.querySelectorAll(':scope > text:not(.left):not(.named)')];
  const boxes = ticks.map((text) => text.getBoundingClientRect());
  return boxes.some((box, at) => at && box.left < boxes[at - 1].right + 1);
}"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle, Path]:
    """A pair of bundles, and the repository; the candidate has its report."""
    found = write_face_pair(tmp_path_factory.mktemp("faces"))
    write_report(*found)
    return found


def page_of(bundle: Bundle) -> Path:
    return bundle.report / "index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_everything_fits_and_can_be_read(
    faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened], size: tuple[int, int], scheme: str
) -> None:
    page = opened(page_of(faces[0]), size=size, scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.evaluate(BEYOND, SECTION) == []
    assert page.evaluate(CONTRAST) == []
    charts = page.locator(f"{SECTION} .chart")
    assert charts.count() == 2
    for chart in charts.all():
        assert not chart.evaluate(OVERLAPS), chart.get_attribute("aria-label")
        letters = chart.evaluate("(chart) => getComputedStyle(chart.querySelector('text')).fontSize")
        assert letters == "11px", "letters are not scaled with the chart"
    names = page.locator(".ridge-name bdi").all_inner_texts()
    assert names == ["one person", "two people", "good", "blur", "low-light", "several-faces"]


def test_the_candidate_over_the_baseline(faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]) -> None:
    page = opened(page_of(faces[0])).page
    section = page.locator(SECTION)
    assert section.locator("h2").inner_text() == "All cases together"
    assert section.locator(".legend span").all_inner_texts() == ["candidate", "1.0.0"]
    det = section.locator(".chart").first
    assert [each.get_attribute("class") for each in det.locator("polyline").all()] == ["baseline", "candidate"]
    assert (det.get_attribute("aria-label") or "").startswith("Error rates (DET): false non-matches (FNMR) over")
    row = section.locator(".operating tbody tr").first
    assert row.locator("th").inner_text().endswith("EER")
    assert "≤ 0.2" in row.inner_text()
    assert "held" in row.inner_text()
    assert section.locator(".operating tbody tr").count() == 1, "no rule asks for a TAR"
    assert page.evaluate(NAMELESS, USABLE) == []


def test_the_worst_pairs_side_by_side(faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]) -> None:
    page = opened(page_of(faces[0]), fragment="#case-2").page
    titles = page.locator(f"{SECTION} h3").evaluate_all("(heads) => heads.map((head) => head.firstChild.data.trim())")
    assert titles[:3] == [
        "The least alike of one person",
        "The most alike of two people",
        "The most alike of two people, of the pairs that were compared",
    ]
    two = page.locator(".face-off").nth(1).locator("li").first
    assert "accepted, wrongly" in two.inner_text()
    assert "expected: two people" in two.inner_text()
    assert "1.0.0: " in two.inner_text()
    assert "p3-0" in two.inner_text(), "it looks like another person's images now"
    assert two.locator("img").evaluate_all("(all) => all.map((image) => image.naturalWidth)") == [90, 90]
    link = two.locator("a").first
    link.focus()
    page.keyboard.press("Enter")
    assert page.locator("#viewer-name").inner_text() == link.locator("b").inner_text()


def test_hostile_names_are_text(faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]) -> None:
    page = opened(page_of(faces[0])).page
    heads = page.locator(".matrix").first.locator("tbody th bdi")
    assert sorted(heads.all_inner_texts()) == sorted(name.replace("\u202e", "\\u202e") for name in NAMES)
    assert page.locator(f"{SECTION} bdi b").count() == 0
    cells = page.locator(".matrix").first.locator("td")
    assert cells.count() == PEOPLE * PEOPLE
    people = next(figure for figure in read_figures(faces[0]).figures if figure.name == "people")
    assert isinstance(people, MatrixFigure)
    assert page.locator(".matrix").first.locator("td.wrong").count() == len(people.wrong)


def test_the_matrix_is_scrolled_by_the_keyboard_on_a_phone(
    tmp_path: Path, faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]
) -> None:
    names = [f"person-{number:02}" for number in range(20)]
    wide = MatrixFigure(name="m", title="M", rows=names, columns=names, values=[[0.5] * 20] * 20)
    write_figures(Bundle(tmp_path), Figures(figures=[wide]))
    write_page_of_numbers(tmp_path)
    page = opened(tmp_path / "page" / "index.html", size=PHONE).page
    region = page.locator(f"{SECTION} .scroll")
    region.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.figures .scroll').scrollLeft > 40")
    head = page.locator(".matrix tbody th").first.bounding_box()
    assert head is not None
    assert head["x"] >= 0, "who it is stays in sight"


def write_page_of_numbers(folder: Path) -> None:
    from penstock.bundle.models import Measurement

    bundle = Bundle(folder)
    bundle.write_measurements([Measurement(case="a", metric="sad", value=1.0)])
    verdict = Verdict.model_validate({"verdict": "pass", "baseline": None, "level": 0.05, "rules": []})
    write_page(bundle, None, verdict, folder / "page")


def test_a_drawing_that_failed_says_so(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    write_figures(Bundle(tmp_path), Figures(note="The figures cannot be drawn: <b>ValueError"))
    write_page_of_numbers(tmp_path)
    page = opened(tmp_path / "page" / "index.html").page
    assert page.locator(f"{SECTION} .lost").inner_text() == "The figures cannot be drawn: <b>ValueError"


def test_an_older_baseline_and_no_repository(
    tmp_path: Path, faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]
) -> None:
    candidate, baseline, _ = faces
    older = Bundle(tmp_path / "older")
    older.path.mkdir()
    for file in baseline.path.iterdir():
        if file.is_file() and file.name != FIGURES_FILE:
            (older.path / file.name).write_bytes(file.read_bytes())
    write_page(candidate, older, candidate.verdict(), tmp_path / "page")
    page = opened(tmp_path / "page" / "index.html").page
    assert page.locator(f"{SECTION} .legend").count() == 0
    assert page.locator(f"{SECTION} .chart polyline").count() == 2
    assert page.locator(".both .message").first.inner_text() == "the suite's files are not at hand"


def test_a_large_suite_is_as_small_a_page(faces: tuple[Bundle, Bundle, Path]) -> None:
    record = (faces[0].path / FIGURES_FILE).stat().st_size
    assert record < 40_000
    assert len(read_figures(faces[0]).figures) == 9


def test_reliability_and_risk(tmp_path: Path, opened: Callable[..., Opened]) -> None:
    candidate, baseline, source = write_recognition_pair(tmp_path)
    write_report(candidate, baseline, source)
    page = opened(page_of(candidate), size=PHONE).page
    heads = page.locator(f"{SECTION} figcaption b").all_inner_texts()
    assert heads == ["Reliability", "Risk over coverage", "Confidence of right and of wrong labels"]
    kinds = (
        page.locator(f"{SECTION} .chart")
        .first.locator("polyline")
        .evaluate_all("(all) => all.map((line) => line.getAttribute('class'))")
    )
    assert kinds == ["diagonal", "baseline", "candidate"]
    assert page.evaluate(BEYOND, SECTION) == []


def test_the_photo_of_a_case_with_what_was_said(
    faces: tuple[Bundle, Bundle, Path], opened: Callable[..., Opened]
) -> None:
    page = opened(page_of(faces[0]), size=PHONE).page
    page.locator("table.cases a", has_text="compared").click()
    page.wait_for_function(
        "() => document.querySelector('.frame.candidate img')?.naturalWidth === 90 + 8 + 90", timeout=10_000
    )
    words = page.locator(".still-words.candidate li").all_inner_texts()
    said = ["similarity 0.710", "decision: pass", "quality 0.900 and 0.900", "two people", NAMES[0], NAMES[1]]
    assert words == said
    assert page.locator(".still-words.candidate li.right").all_inner_texts() == ["decision: pass"]
    cut = page.locator(".sheet button > span:first-child").evaluate_all(
        "(all) => all.filter((label) => label.scrollWidth > label.clientWidth + 1).map((label) => label.textContent)"
    )
    assert cut == []
    page.locator("table.cases a", has_text="bad-blur").click()
    page.wait_for_function("() => document.querySelector('.frame.candidate img')?.naturalWidth === 90")
    assert page.locator(".still-words.candidate li.right").inner_text() == "quality 0.200: refuse"
