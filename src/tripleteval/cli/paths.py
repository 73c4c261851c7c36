"""Paths on the command line: completed by the shell, judged by whoever opens them, written only where that is safe."""

from __future__ import annotations

import os

import click

from tripleteval.errors import FileError, ResourceError

# The shell completes it, and that is all: whether a file is there and readable the readers say, with a code.
PATH = click.Path(readable=False)


def require_new_file(path: str, inputs: tuple[str, ...], *, overwrite: bool) -> None:
    """Refuse a file that must not, or cannot, be written.

    Raises:
        FileError: It is an input, a folder, there already, or cannot be made (E611).
    """
    from tripleteval.runs import new_run_folder, require_free

    target = os.path.realpath(path)
    if target in {os.path.realpath(name) for name in inputs}:
        raise FileError("E611", "the output is one of the inputs", where=path, fix="write to another file")
    if os.path.isdir(target):
        raise FileError("E611", "a folder, where a file is to be written", where=path, fix="name a file in it")
    if os.path.lexists(target) and not os.path.isfile(target):
        raise FileError("E611", "a pipe or a device, where a file is to be written", where=path, fix="name a file")
    if os.path.lexists(path) and not overwrite:
        raise FileError("E611", "something is there already", where=path, fix="give a new name, or --overwrite")
    if not os.path.isdir(os.path.dirname(target)):
        raise FileError("E611", "the folder to write into does not exist", where=path, fix="make it first")
    try:
        require_free(new_run_folder(os.path.dirname(target), "probe"))
    except ResourceError as error:
        raise FileError("E611", error.found, where=path, fix=error.fix) from error


def require_apart(path: str, folder: str, document: str) -> None:
    """Refuse a JSON file inside a folder of results, which nothing else may be in, or in its place.

    Raises:
        FileError: It is (E611).
    """
    target, within = os.path.realpath(path), os.path.realpath(folder)
    if target == within or target.startswith(os.path.join(within, "")):
        fix = f"write it elsewhere; that folder has a document of its own, {document}"
        raise FileError("E611", "a JSON file in the output folder", where=path, fix=fix)
