"""Finding the commit that made a metric worse.

:mod:`~penstock.bisect.search` is the search alone, without git and without models.
:mod:`~penstock.bisect.commits` says which commits there are, :mod:`~penstock.bisect.fixed_suite` and
:mod:`~penstock.bisect.same_suite` put the same cases and extractors under all of them,
:mod:`~penstock.bisect.pipeline` is the release pipeline up to *measure*,
:mod:`~penstock.bisect.library` finds bundles that exist, :mod:`~penstock.bisect.question` asks the gate,
:mod:`~penstock.bisect.commit_runs` runs a commit, :mod:`~penstock.bisect.bisection` searches, and
:mod:`~penstock.bisect.requested_bisection` puts these together.
"""
