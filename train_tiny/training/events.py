"""Curves for TensorBoard, written without it.

A file is a row of records, each: its length (8 bytes), a checksum of that, the record, a checksum
of it; the format is that of TensorFlow's TFRecord. A record is one `Event` message of protocol
buffers, of which scalars need four fields: wall_time = 1 (double), step = 2 (varint), file_version
= 3 (text), summary = 5 (value = 1: tag = 1 (text), simple_value = 2 (float)). A hundred lines here
spare training a package of 20 MB that takes a second to import.
"""

import math
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_POLYNOMIAL: Final = 0x82F63B78
"""CRC-32C (Castagnoli), bits reversed."""


class EventFile:
    """An event file in a folder, appended to."""

    def __init__(self, folder: Path) -> None:
        """A new file, beside those of a run that was stopped: TensorBoard joins them."""
        name = f"events.out.tfevents.{time.time_ns() // 1_000_000:013d}.handloom"
        self._file = (folder / name).open("ab")
        self._write(struct.pack("<Bd", 1 << 3 | 1, time.time()) + _text(3, b"brain.Event:2"))

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of one step, by name; a prefix before "_" makes a group. NaN is left out."""
        body = b"".join(
            _text(1, _text(1, _group(name).encode()) + struct.pack("<Bf", 2 << 3 | 5, value))
            for name, value in values.items()
            if not math.isnan(value)
        )
        when = struct.pack("<Bd", 1 << 3 | 1, time.time())
        self._write(when + _varint(2 << 3) + _varint(step) + _text(5, body))
        self._file.flush()

    def close(self) -> None:
        """No more."""
        self._file.close()

    def _write(self, record: bytes) -> None:
        length = struct.pack("<Q", len(record))
        self._file.write(length + _sum(length) + record + _sum(record))


def _group(name: str) -> str:
    for prefix in ("loss", "val", "weight"):
        if name.startswith(prefix + "_"):
            return f"{prefix}/{name.removeprefix(prefix + '_')}"
    return f"training/{name}"


def _text(number: int, value: bytes) -> bytes:
    """A field of bytes: text, or a message in it."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _sum(data: bytes) -> bytes:
    """The masked checksum of a record: rotated and offset, so that one of checksums is none."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _make_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ _POLYNOMIAL if byte & 1 else byte >> 1
        table.append(byte)
    return tuple(table)


_TABLE: Final = _make_table()
