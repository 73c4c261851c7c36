"""A file of frames: cut anywhere, or with any bit flipped, it gives a beginning of what was written or nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tripleteval.errors import ResourceError
from tripleteval.journal.frames import Place, frames, heading, payload

PAYLOADS = [b"{}", b"", bytes(range(0, 256, 5)), b"\nframe 000000000002 of somebody else\n", b"x" * 10]


def written(payloads: list[bytes]) -> bytes:
    return b"".join(heading(number, [data]) + data for number, data in enumerate(payloads))


def read(path: Path, data: bytes) -> list[bytes]:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [bytes(payload(descriptor, place)) for place in frames(descriptor)]
    finally:
        os.close(descriptor)


def test_what_was_written_comes_back(tmp_path):
    assert read(tmp_path / "f", written(PAYLOADS)) == PAYLOADS
    assert read(tmp_path / "f", b"") == []


def test_a_payload_may_come_in_parts():
    assert heading(3, [b"one", memoryview(b""), b"two"]) == heading(3, [b"onetwo"])


def test_cut_at_every_byte_a_beginning_is_left(tmp_path):
    whole = written(PAYLOADS)
    complete = [len(written(PAYLOADS[:count])) for count in range(len(PAYLOADS) + 1)]
    for length in range(len(whole)):
        assert read(tmp_path / "f", whole[:length]) == PAYLOADS[: sum(end <= length for end in complete) - 1]


def test_with_every_bit_flipped_a_beginning_is_left(tmp_path):
    whole = written(PAYLOADS)
    ends = [len(written(PAYLOADS[: count + 1])) for count in range(len(PAYLOADS))]
    for byte in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[byte] ^= 1 << bit
            assert read(tmp_path / "f", bytes(flipped)) == PAYLOADS[: sum(end <= byte for end in ends)]


@pytest.mark.parametrize("order", [[0, 2, 1, 3, 4], [0, 0, 1, 2], [1, 2], [0, 1, 3]])
def test_a_frame_in_the_wrong_place_is_not_taken_for_another(tmp_path, order):
    parts = [heading(number, [data]) + data for number, data in enumerate(PAYLOADS)]
    right = sum(1 for place, number in enumerate(order) if order[: place + 1] == list(range(place + 1)))
    assert read(tmp_path / "f", b"".join(parts[number] for number in order)) == PAYLOADS[:right]


def test_what_is_written_behind_a_torn_end_is_not_believed(tmp_path):
    torn = written(PAYLOADS)[:-1]
    assert read(tmp_path / "f", torn + written([b"more"])) == PAYLOADS[:-1]


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path):
    (tmp_path / "f").write_bytes(b"short")
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    with pytest.raises(ResourceError, match="E804"):
        payload(descriptor, Place(2, 10))
    os.close(descriptor)
