"""What is heard in a run's videos: ``transcripts.jsonl`` of the bundle."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.contract.models import Case
from penstock.evaluation.case_answers import answers_of
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import inside, replacing
from penstock.media import read_audio
from penstock.speech.transcription import Transcriber

log = logging.getLogger(__name__)

FILE = "transcripts.jsonl"


def transcribe(bundle: Bundle, cases: Sequence[Case], transcriber: Transcriber) -> int:
    """Write what is heard in the answer to each case; returns how many have words.

    One line a case that has an answer: ``case``, ``by`` (the transcriber's name), and ``words``, each with its text,
    where it begins and where it ends, in seconds from the video's first frame; or ``error``, why there are none.
    Nothing is judged by it: a recording that cannot be heard, or a server that is away, is a reason and stops nothing.
    A server that is away is asked once; one that refuses a recording is asked about the next.
    """
    calls = {call.case: call for call in bundle.invocations()}
    away = ""
    heard = 0
    with replacing(bundle.path / FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
        for case in cases:
            call = calls.get(case.name)
            if call is None or call.status != "ok" or "" not in (outputs := answers_of(call)):
                continue
            line: dict[str, object] = {"case": case.name, "by": transcriber.name}
            try:
                if away:
                    raise WorldError(away)
                video: Path = inside(bundle.path, outputs[""], where=str(bundle.invocations_file))
                words = transcriber.words(read_audio(video, with_video=True))
                line["words"] = [[word.text, word.start_s, word.end_s] for word in words]
                heard += bool(words)
            except UsageError as error:
                line["error"] = error.what
            except WorldError as error:
                if not away:
                    log.warning("no transcripts: %s", error)
                line["error"] = away = error.what
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    return heard
