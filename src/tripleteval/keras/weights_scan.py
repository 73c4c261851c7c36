"""What an HDF5 file of weights holds, looked at before Keras reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from tripleteval.errors import FileError

_MOST_OBJECTS, _RATIO, _RATIO_FROM = 1_000_000, 1000, 2**20


def scan_weights(file: IO[bytes], path: str) -> None:
    """Refuse weights that lead elsewhere or unpack without end.

    Args:
        file: Seekable, positioned at the start.
        path: What errors call it.

    Raises:
        FileError: A soft or external link, external storage, a virtual data set or Python objects (E603), more
            declared than a thousand times what is stored (E606), or no HDF5 at all (E601).
    """
    import h5py

    try:
        with h5py.File(file, "r") as weights:
            for name, found in _objects(weights, path):
                if isinstance(found, h5py.Dataset):
                    _require_stored_here(name, found, path)
    except FileError:
        raise
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError("E601", f"weights that are cut or corrupt: {said}", where=path, fix="save it again") from error


def _objects(weights: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every group and data set once, refusing whatever is not simply in its group."""
    import h5py

    seen, waiting = set(), [("", weights)]
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                where = f"{getattr(link, 'filename', '')}{link.path}"
                raise _elsewhere(f"a {type(link).__name__} from {prefix}/{name} to {where!r}", path)
            found = group[name]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _MOST_OBJECTS:
                raise FileError("E606", f"more than {_MOST_OBJECTS:,} objects", where=path, fix="save it again")
            yield f"{prefix}/{name}", found
            if isinstance(found, h5py.Group):
                waiting.append((f"{prefix}/{name}", found))


def _require_stored_here(name: str, dataset: Any, path: str) -> None:
    if dataset.external:
        raise _elsewhere(f"{name}, which is stored in the file {dataset.external[0][0]!r}", path)
    if dataset.is_virtual:
        raise _elsewhere(f"{name}, which is a view of other files", path)
    declared, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if declared > _RATIO_FROM and declared > _RATIO * max(stored, 1):
        found = f"{name}, which declares {declared:,} bytes and stores {stored:,}"
        raise FileError("E606", found, where=path, fix="save the model again")


def _elsewhere(found: str, path: str) -> FileError:
    return FileError("E603", f"weights that lead elsewhere: {found}", where=path, fix="do not load it")
