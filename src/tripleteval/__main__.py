"""``python -m tripleteval``, where the command itself is not on the path."""

from tripleteval.cli import main

main(prog_name="tripleteval")
