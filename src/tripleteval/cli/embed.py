"""``tripleteval embed``: a model and a folder of pictures, or an array, into a file of embeddings."""

from __future__ import annotations

import os
from typing import Any

import click

from tripleteval.cli.paths import require_new_file
from tripleteval.errors import ParameterError, counted, one_line

_OF_PICTURES = {"size": None, "resize": "bilinear", "bit_depth": "8", "on_bad_image": "refuse"}
_OF_ARRAYS = {"labels": None}


@click.command("embed")
@click.argument("model")
@click.argument("data")
@click.option("-o", "--output", required=True, metavar="FILE",
              help="Embeddings to write: .parquet, or .npy with labels in NAME.labels.npy beside it.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--labels", metavar="FILE", help="Labels of the rows of a .npy file: .txt, .npy or a table.")
@click.option("--size", metavar="HxW", help="Height and width of a picture, where the model does not say.")
@click.option(
    "--scale", type=float, default=1.0, show_default=True, help="Multiply the values by this; pixels are 0 to 255."
)
@click.option(
    "--resize", type=click.Choice(["bilinear", "nearest"]), default="bilinear", show_default=True, help="How to."
)
@click.option("--bit-depth", type=click.Choice(["8", "16"]), default="8", show_default=True, help="Bits per value.")
@click.option(
    "--on-bad-image",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="A picture that cannot be read.",
)
@click.option("--batch-size", type=int, default=64, show_default=True, help="Items per step.")
@click.option("--memory", default="16GiB", show_default=True, help="What the process with the model may use.")
@click.option("--custom-objects", metavar="FILE.py", help="Python file that defines layers of the model; it is run.")
@click.option("--trust-model", is_flag=True, help="Load .h5 or SavedModel, which can run any code.")
@click.option("--quiet", is_flag=True, help="No progress bar, nothing on stderr but errors.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(model: str, data: str, output: str, **chosen: Any) -> None:
    """Embed a folder of pictures, or an array of inputs, with a model.

    MODEL is a .keras or .onnx file; of a Siamese model the tower that its inputs share is taken. DATA is a folder
    of pictures, or a .npy file of inputs as they are. The label of a picture is the folder it stands in. Pixel
    values are 0 to 255, as Keras reads them; a model without a Rescaling layer may need --scale. The model is
    scanned, and runs in a process of its own.

    \b
    Examples:
        tripleteval embed model.keras photos/ -o val.parquet
        tripleteval embed tower.onnx photos/ -o val.npy --size 224x224 --scale 0.00392156862745098
        tripleteval embed model.keras inputs.npy --labels labels.txt -o val.parquet
    """  # noqa: D301  # \b is how click keeps lines as they are
    from pathlib import Path

    from tripleteval.data.budget import parse_memory
    from tripleteval.keras.job import Job, run
    from tripleteval.keras.progress import shown
    from tripleteval.keras.vectors_file import require_writable

    _require_fitting(data, chosen)
    inputs = tuple(name for name in (model, data, chosen["labels"], chosen["custom_objects"]) if name)
    for file in _written(output):
        require_new_file(file, inputs, overwrite=chosen["overwrite"])
    require_writable(Path(output), overwrite=chosen["overwrite"])
    quiet, size = chosen.pop("quiet"), chosen.pop("size")
    job = Job(
        model,
        data,
        os.path.abspath(output),
        overwrite=chosen["overwrite"],
        trust=chosen["trust_model"],
        custom_objects=chosen["custom_objects"],
        batch_size=chosen["batch_size"],
        labels=chosen["labels"],
        size=None if size is None else _size(size),
        scale=chosen["scale"],
        resize=chosen["resize"],
        bit_depth=int(chosen["bit_depth"]),
        on_bad=chosen["on_bad_image"],
        memory=parse_memory(chosen["memory"]),
    )
    with shown("embedding", progress=not quiet) as tell:
        result = run(job, tell)
    if not quiet:
        for what, number in result["counts"].items():
            click.echo(f"{number:,} {what}", err=True)
        click.echo(f"{counted(result['rows'], 'embedding')} in {one_line(output)}", err=True)


def _written(output: str) -> list[str]:
    """Return the files that may be written: vectors in .npy have their labels beside them."""
    base, suffix = os.path.splitext(output)
    return [output, f"{base}.labels.npy"] if suffix.lower() == ".npy" else [output]


def _require_fitting(data: str, chosen: dict[str, Any]) -> None:
    """Refuse options that say nothing about these data."""
    array = data.lower().endswith(".npy")
    asked = [name for name, usual in (_OF_PICTURES if array else _OF_ARRAYS).items() if chosen[name] != usual]
    if asked:
        kind = "an array of inputs" if array else "a folder of pictures"
        raise ParameterError("E101", f"--{asked[0].replace('_', '-')} for {kind}", where=data, fix="leave it out")


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise ParameterError("E308", f"--size {text!r}", fix="give HEIGHTxWIDTH, such as 224x224")
    return int(height), int(width)
