"""Which files of the context a recipe copies, and where to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.environment import copied_files as module
from penstock.environment.copied_files import copied_files, ignore_files
from penstock.environment.recipe import read_recipe
from penstock.foundation.errors import UsageError

FILES = [Path(name) for name in ("run.py", "app/net.py", "app/sub/more.py", "data.tar.gz", "notes.md", "a b.txt")]


def places(recipe: str, **options: str) -> dict[str, tuple[str, ...]]:
    stage = read_recipe(recipe, **options)  # type: ignore[arg-type]
    assert stage is not None
    return {file.source.as_posix(): file.places for file in copied_files(stage, FILES)}


def test_a_folder_comes_with_all_that_it_holds() -> None:
    assert places("FROM a\nCOPY app /model\n") == {
        "app/net.py": ("model/net.py",),
        "app/sub/more.py": ("model/sub/more.py",),
    }
    assert places("FROM a\nWORKDIR /model\nCOPY ./app/ .\n") == places("FROM a\nCOPY app /model\n")
    everything = places("FROM scratch\nCOPY . .\n")
    assert everything == {path.as_posix(): (path.as_posix(),) for path in FILES}


def test_a_file_lies_in_a_folder_or_under_a_name_of_its_own() -> None:
    assert places("FROM a\nCOPY run.py /model/\n") == {"run.py": ("model/run.py",)}
    assert places("FROM a\nCOPY run.py notes.md /model\n")["run.py"] == ("model/run.py",)
    # whether /model is a folder, only the base image tells
    assert places("FROM a\nCOPY run.py /model\n") == {"run.py": ("model", "model/run.py")}
    assert places("FROM a\nWORKDIR /\nCOPY run.py .\n") == {"run.py": ("run.py",)}
    assert places('FROM a\nCOPY ["a b.txt", "/x/"]\n') == {"a b.txt": ("x/a b.txt",)}
    assert places("FROM a\nCOPY run.py /bin/\n") == {"run.py": ("bin/run.py", "usr/bin/run.py")}


def test_patterns_stand_for_names_and_not_for_slashes() -> None:
    assert set(places("FROM a\nCOPY *.py *.md /m/\n")) == {"run.py", "notes.md"}
    assert set(places("FROM a\nCOPY app/../../*.md /m/\n")) == {"notes.md"}
    assert set(places("FROM a\nCOPY app/*.py /m/\n")) == {"app/net.py"}
    assert places("FROM a\nCOPY a?p /m/\n")["app/sub/more.py"] == ("m/sub/more.py",)


def test_the_later_of_two_files_in_one_place_counts() -> None:
    found = places("FROM a\nCOPY run.py /m/x.py\nCOPY notes.md /m/x.py\n")
    assert found == {"notes.md": ("m/x.py", "m/x.py/notes.md")}


def test_what_does_not_come_from_the_context_is_left_out() -> None:
    lines = (
        "COPY --from=b /m /m",
        "COPY --exclude=*.md . /m",
        "COPY <<EOF /m/x\nrun.py\nEOF",
        "ADD https://example.org/run.py /m/",
        "ADD data.tar.gz /m/",
        "COPY run.py relative",
        "COPY run.py",
        'COPY ["run.py", 3]',
    )
    for line in lines:
        assert places(f"FROM a\n{line}\n") == {}, line
    assert places("FROM a\nADD run.py /m/\nCOPY data.tar.gz /m/\n").keys() == {"run.py", "data.tar.gz"}
    assert places("FROM a\nCOPY --chown=1:1 --chmod=755 run.py /m/\n").keys() == {"run.py"}


def test_a_stage_has_what_it_stands_on_and_variables_are_filled_in() -> None:
    one = "FROM a AS one\nARG AT=/srv\nENV PLACE=$AT/m\nWORKDIR $PLACE\nCOPY run.py .\n"
    recipe = f"{one}FROM b\nFROM one\nWORKDIR app\nCOPY app ./\n"
    assert places(recipe) == {
        "run.py": ("srv/m/run.py",),
        "app/net.py": ("srv/m/app/net.py",),
        "app/sub/more.py": ("srv/m/app/sub/more.py",),
    }
    assert places(recipe, target="one") == {"run.py": ("srv/m/run.py",)}
    assert places(recipe, target="1") == {}


def test_a_recipe_that_names_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOOKS", 10)
    with pytest.raises(UsageError, match="name too much"):
        places("FROM a\nCOPY run.py notes.md /m/\n")


def test_files_of_patterns_are_found_where_builders_look(tmp_path: Path) -> None:
    recipe = tmp_path / "docker" / "Containerfile"
    recipe.parent.mkdir()
    assert ignore_files(tmp_path, recipe) == []
    (tmp_path / ".dockerignore").write_text("")
    (recipe.parent / "Containerfile.dockerignore").write_text("")
    assert len(ignore_files(tmp_path, recipe)) == 2


@settings(max_examples=60, deadline=None)
@given(st.text("ab./*?[]-!\\$\"', \n<{}", max_size=40))
def test_any_line_names_files_of_the_context_and_places_in_the_image(line: str) -> None:
    stage = read_recipe(f"FROM scratch\nCOPY {line}\nCOPY run.py /m/\n")
    assert stage is not None
    found = copied_files(stage, FILES)
    assert {file.source for file in found} <= set(FILES)
    assert all(place and not place.startswith("/") for file in found for place in file.places)
