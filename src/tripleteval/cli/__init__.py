"""The command line: parse, call one function, print. A command's module is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from tripleteval.cli.errors import guarded, pipe_kept_apart
from tripleteval.errors import closest

# Module and one line of help per command, so that listing them imports none of them.
COMMANDS = {
    "evaluate": "Evaluate stored embeddings: retrieval and triplets, exactly.",
    "plan": "Say what an evaluation would take: pairs, bytes read, memory and time.",
    "triplets": "Evaluate given anchors, positives and negatives.",
    "pairs": "Evaluate given pairs: same or different?",
    "identify": "Identify probes among the identities of a gallery, enrolled or not.",
    "compare": "Say whether one run is better than another, and which queries it broke.",
    "gate": "Check a run against requirements, for continuous integration.",
    "embed": "Embed a folder of pictures, or an array of inputs, with a model.",
    "search": "Measure what approximate search loses in recall, and what it saves.",
    "report": "Write a page, Markdown or model-card results about one run, or several side by side.",
    "export": "Write one TABLE of a RUN as Parquet or CSV.",
    "runs": "List the runs in DIR with their headline numbers, and how these moved.",
    "demo": "Train a small Siamese network, evaluate it and write a report.",
    "completion": "Print the script that completes commands and options in your shell.",
}


class Commands(click.Group):
    """A group whose commands are imported on first use, and whose errors all end in one place."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"tripleteval.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; a name that is close to one is an error that names that one."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing and (close := closest(name, COMMANDS)):
            ctx.fail(f"No such command {name!r}: {close}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments; ``--help`` prints here."""
        with pipe_kept_apart():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with pipe_kept_apart():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and exit: 0 when all went well, otherwise as `guarded` says."""
        extra["standalone_mode"] = False
        return guarded(lambda: super(Commands, self).main(*args, **extra), args[0] if args else extra.get("args"))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tripleteval", message="%(prog)s %(version)s")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def main() -> None:
    """How good is this embedding space? Exact evaluation of embeddings trained with a triplet loss.

    \b
    Examples:
        tripleteval demo
        tripleteval evaluate val.parquet
        tripleteval evaluate probe.npy --labels probe.txt --gallery gallery.npy --gallery-labels gallery.txt
        tripleteval report runs/val -o report.html

    Tables are as wide as the terminal, or as COLUMNS says, also in a pipe; with NO_COLOR=1 they are plain text.

    Exit codes: 0 done, 1 a gate that is not passed, 2 impossible option, 3 unusable data or labels,
    4 unreadable file, 5 memory, disk or a saved run, 6 backend, 70 a bug in tripleteval,
    130 interrupted, 143 terminated, 141 nobody reads on.
    """  # noqa: D301  # \b is how click keeps lines as they are
