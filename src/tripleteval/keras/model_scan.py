"""What a ``.keras`` file holds, looked at before Keras opens it: the archive, then the configuration.

Keras's own safe mode stays on as well. Both are seat-belts, not a sandbox: load models from strangers in a
process that has nothing to lose, as ``tripleteval embed`` does.
"""

from __future__ import annotations

import json
import re
import stat
import sys
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

from tripleteval.errors import FileError
from tripleteval.readers.files import Name, opened, require_content

CONFIG, WEIGHTS = "config.json", "model.weights.h5"

_MEMBERS = {"metadata.json", CONFIG, WEIGHTS}
_RATIO, _RATIO_FROM, _MOST_BYTES = 100, 64 * 2**20, 64 * 2**30
_MOST_CONFIG, _DEEPEST = 64 * 2**20, 64
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
# They run code that the file brings along, or open what it points to.
_UNSAFE = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__"}
# Functions may be named only where there are none but mathematics.
_FUNCTIONS = tuple(
    f"keras.{inner}{part}"
    for inner in ("", "src.")
    for part in ("activations", "constraints", "initializers", "losses", "metrics", "ops", "regularizers")
)
# Arguments of layers that name a file to read.
_PATHS = {"vocabulary", "idf_weights", "filepath", "file_path", "filename", "path", "url", "weights_path"}


def scan(path: Name, known: Collection[str] = ()) -> None:
    """Refuse a ``.keras`` file that could run code, read other files, or unpack without end.

    Args:
        path: The file.
        known: Names of classes that the user has brought along, registered or plain.

    Raises:
        FileError: It is no such file (E601, E602, E604), holds what could run code or read elsewhere (E603),
            unpacks to too much (E606), or needs a class that is not known here (E612).
    """
    with opened(path) as source:
        require_content(source, b"PK\x03\x04")
        with zipfile.ZipFile(source.file) as archive:
            for member in _checked(archive, source.path):
                if member.filename == CONFIG:
                    _scan_config(archive.read(member), source.path, known)


def _checked(archive: zipfile.ZipFile, path: str) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename for member in members]
    for member in members:
        _require_plain(member, path)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _unsafe(f"two members named {twice[0]!r}", path)
    if not set(names) >= _MEMBERS:
        found = f"an archive without {', '.join(sorted(_MEMBERS - set(names)))}; it holds {', '.join(names[:8])}"
        raise FileError("E602", found, where=path, fix="save the model with model.save('model.keras')")
    total = sum(member.file_size for member in members)
    if total > _MOST_BYTES:
        raise FileError("E606", f"an archive that unpacks to {total:,} bytes", where=path, fix="use a smaller model")
    return members


def _require_plain(member: zipfile.ZipInfo, path: str) -> None:
    name = member.filename
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or ":" in name:
        raise _unsafe(f"a member that points outside the archive: {name!r}", path)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _unsafe(f"a symbolic link: {name!r}", path)
    if name not in _MEMBERS and parts[0] != "assets":
        raise _unsafe(f"a member that no Keras model has: {name!r}", path)
    if member.file_size > _RATIO_FROM and member.file_size > _RATIO * member.compress_size:
        found = f"{member.compress_size:,} bytes that unpack to {member.file_size:,}, in {name!r}"
        raise FileError("E606", found, where=path, fix="save the model again")


def _scan_config(text: bytes, path: str, known: Collection[str]) -> None:
    if len(text) > _MOST_CONFIG:
        raise FileError("E606", f"a configuration of {len(text):,} bytes", where=path, fix="use a smaller model")
    config = text.decode()
    _require_shallow(config, path)
    whole = json.loads(config)
    if not isinstance(whole, dict):
        raise FileError("E601", "a configuration that is no JSON object", where=path, fix="save the model again")
    whole.pop("compile_config", None)  # models are loaded with compile=False
    for entry in _entries(whole):
        _require_harmless(entry, path, known)


def _require_shallow(config: str, path: str) -> None:
    depth = 0
    for match in _NESTING.finditer(config):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > _DEEPEST:
            raise FileError("E606", f"a configuration nested deeper than {_DEEPEST}", where=path, fix="save it again")


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object inside ``value``, and itself."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _require_harmless(entry: dict[str, Any], path: str, known: Collection[str]) -> None:
    for name in _PATHS & set(entry):
        if isinstance(entry[name], str) and entry[name]:
            raise _unsafe(f"a layer that reads the file {entry[name]!r}", path)
    kind, module = entry.get("class_name"), entry.get("module")
    if kind is None and module is None:
        return
    if not isinstance(kind, str) or not isinstance(module, str | None):
        raise _unsafe(f"a class named {kind!r} of module {module!r}", path)
    if kind in _UNSAFE:
        raise _unsafe(f"a layer of class {kind!r}, which can run any code", path)
    if kind == "function":
        if module is None or not module.startswith(_FUNCTIONS):
            raise _unsafe(f"the function {entry.get('config')!r} of module {module!r}", path)
    elif module is not None and module != "keras" and not module.startswith("keras."):
        _require_known(kind, module, entry.get("registered_name"), path, known)


def _require_known(kind: str, module: str, registered: Any, path: str, known: Collection[str]) -> None:
    if module.partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        raise _unsafe(f"{kind!r} of the module {module!r}, which is no part of Keras", path)
    if kind not in known and registered not in known:
        raise FileError(
            "E612",
            f"the class {kind!r} of the module {module!r} is not known here",
            where=path,
            fix="if you trust the file, give the Python file that defines it: --custom-objects layers.py",
        )


def _unsafe(found: str, path: str) -> FileError:
    fix = "do not load it; get the model from somebody you trust, saved without Lambda layers"
    return FileError("E603", found, where=path, fix=fix)
