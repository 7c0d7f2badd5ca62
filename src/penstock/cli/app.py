"""The ``penstock`` command: subcommands, errors as one message, exit codes."""

from __future__ import annotations

import difflib
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from penstock import __version__
from penstock.cli.bisect import bisect
from penstock.cli.calibrate import calibrate
from penstock.cli.check import check
from penstock.cli.clean import clean
from penstock.cli.comment import comment
from penstock.cli.compare import compare
from penstock.cli.families import families
from penstock.cli.gate import gate
from penstock.cli.init import init
from penstock.cli.open_report import open_report
from penstock.cli.run import run
from penstock.cli.runs import runs
from penstock.cli.schema import schema
from penstock.cli.store_transfer import transfer
from penstock.cli.weights_import import import_weights
from penstock.families.family import load
from penstock.families.registry import BUILT_IN, family, family_names
from penstock.foundation.errors import ExitCode, PenstockError, printable

HELP = """The gate on a vision model's release pipeline.

Clones a model's repository, builds it, runs it over fixed cases, measures what it returns, gates it against the
released model, archives the evidence and publishes only what holds.

Exit codes: 0 accepted, 1 rejected, 2 bad usage or contract, 3 inconclusive, 4 the world failed, 70 our bug.

Example: penstock run release --repo https://git.example.org/models/sonic.git --revision v1.1.0
"""

app = typer.Typer(
    name="penstock",
    help=HELP,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
score = typer.Typer(help="Compute one metric on its own.", no_args_is_help=True, rich_markup_mode=None)
weights = typer.Typer(help="Work with weights.", no_args_is_help=True, rich_markup_mode=None)
store = typer.Typer(help="Work with a store.", no_args_is_help=True, rich_markup_mode=None)

app.command()(init)
app.command()(families)
app.command()(check)
app.command()(schema)
app.command()(run)
app.command()(runs)
app.command("open")(open_report)
app.command()(clean)
app.command()(gate)
app.command()(calibrate)
app.command()(compare)
app.command()(comment)
app.command()(bisect)
weights.command("import")(import_weights)
app.add_typer(score, name="score")
store.command()(transfer)
app.add_typer(weights, name="weights")
app.add_typer(store, name="store")


def _add_score_commands(names: Iterable[str]) -> None:
    for name in names:
        for command, place in family(name).commands.items():
            score.command(command)(load(place))


_add_score_commands(BUILT_IN)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
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
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        if "score" in arguments:
            # families of other distributions are looked for only where one may be wanted
            _add_score_commands(name for name in family_names() if name not in BUILT_IN)
        answer = app(arguments, prog_name="penstock", standalone_mode=False)
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
    from penstock.cli.run_request import TRACKS

    named = re.search(r"No such command '([^']+)'", getattr(error, "message", ""))
    return next(iter(difflib.get_close_matches(named[1], TRACKS, n=1)), "") if named else ""


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
