"""The message that tells people how a run ended.

What a repository or a model has to say (names, versions, reasons, the end of a log) goes into chats, mails and
comments, which take some of it for markup, links or names that are notified: it is escaped, see :class:`Message`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.export_record import export_record
from penstock.bundle.failures import first_failure
from penstock.gating.wording import tally
from penstock.report.old_verdicts import read_verdict
from penstock.report.summary import bare, markdown_summary, plain, title

NEARLY_NOTHING_BYTES = 1 << 20
"""With less than that no step can write its files."""
LEFT_NO_WORD = "left no word: its pod was deleted or evicted, or could not start, or its log says more."


@dataclass(frozen=True)
class Message:
    """How a run ended."""

    title: str
    """One line as it is, for logs and terminals."""
    text: str
    """The body as it is, except a verdict's: that is Markdown, with what comes from elsewhere escaped."""
    is_markdown: bool = False

    @property
    def chat_title(self) -> str:
        """The title where no service finds anything in it to format, to link or to notify."""
        return bare(self.title)

    @property
    def markdown(self) -> str:
        """The body as Markdown; whatever it is converted to, nothing in it becomes markup, a link or a name."""
        return self.text if self.is_markdown else plain(self.text)


def message(bundle: Bundle, status: str) -> Message:
    """The message about a run, also about one that broke before it had a verdict.

    Args:
        bundle: the run's bundle, as far as it came.
        status: Tekton's aggregate status of the tasks (``Succeeded``, ``Failed``, ``Completed``, ``None``), or empty.
    """
    if status == "Failed":
        return Message(*_broken(bundle))
    if not bundle.run_file.exists():
        return Message(
            "Penstock: the run ended before the repository was cloned",
            f"Status of the tasks: {status or 'unknown'}.",
        )
    run = bundle.run()
    if bundle.verdict_file.exists():
        verdict = read_verdict(bundle)
        return Message(title(run, verdict), markdown_summary(run, verdict), is_markdown=True)
    name = f"{run.model} " if run.model else ""
    ended = "finished" if run.track == "verify" and status in ("Succeeded", "Completed") else "broke"
    return Message(
        f"{name}{run.track} run {run.run_id} {ended}",
        f"{_last_step(bundle)} Status of the tasks: {status or 'unknown'}.{_export(bundle)}",
    )


def headline(bundle: Bundle, status: str) -> str:
    """The message in one line: the verdict, or which step broke and why."""
    said = message(bundle, status)
    if status == "Failed":
        return f"{said.title}: {' '.join(said.text.split())}"
    verdict = read_verdict(bundle) if bundle.verdict_file.exists() else None
    if verdict is not None and verdict.verdict == "pass" and any(rule.not_compared for rule in verdict.rules):
        return f"{said.title} (first release: {tally(verdict.rules)})"
    return said.title


def _broken(bundle: Bundle) -> tuple[str, str]:
    """A step failed, or was lost with its pod: perhaps after the verdict, and the evidence could not be stored."""
    what = "Penstock: the run"
    if bundle.run_file.exists():
        run = bundle.run()
        what = " ".join(word for word in (run.model, run.track, "run", run.run_id) if word)
    failure = first_failure(bundle)
    if failure is not None:
        return f"{what} broke in the step {failure.step}", failure.error
    if _is_full(bundle):
        return (
            f"{what} broke",
            f"The volume 'work' is full. Free space on it, or use a larger one. {_last_step(bundle)}",
        )
    if not bundle.run_file.exists():
        return "Penstock: the run broke before the repository was cloned", f"The step clone {LEFT_NO_WORD}"
    return f"{what} broke", f"{_last_step(bundle)} The one after it {LEFT_NO_WORD}"


def _last_step(bundle: Bundle) -> str:
    done = [step.name for step in bundle.run().steps] if bundle.run_file.exists() else []
    return f"The last step that finished was '{done[-1]}'." if done else "No step finished."


def _export(bundle: Bundle) -> str:
    """Of a run without a verdict: that the model's exported file would not be used, and why."""
    record = export_record(bundle)
    if record is None or record.fault is None:
        return ""
    return f" The exported file would not be used ({record.switch}=false): {record.fault}."


def _is_full(bundle: Bundle) -> bool:
    try:
        return shutil.disk_usage(bundle.path).free < NEARLY_NOTHING_BYTES
    except OSError:
        return False
