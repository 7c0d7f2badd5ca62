"""What a Containerfile says of the image, read and never run: its base, variables, user, health check, packages."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

MAX_LINES = 10_000
MAX_EXPANDED = 4000
"""Characters of a text with its variables filled in."""
MAX_RUN = 64_000
"""Characters of a RUN line that are looked at; of a variable in one, 200."""
MAX_RUNS = 1_000_000
"""Characters of all of them."""
MAX_STAGES = 200
MAX_COPIES = 1000
_FLAG = re.compile(r"--([a-z]+)(?:=\S*)?\s+")
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+[Aa][Ss]\s+(\S+))?\s*")
_PIP = re.compile(r"(?:.*/)?(?:pip3?(?:\.\d+)?|uv)")
_PAIR = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:[^\s\\]|\\.)*)")


@dataclass(frozen=True)
class CopyLine:
    """A ``COPY`` or ``ADD`` from the build's context, with its variables filled in."""

    sources: tuple[str, ...]
    """As they are written: relative to the context, ``*``, ``?`` and ``[…]`` stand for names."""
    target: str
    """Absolute; it ends with ``/`` where that says that it is a folder."""
    unpacks: bool
    """``ADD``: an archive is unpacked there."""


@dataclass
class RecipeStage:
    """One stage, with all that it has from those that it stands on."""

    base: str
    """The image that the first of them stands on: ``docker.io/library/python:3.11-slim``."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    """``None``: no line says."""
    healthcheck: str = ""
    runs: list[str] = field(default_factory=list)
    """The texts of its ``RUN`` lines."""
    directory: str | None = None
    """``WORKDIR``; ``None``: the base image's, which is not known here."""
    copies: list[CopyLine] = field(default_factory=list)
    """What it takes from the context, where it is known which files go where."""

    def copy(self) -> RecipeStage:
        """One that another stage begins with."""
        return replace(self, environment=dict(self.environment), runs=list(self.runs), copies=list(self.copies))


def read_recipe(text: str, *, target: str | None = None, args: Mapping[str, str] | None = None) -> RecipeStage | None:
    """The stage that is built.

    Args:
        text: the Containerfile.
        target: ``build.target``; ``None``: the last stage.
        args: ``build.args``.

    Returns:
        ``None``: there is no such stage.
    """
    stages: dict[str, RecipeStage] = {}
    given = dict(args or {})
    before: dict[str, str] = {}
    """``ARG`` lines before the first stage."""
    known: dict[str, str] = {}
    now: RecipeStage | None = None
    count = 0
    for word, rest in _instructions(text):
        if word == "FROM" and (found := _FROM.fullmatch(rest.strip())) and count < MAX_STAGES:
            name = expanded(found[1], before | given)
            above = stages.get(name.lower())
            now = above.copy() if above is not None else RecipeStage(name, directory="/" if name == "scratch" else None)
            known = {}
            stages[str(count)] = now
            count += 1
            if found[2]:
                stages[found[2].lower()] = now
        elif word == "ARG":
            for name, _, value in (pair.partition("=") for pair in _words(rest)):
                scope = before if now is None else known
                default = before.get(name, "") if now is not None else ""
                scope[name] = given.get(name, expanded(value, before | known) if value else default)
        elif now is not None:
            _apply(now, word, rest, known)
    return now if target is None else stages.get(target.lower())


def _apply(stage: RecipeStage, word: str, rest: str, known: Mapping[str, str]) -> None:
    # a variable of the environment goes before a build argument of the same name
    scope = {**known, **stage.environment}
    if word == "ENV":
        rest = rest[:MAX_RUN]
        pairs = [(found[1], _unquoted(found[2])) for found in _PAIR.finditer(rest)]
        first = rest.split(None, 1)
        if len(first) == 2 and "=" not in first[0]:  # the old form, `ENV NAME the value`
            pairs = [(first[0], first[1].strip())]
        stage.environment |= {name: expanded(value, scope) for name, value in pairs}
    elif word == "USER":
        stage.user = expanded(rest.strip(), scope)
    elif word == "HEALTHCHECK":
        stage.healthcheck = "" if rest.strip().upper() == "NONE" else " ".join(rest.split())
    elif word == "WORKDIR":
        stage.directory = _absolute(expanded(_unquoted(rest.strip()), scope), stage.directory)
    elif word in ("COPY", "ADD"):
        line = _copy_line(word, rest, stage.directory, scope)
        if line is not None and len(stage.copies) < MAX_COPIES:
            stage.copies.append(line)
    elif word == "RUN":
        short = {name: value[:200] for name, value in scope.items()}
        stage.runs.append(expanded(rest, short, unknown=True, limit=MAX_RUN))


def _absolute(path: str, directory: str | None) -> str | None:
    """A path of the image, ``None`` where that is not known; a ``/`` at its end stays."""
    if not path.startswith("/") and directory is None:
        return None
    whole = posixpath.normpath(posixpath.join(directory or "/", path))
    folder = path.endswith(("/", "/.", "/..")) or path in ("", ".", "..")
    return "/" + whole.strip("/") + ("/" if folder and whole.strip("/") else "")


def _copy_line(word: str, rest: str, directory: str | None, scope: Mapping[str, str]) -> CopyLine | None:
    """What a line takes from the context; ``None``: nothing, or it is not known which files and where."""
    rest = rest.strip()[:MAX_RUN]
    while flag := _FLAG.match(rest):
        if flag[1] not in ("chown", "chmod", "link"):
            return None  # --from: not the context; --exclude, --parents: other files, or elsewhere
        rest = rest[flag.end() :]
    if "<<" in rest:
        return None
    try:
        words = json.loads(rest) if rest.startswith("[") else _words(rest)
    except (ValueError, RecursionError):
        return None
    if len(words) < 2 or not all(isinstance(each, str) for each in words):
        return None
    *sources, place = (expanded(each, scope) for each in words)
    target = _absolute(place, directory)
    if target is None or any("://" in source or source.startswith("git@") for source in sources):
        return None
    return CopyLine(tuple(sources), target, unpacks=word == "ADD")


def expanded(text: str, variables: Mapping[str, str], *, unknown: bool = False, limit: int = MAX_EXPANDED) -> str:
    """A text with its variables filled in.

    Args:
        text: ``cuda:${VERSION:-12.4}``.
        variables: their values.
        unknown: variables that are not known stay as they are, since a shell may know them.
        limit: characters of the text, before and after.
    """

    def value(found: re.Match[str]) -> str:
        if found[0].startswith("\\"):
            return "$"
        name, form, word = found[1] or found[2], found[3], found[4]
        if form == "-":
            return variables.get(name) or word
        if form == "+":
            return word if variables.get(name) else ""
        return variables.get(name, found[0] if unknown else "")

    return _VARIABLE.sub(value, text[:limit])[:limit]


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction with what follows it, lines that go on joined, comments and here-documents aside."""
    lines = iter(text.splitlines()[:MAX_LINES])
    escape, first, joined = "\\", True, ""
    for line in lines:
        bare = line.strip()
        if first and (directive := _DIRECTIVE.fullmatch(bare)):
            escape = directive[1]
            continue
        first = first and bare.startswith("#")
        if bare.startswith("#") or (joined and not bare):
            continue
        if line.rstrip().endswith(escape):
            joined += line.rstrip()[:-1] + " "
            continue
        whole, joined = joined + line, ""
        found = _INSTRUCTION.fullmatch(whole)
        if found is None:
            continue
        rest = found[2]
        for end in _HEREDOC.findall(rest) if found[1].upper() in ("RUN", "COPY", "ADD") else ():
            for inner in lines:
                if inner.strip() == end:
                    break
                rest += "\n" + inner
        yield found[1].upper(), rest


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _unquoted(text: str) -> str:
    if text[:1] == "'":
        return text[1:-1]
    if text[:1] == '"':
        text = text[1:-1]
    return re.sub(r"\\([\"\\ ])", r"\1", text)


@dataclass(frozen=True)
class Installs:
    """What ``pip install`` lines name."""

    files: list[str]
    """Files of requirements, as they are named."""
    packages: list[str]
    """``onnxruntime-gpu==1.23.2``."""
    indexes: list[str]
    """Indexes other than PyPI."""


def installs(runs: list[str]) -> Installs:
    """What the ``RUN`` lines install with pip or uv."""
    found = Installs([], [], [])
    rest = MAX_RUNS
    for run in runs:
        rest -= len(run)
        if rest < 0:
            break
        for command in re.split(r"&&|\|\||;|\n", run):
            words = _words(command)
            before = words.index("install") if "install" in words else 0
            if any(_PIP.fullmatch(word) for word in words[:before]):
                _arguments(words[before + 1 :], found)
    return found


_FILES = ("-r", "--requirement", "--requirements")
_INDEXES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--index", "--default-index")
_OTHERS = (
    *("-c", "--constraint", "-t", "--target", "--prefix", "--root", "--python", "--python-version", "--platform"),
    *("--only-binary", "--no-binary", "--timeout", "--retries", "--cert", "--trusted-host", "--cache-dir", "--src"),
    *("-e", "--editable", "--progress-bar", "--proxy", "--abi", "--implementation", "--upgrade-strategy"),
)
"""Options with a value that says nothing here."""


def _arguments(words: list[str], found: Installs) -> None:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            found.packages.append(word)
        elif name in (*_FILES, *_INDEXES, *_OTHERS):
            value = value if equals else next(rest, "")
            if name in _FILES:
                found.files.append(value)
            elif name in _INDEXES:
                found.indexes.append(value)
        elif word.startswith("-r") and len(word) > 2:
            found.files.append(word[2:])
