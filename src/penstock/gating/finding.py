"""What is found for and against a rule, while it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.verdict_record import Outcome
from penstock.gating.wording import Sentence


@dataclass
class Finding:
    """Sentences for and against, while a rule is judged."""

    against: list[Sentence]
    undecided: list[Sentence]
    notes: list[Sentence]

    @property
    def verdict(self) -> Outcome:
        """One sentence against it is enough."""
        return "fail" if self.against else "inconclusive" if self.undecided else "pass"

    @property
    def reason(self) -> Sentence:
        """The sentences that decided and what is open beside them, else all; about what the first is about."""
        told = [*self.against, *self.undecided] or self.notes
        if not told:
            return Sentence("")
        return Sentence("; ".join([told[0].predicate, *map(str, told[1:])]), told[0].subject)
