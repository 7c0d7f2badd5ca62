"""The message that tells people how a run ended."""

from __future__ import annotations

from penstock.bundle.directory import Bundle
from penstock.report.summary import markdown_summary, title


def message(bundle: Bundle, status: str) -> tuple[str, str]:
    """Title and body, also for a run that broke before it had a verdict.

    Args:
        bundle: the run's bundle, as far as it came.
        status: Tekton's aggregate status of the tasks (``Succeeded``, ``Failed``, ``Completed``, ``None``), or empty.
    """
    if not bundle.run_file.exists():
        return (
            "Penstock: the run broke before the repository was cloned",
            f"Status of the tasks: {status or 'unknown'}.",
        )
    run = bundle.run()
    if bundle.verdict_file.exists():
        verdict = bundle.verdict()
        return title(run, verdict), markdown_summary(run, verdict)
    done = [step.name for step in run.steps]
    last = f"The last step that finished was '{done[-1]}'." if done else "No step finished."
    name = f"{run.model} " if run.model else ""
    ended = "finished" if run.track == "verify" and status in ("Succeeded", "Completed") else "broke"
    return f"{name}{run.track} run {run.run_id} {ended}", f"{last} Status of the tasks: {status or 'unknown'}."
