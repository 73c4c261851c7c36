"""``tripleteval completion``: what a shell needs to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_TRIPLETEVAL_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in your shell.

    \b
    Examples:
        echo 'eval "$(tripleteval completion bash)"' >> ~/.bashrc
        echo 'eval "$(tripleteval completion zsh)"' >> ~/.zshrc
        tripleteval completion fish > ~/.config/fish/completions/tripleteval.fish
    """  # noqa: D301  # \b is how click keeps lines as they are
    script = get_completion_class(shell)
    if script is not None:
        click.echo(script(ctx.find_root().command, {}, "tripleteval", _VARIABLE).source())
