"""Penstock: the gate on a vision model's release pipeline.

A git event starts a run: the model's repository is cloned and built, the model answers a fixed suite of cases, the
answers are measured, and a verdict compares them with the current release. Only what passes is published. The
``penstock`` command and the Tekton pipelines do all of that (docs/tutorial.md). This package offers, beside them, what
is useful in a notebook or a script of one's own:

- :func:`read_bundle` opens the bundle of a run: what ran, every call and every value, verified by its manifest;
- :func:`compare` tells what changed between two runs, and how sure that is;
- :func:`gate` judges a run by a policy: pass, fail or inconclusive, each rule with its reason;
- :func:`score_lipsync` and :func:`score_frechet` measure a video, or two sets of pictures.

A side of a comparison is a bundle, a file of measurements, or measurements made in the program:

>>> import penstock
>>> before = [penstock.Measurement(case=f"case-{n}", metric="lse_d", value=8.0 + n % 3) for n in range(20)]
>>> after = [found.model_copy(update={"value": found.value + 1.0 + n % 2}) for n, found in enumerate(before)]
>>> (change,) = penstock.compare(before, after).metrics
>>> change.baseline, change.candidate, change.change
(8.95, 10.45, 1.5)
>>> policy = penstock.Policy.model_validate({"rules": [{"metric": "lse_d", "max": 12.0, "margin": "5%"}]})
>>> verdict = penstock.gate(after, before, policy)
>>> verdict.verdict
'fail'
>>> print(verdict.rules[0].reason)
LSE-D rose from 8.95 to 10.45 (+16.8 %), more than the allowed +5 %

The names of this module are stable; docs/api.md describes them. All other modules are Penstock's own and may change.
``import penstock`` is light: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.api import compare, gate, read_bundle
    from penstock.bundle.directory import Bundle
    from penstock.bundle.models import Invocation, Measurement, Run
    from penstock.bundle.verdict_record import RuleResult, Verdict
    from penstock.contract.policy import Policy
    from penstock.evaluation.picture_sets import FrechetScore, score_frechet
    from penstock.families.talking_head.lipsync_score import LipSyncScore, score_lipsync
    from penstock.foundation.errors import PenstockError, UsageError, WorldError
    from penstock.gating.compare import CaseChange, Comparison, MetricChange

__version__ = "0.1.0"

_HOMES = {
    "penstock.api": ("compare", "gate", "read_bundle"),
    "penstock.bundle.directory": ("Bundle",),
    "penstock.bundle.models": ("Invocation", "Measurement", "Run"),
    "penstock.bundle.verdict_record": ("RuleResult", "Verdict"),
    "penstock.contract.policy": ("Policy",),
    "penstock.evaluation.picture_sets": ("FrechetScore", "score_frechet"),
    "penstock.families.talking_head.lipsync_score": ("LipSyncScore", "score_lipsync"),
    "penstock.foundation.errors": ("PenstockError", "UsageError", "WorldError"),
    "penstock.gating.compare": ("CaseChange", "Comparison", "MetricChange"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bundle",
    "CaseChange",
    "Comparison",
    "FrechetScore",
    "Invocation",
    "LipSyncScore",
    "Measurement",
    "MetricChange",
    "PenstockError",
    "Policy",
    "RuleResult",
    "Run",
    "UsageError",
    "Verdict",
    "WorldError",
    "__version__",
    "compare",
    "gate",
    "read_bundle",
    "score_frechet",
    "score_lipsync",
]


if not TYPE_CHECKING:  # a type checker knows the names from above, and finds those that are not there

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used (PEP 562)."""
        if name not in _HOME_OF:
            raise AttributeError(f"module 'penstock' has no attribute '{name}'")
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """With the names that are not loaded yet."""
    return sorted({*globals(), *__all__})
