"""The links of a message: where reports, runs and commits are, which only the operator knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from penstock.bundle.models import Run
from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular
from penstock.notices.notice import MAX_URL_CHARACTERS, NoticeLink

FILE = "links"
PICTURE = "picture"
"""The label of the line that says where the picture of the worst case is: it is shown, not followed."""
ATTACHED = "attached"
"""In the place of that address: the picture itself goes into mails and to WeCom's robots."""
MAX_BYTES = 1 << 16
MAX_LINKS = 6
"""What a card of Teams shows without a menu."""
NAMES = {"model", "version", "run", "commit", "evidence"}
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_COMMITS = {"github.com": "commit", "gitlab.com": "-/commit"}
"""Public forges, whose pages are known: a repository elsewhere names its own host, and that is no link."""


@dataclass(frozen=True)
class LinkValues:
    """What a link may name. An empty value leaves out the links that need it."""

    model: str = ""
    version: str = ""
    run: str = ""
    commit: str = ""
    repository: str = ""
    """The repository's address; not for templates: the caller of a run chooses it."""
    evidence: str = ""
    """Where its bundle lies in the store: ``runs/MODEL/RUN``; empty as long as it is not archived."""


def values_of(run: Run, evidence: str = "") -> LinkValues:
    """Those of a run, as far as it came.

    Args:
        run: its record.
        evidence: where its bundle lies in the store; empty: nowhere yet.
    """
    source = run.source
    if source is None:
        return LinkValues(model=run.model, run=run.run_id, evidence=evidence)
    return LinkValues(run.model, source.version, run.run_id, source.commit, source.url, evidence)


def links_of(values: LinkValues, directory: Path | None = None) -> tuple[NoticeLink, ...]:
    """The links of the file ``links`` in ``directory``, and to the commit if its forge is a public one.

    Each line is a label and an address with words of :data:`NAMES` in braces in it, or none.

    Raises:
        UsageError: a line of the file is something else; it is too large or not text.
    """
    found = [(label, url) for label, url in _filled_lines(values, directory) if label != PICTURE]
    commit = _commit(values)
    if commit and all(label != "commit" for label, _ in found):
        found.append(("commit", commit))
    # What a repository calls its version may be longer than any address: a link less, and the message goes out.
    return tuple([NoticeLink(label, url) for label, url in found if 0 < len(url) <= MAX_URL_CHARACTERS][:MAX_LINKS])


def picture_link(values: LinkValues, directory: Path | None = None) -> NoticeLink | None:
    """Where the line ``picture`` of the file ``links`` says that the picture of the worst case is, if it says so.

    Raises:
        UsageError: see :func:`links_of`.
    """
    urls = (url for label, url in _filled_lines(values, directory) if label == PICTURE and url != ATTACHED)
    return next((NoticeLink(PICTURE, url) for url in urls if 0 < len(url) <= MAX_URL_CHARACTERS), None)


def is_picture_attached(directory: Path | None) -> bool:
    """Whether the file ``links`` has the line ``picture attached``.

    Raises:
        UsageError: see :func:`links_of`.
    """
    return directory is not None and (PICTURE, ATTACHED) in _templates(directory)


def _filled_lines(values: LinkValues, directory: Path | None) -> list[tuple[str, str]]:
    return [(label, _filled(template, values)) for label, template in (_templates(directory) if directory else ())]


def _templates(directory: Path) -> list[tuple[str, str]]:
    path = directory / FILE
    if not path.exists():
        return []
    raw = read_regular(path, max_bytes=MAX_BYTES, where=f"receivers: {FILE}")
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise UsageError("not UTF-8 text", where=f"receivers: {FILE}") from None
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words == [PICTURE, ATTACHED]:
            found.append((PICTURE, ATTACHED))
            continue
        if len(words) != 2 or set(_PLACEHOLDER.findall(words[1])) - NAMES:
            raise UsageError(
                "not a link",
                where=f"receivers: {FILE}, line {number}",
                todo="Write LABEL https://HOST/PATH with {model}, {version}, {run}, {commit} or {evidence} in it.",
            )
        NoticeLink(words[0], _PLACEHOLDER.sub("x", words[1]))  # refused here, and not when something is to be told
        found.append((words[0], words[1]))
    return found


def _filled(template: str, values: LinkValues) -> str:
    """The address; empty if a value is missing."""
    names = _PLACEHOLDER.findall(template)
    if not all(getattr(values, name) for name in names):
        return ""
    return _PLACEHOLDER.sub(lambda found: _quoted(found[1], getattr(values, found[1])), template)


def _quoted(name: str, value: str) -> str:
    """A place in the store is a path; everything else is one part of one."""
    return quote(value, safe="/" if name == "evidence" else "")


def _commit(values: LinkValues) -> str:
    """The commit's page; empty if its forge is not a known one."""
    parts = urlsplit(values.repository) if values.repository.startswith("https://") else None
    way = _COMMITS.get(parts.netloc) if parts is not None else None
    path = parts.path.strip("/").removesuffix(".git") if parts is not None else ""
    known = re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", path) and re.fullmatch(r"[0-9a-f]{40}", values.commit)
    if parts is None or way is None or not known:
        return ""
    return f"https://{parts.netloc}/{path}/{way}/{values.commit}"
