"""The ``penstock`` command: subcommands, errors as one message, exit codes."""

from __future__ import annotations

import difflib
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from penstock import __version__
from penstock.foundation.errors import ExitCode, PenstockError, printable
from penstock.foundation.references import load

HELP = """The gate on a vision model's release pipeline.

Clones a model's repository, builds it, runs it over fixed cases, measures what it returns, gates it against the
released model, archives the evidence and publishes only what holds.

Exit codes: 0 accepted, 1 rejected, 2 bad usage or contract, 3 inconclusive, 4 the world failed, 70 our bug.

Example: penstock run release --repo https://git.example.org/models/sonic.git --revision v1.1.0
"""

COMMANDS: Mapping[str, str] = {
    "init": "penstock.cli.init:init",
    "families": "penstock.cli.families:families",
    "check": "penstock.cli.check:check",
    "schema": "penstock.cli.schema:schema",
    "run": "penstock.cli.run:run",
    "runs": "penstock.cli.runs:runs",
    "open": "penstock.cli.open_report:open_report",
    "clean": "penstock.cli.clean:clean",
    "gate": "penstock.cli.gate:gate",
    "calibrate": "penstock.cli.calibrate:calibrate",
    "compare": "penstock.cli.compare:compare",
    "evaluate": "penstock.cli.evaluate:evaluate",
    "load": "penstock.cli.load:load",
    "watch": "penstock.cli.watch:watch",
    "comment": "penstock.cli.comment:comment",
    "releases": "penstock.cli.releases:releases",
    "serve": "penstock.cli.serve:serve",
    "rollback": "penstock.cli.release_acts:rollback",
    "promote": "penstock.cli.release_acts:promote",
    "withdraw": "penstock.cli.release_acts:withdraw",
    "track": "penstock.cli.track:track",
    "verify": "penstock.cli.verify:verify",
    "sbom": "penstock.cli.sbom:sbom",
    "bisect": "penstock.cli.bisect:bisect",
}
"""Command → the function that does it, in the order of the help."""
WEIGHTS: Mapping[str, str] = {
    "import": "penstock.cli.weights_import:import_weights",
    "sign": "penstock.cli.weights_sign:sign",
    "verify": "penstock.cli.weights_sign:verify",
}
CANARY: Mapping[str, str] = {
    "status": "penstock.cli.canary:status",
    "pause": "penstock.cli.canary:pause",
    "resume": "penstock.cli.canary:resume",
    "abort": "penstock.cli.canary:abort",
}
SUITE: Mapping[str, str] = {
    "add": "penstock.cli.suite:add",
    "lint": "penstock.cli.suite:lint",
    "power": "penstock.cli.suite:power",
}
PULLS: Mapping[str, str] = {"serve": "penstock.cli.pulls:serve_pulls"}
RATE: Mapping[str, str] = {"status": "penstock.cli.rate:status", "close": "penstock.cli.rate:close"}
STORE: Mapping[str, str] = {"transfer": "penstock.cli.store_transfer:transfer"}


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The program. Of its commands only the one that ``arguments`` name is made, since each takes time to make.

    All of them are made where none is named, or one that there is not: for the help, for shells that complete, and for
    what was meant. ``--version`` needs none.
    """
    words = [argument for argument in arguments if not argument.startswith("-")]
    command, part = (*words, "", "")[:2]
    app = typer.Typer(
        name="penstock",
        help=HELP,
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    groups: dict[str, tuple[str, Callable[[], Mapping[str, str]]]] = {
        "score": ("Compute one metric on its own.", lambda: _score(part)),
        "weights": ("Work with weights.", lambda: WEIGHTS),
        "store": ("Work with a store.", lambda: STORE),
        "suite": ("Look at a suite before it judges.", lambda: SUITE),
        "pulls": ("Try pull and merge requests.", lambda: PULLS),
        "rate": ("Work with people's ratings of a run.", lambda: RATE),
        "canary": ("Look at a canary, pause it, stop it.", lambda: CANARY),
    }
    named = command in COMMANDS or command in groups or "--version" in arguments
    for name, place in COMMANDS.items():
        if not named or name == command:
            app.command(name)(load(place))
    for name, (text, members) in groups.items():
        if not named or name == command:
            group = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
            for member, place in members().items():
                group.command(member)(load(place))
            app.add_typer(group, name=name)
    return app


def _score(command: str) -> Mapping[str, str]:
    """The families' commands: one of them, if it is named."""
    from penstock.families.registry import find_score_command, score_commands

    place = find_score_command(command)
    return score_commands() if place is None else {command: place}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


def options(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    """Options of every subcommand; what they do is in :func:`main`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code of DESIGN: see :class:`penstock.foundation.errors.ExitCode`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # no plugin of a distribution beside this one changes how a contract is validated, nor costs its search a start
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        answer = application(arguments)(arguments, prog_name="penstock", standalone_mode=False)
    except PenstockError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error}")
        return int(error.exit_code)
    except TyperException as error:
        # usage errors know how to show themselves, with the usage line
        show = getattr(error, "show", None)
        if show is None:
            _say(f"error: {error}")
        else:
            show()
            if meant := _track_meant(error):
                _say(f"Did you mean 'penstock run {meant}'?")
        return int(ExitCode.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # the reader (head, less) went away: nothing is wrong
        sys.stderr.close()
        return int(ExitCode.OK)
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"bug: {type(error).__name__}: {printable(str(error))}. Report it with the output of --debug.")
        return int(ExitCode.BUG)
    return answer if isinstance(answer, int) else int(ExitCode.OK)


def _track_meant(error: TyperException) -> str:
    """The track whose name was given, or nearly, as if it were a command."""
    from penstock.local_run.own_pipelines import TRACKS

    named = re.search(r"No such command '([^']+)'", getattr(error, "message", ""))
    return next(iter(difflib.get_close_matches(named[1], TRACKS, n=1)), "") if named else ""


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
