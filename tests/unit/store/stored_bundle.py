"""A small bundle, made for tests."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Measurement, Run, Source, WeightsFile
from penstock.bundle.verdict_record import Outcome, Verdict


def accepted_bundle(
    path: Path,
    *,
    run_id: str = "run-1",
    version: str = "1.0.0",
    commit: str = "c" * 40,
    verdict: Outcome = "pass",
    baseline: str | None = None,
    url: str = "https://example.org/sonic-lite",
) -> Bundle:
    """A bundle with a verdict and an output, not sealed yet."""
    bundle = Bundle(path)
    bundle.update_run(
        Run(
            penstock="0.1.0",
            run_id=run_id,
            model="sonic-lite",
            source=Source(
                url=url,
                revision=f"v{version}",
                commit=commit,
                committer_date="2024-05-01T10:00:00+02:00",
                version=version,
                tree="a" * 64,
            ),
            weights=[WeightsFile(path="w.onnx", sha256="b" * 64, bytes=3)],
            image=Image(kind="process", digest=f"sha256:{'a' * 64}"),
        )
    )
    bundle.write_measurements([Measurement(case="c", metric="lse_d", value=1.0)])
    bundle.write_verdict(Verdict(verdict=verdict, baseline=baseline, level=0.05, rules=[]))
    (path / "outputs" / "größe").mkdir(parents=True)
    (path / "outputs" / "größe" / "output.mp4").write_bytes(b"video" * 1000)
    return bundle
