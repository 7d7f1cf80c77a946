"""Lossless image codecs of the dataset: depth (uint16) and part codes (uint8), as zstd blobs.

Depth: second differences (pixel - left - upper + upper left, modulo 2^16), zigzag, then planes of
bits: of the low byte four planes of two bits each, four rows to a byte, and the high bytes; their
words that are not zero go through zstd level 1. A plane's depth is nearly affine in the image, so
most differences fit the first two bits. What a sensor reads of few different depths is stored as
ranks among these (`levels`), at a level of zstd that looks for less: noise has no matches.
Part codes: zstd of the rows as they are. Reasons, which are speckled: each row XOR the one above,
then their words that are not zero as depth's. Chosen by measurement (bench/codec.py);
docs/dataset.md has the figures and reads all of them with numpy alone. Depth of schema version 2
(zstd of all planes) and reasons as zstd of the rows are still read.
"""

import struct
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import zstandard
from numba import njit
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.kernels import BORROWING
from frames.store.levels import MOST, fill_levels, make_ranking, rank_levels
from frames.store.words import ALIGN, pad_size, squeeze, unsqueeze

DepthImage = NDArray[np.uint16]
ByteImage = NDArray[np.uint8]
ByteRow = NDArray[np.uint8]
Compress = Callable[[memoryview], bytes]


def encode_depth(image: DepthImage) -> bytes:
    """A depth image (H, W) uint16 -> blob. Raises BadInput for another type or number of axes."""
    _check(image, np.uint16)
    return _encode_planes(np.ascontiguousarray(image), 0, _encoder.compress)


def encode_reading(image: DepthImage) -> bytes:
    """As `encode_depth`, for what a sensor reads: it may know few different depths."""
    _check(image, np.uint16)
    image = np.ascontiguousarray(image)
    return _encode_planes(image, rank_levels(image, _encoder.ranking), _encoder.hurry)


def _encode_planes(image: DepthImage, levels: int, compress: Compress) -> bytes:
    """levels: how many values the image was just found to have; 0: it is not stored by ranks."""
    if not image.size:
        return b""
    planes, raw = _encoder.lend(_count_bytes(*image.shape))
    stop = _fold(image, levels, _encoder.ranking, planes, raw)
    return _HEAD.pack(FORMAT, levels, stop) + compress(raw[:stop].data)


def decode_depth(
    blob: bytes | pa.Buffer, height: int, width: int, out: DepthImage | None = None
) -> DepthImage:
    """The image (height, width) uint16 of a blob by `encode_depth` or `encode_reading`.

    out: a C-contiguous (height, width) uint16 array to fill in place of a new one. Raises BadInput
    for a blob that is broken or of another size.
    """
    planes, levels = _unpack(blob, _count_bytes(height, width))
    image = np.empty((height, width), np.uint16) if out is None else out
    _join(planes, image)
    if len(levels):
        low, high = levels.reshape(2, -1).astype(np.uint16)
        if not fill_levels(image, (low | high << 8).cumsum(dtype=np.uint16)):
            raise _explain(blob, image.nbytes, "a rank beyond the levels")
    return image


def encode_parts(image: ByteImage) -> bytes:
    """An image of codes (H, W) uint8 -> blob. Raises BadInput for another type or shape."""
    _check(image, np.uint8)
    # zstd has no frame for nothing at all; an empty blob is one.
    return _encoder.compress(np.ascontiguousarray(image).data) if image.size else b""


def encode_reasons(image: ByteImage) -> bytes:
    """As `encode_parts`, for why a sensor reads nothing: speckles rather than surfaces."""
    _check(image, np.uint8)
    if not image.size:
        return b""
    planes, raw = _encoder.lend(image.size)
    end = _lift(np.ascontiguousarray(image), planes, raw)
    return _HEAD.pack(FORMAT, 0, end) + _encoder.compress(raw[:end].data)


def decode_parts(
    blob: bytes | pa.Buffer, height: int, width: int, out: ByteImage | None = None
) -> ByteImage:
    """The image (height, width) uint8 of a blob by `encode_parts` or `encode_reasons`; `out`,
    errors as in `decode_depth`."""
    size = height * width
    planes, _ = _unpack(blob, size)
    raw = planes[:size].reshape(height, width)
    if size and memoryview(blob)[0] == FORMAT:
        image = np.empty((height, width), np.uint8) if out is None else out
        _settle(raw, image)
        return image
    if out is None:
        return raw.copy()
    out[...] = raw
    return out


@lru_cache(maxsize=1)
def _codec() -> Any:
    return pa.Codec("zstd", compression_level=1)


class _Encoder(threading.local):
    """A compressor a thread. zstandard keeps its tables between images, which pyarrow sets up anew
    for each: 8 us of the 20-100 that an image takes.
    """

    def __init__(self) -> None:
        # Level 1 with a smaller table and longer matches: an eighth quicker for a hundredth more.
        tuned = zstandard.ZstdCompressionParameters.from_level(1, hash_log=10, min_match=7)
        self.compress: Compress = zstandard.ZstdCompressor(compression_params=tuned).compress
        # Noise: a fifth of the time for a quarter more.
        hurried = zstandard.ZstdCompressionParameters.from_level(-20, hash_log=10, min_match=7)
        self.hurry: Compress = zstandard.ZstdCompressor(compression_params=hurried).compress
        self.ranking = make_ranking()
        self._planes, self._raw = np.empty(0, np.uint8), np.empty(0, np.uint8)

    def lend(self, size: int) -> tuple[ByteRow, ByteRow]:
        """Arrays for `size` bytes of planes, padded, and for what is left of them: fresh memory
        costs 30 us."""
        whole = pad_size(size)
        most = whole + whole // ALIGN + 2 * MOST
        if len(self._raw) < most:
            self._planes, self._raw = np.empty(whole, np.uint8), np.empty(most, np.uint8)
        return self._planes[:whole], self._raw


_encoder = _Encoder()


_HEAD: Final = struct.Struct("<BHI")
"""Of a blob of depth: FORMAT, the number of levels, the bytes that zstd holds."""
FORMAT: Final = 1
_ZSTD: Final = 0x28
"""First byte of every zstd frame: depth of schema version 2, zstd of all planes, begins so."""
_NOTHING: Final = np.empty(0, np.uint8)


def _unpack(blob: bytes | pa.Buffer, size: int) -> tuple[ByteRow, ByteRow]:
    """The planes, `size` bytes and their padding, and the levels' bytes of a blob of depth."""
    if size == 0 or not len(memoryview(blob)) or memoryview(blob)[0] == _ZSTD:
        return np.frombuffer(_decompress(blob, blob, size, size), np.uint8), _NOTHING
    start = bytes(memoryview(blob)[: _HEAD.size])
    if start[0] != FORMAT or len(start) < _HEAD.size:
        raise _explain(blob, size, f"no format begins with {start[0]}")
    _, levels, inside = _HEAD.unpack(start)
    whole = pad_size(size)
    if not 2 * levels <= inside <= whole + whole // ALIGN + 2 * levels:
        raise _explain(blob, size, f"it would hold {inside}")
    body = pa.py_buffer(blob).slice(_HEAD.size)
    raw = np.frombuffer(_decompress(blob, body, inside, size), np.uint8)
    planes = np.empty(whole, np.uint8)
    if not unsqueeze(raw[: inside - 2 * levels], planes):
        raise _explain(blob, size, "words and marks differ")
    return planes, raw[inside - 2 * levels :]


def _decompress(blob: bytes | pa.Buffer, body: bytes | pa.Buffer, inside: int, size: int) -> Any:
    """`inside` bytes of zstd's frame `body` of a blob that is to hold an image of `size` bytes."""
    held = len(memoryview(blob))
    if size == 0 or held == 0:
        if size == 0 and held == 0:
            return b""
        raise BadInput(f"image blob of {held} bytes does not hold an image of {size} bytes")
    try:
        return _codec().decompress(body, decompressed_size=inside)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _explain(blob, size, str(error).splitlines()[0]) from None


def _explain(blob: bytes | pa.Buffer, size: int, reason: str) -> BadInput:
    return BadInput(
        f"image blob of {len(memoryview(blob))} bytes does not decode to {size} bytes: broken data "
        f"or a wrong image size ({reason})"
    )


def _count_bytes(height: int, width: int) -> int:
    """Four two-bit planes of rows in fours, the last four filled up, and the high bytes."""
    return (4 * -(-height // 4) + height) * width


def _check(image: NDArray[Any], dtype: Any) -> None:
    if image.ndim != 2 or image.dtype != dtype:
        wanted = np.dtype(dtype).name
        raise BadInput(f"image must be (H, W) {wanted}, got {image.shape} {image.dtype}")


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _fold(image, levels, ranking, planes, raw):  # type: ignore[no-untyped-def]
    """Fill raw with what zstd gets of an image: the words of its planes, and its levels."""
    width = image.shape[1]
    lines = np.zeros(width, np.uint16), np.zeros((4, width), np.uint8)
    ranks = np.empty((2, width if levels else 0), np.uint16)
    used = _split_rows(image, ranking.rank, ranks, planes, *lines)
    planes[used:] = 0
    end = squeeze(planes, raw)
    before = np.uint16(0)
    for i in range(levels):
        step = np.uint16(ranking.values[i] - before)
        raw[end + i], raw[end + levels + i] = np.uint8(step), np.uint8(step >> 8)
        before = ranking.values[i]
    return end + 2 * levels


@njit(**BORROWING)
def _split_rows(image, rank, ranks, planes, above, low):  # type: ignore[no-untyped-def]
    """Returns how many bytes the planes take. ranks: two rows to work in; of size 0: an image is
    split as it is."""
    height, width = image.shape
    fours = (height + 3) // 4
    plane = fours * width
    high = planes[4 * plane :]
    for q in range(fours):
        for j in range(4):
            r = 4 * q + j
            bits = low[j]
            if r >= height:
                bits[:] = 0
                continue
            row = image[r]
            if ranks.shape[1] > 0:
                row = ranks[r % 2]
                for c in range(width):
                    row[c] = rank[image[r, c]]
            top = high[r * width : (r + 1) * width]
            for c in range(width):
                left = np.uint16(0) if c == 0 else np.uint16(row[c - 1] - above[c - 1])
                d = np.int16(np.uint16(row[c] - above[c] - left))
                z = np.uint16(np.int16(d << 1) ^ np.int16(d >> 15))
                bits[c] = np.uint8(z)
                top[c] = np.uint8(z >> 8)
            above = row
        for k in range(4):
            out = planes[k * plane + q * width : k * plane + (q + 1) * width]
            shift = np.uint8(2 * k)
            for c in range(width):
                a = (low[0, c] >> shift) & np.uint8(3)
                b = (low[1, c] >> shift) & np.uint8(3)
                d = (low[2, c] >> shift) & np.uint8(3)
                e = (low[3, c] >> shift) & np.uint8(3)
                out[c] = np.uint8(a | (b << 2) | (d << 4) | (e << 6))
    return 4 * plane + height * width


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _lift(image, planes, raw):  # type: ignore[no-untyped-def]
    """Fill raw with what zstd gets of reasons."""
    _lift_rows(image, planes)
    planes[image.size :] = 0
    return squeeze(planes, raw)


@njit(**BORROWING)
def _lift_rows(image, planes):  # type: ignore[no-untyped-def]
    """Each row XOR the one above."""
    width = image.shape[1]
    for r in range(image.shape[0]):
        row, above, to = image[r], image[max(r - 1, 0)], planes[r * width : (r + 1) * width]
        keep = np.uint8(0 if r == 0 else 255)
        for c in range(width):
            to[c] = row[c] ^ (above[c] & keep)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _settle(raw, image):  # type: ignore[no-untyped-def]
    """The reverse."""
    width = image.shape[1]
    for r in range(image.shape[0]):
        for c in range(width):
            image[r, c] = raw[r, c] if r == 0 else raw[r, c] ^ image[r - 1, c]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _join(planes, image):  # type: ignore[no-untyped-def]
    _join_rows(planes, image, np.zeros(image.shape[1], np.uint16))


@njit(**BORROWING)
def _join_rows(planes, image, columns):  # type: ignore[no-untyped-def]
    height, width = image.shape
    plane = (height + 3) // 4 * width
    high = planes[4 * plane :]
    # Column sums first (a vectorised pass), then the row's sum, which no compiler vectorises.
    for r in range(height):
        row = image[r]
        top = high[r * width : (r + 1) * width]
        first = r // 4 * width
        one = planes[first : first + width]
        two = planes[first + plane : first + plane + width]
        three = planes[first + 2 * plane : first + 2 * plane + width]
        four = planes[first + 3 * plane : first + 3 * plane + width]
        shift = np.uint8(2 * (r % 4))
        for c in range(width):
            low = (one[c] >> shift) & np.uint8(3)
            low |= ((two[c] >> shift) & np.uint8(3)) << np.uint8(2)
            low |= ((three[c] >> shift) & np.uint8(3)) << np.uint8(4)
            low |= ((four[c] >> shift) & np.uint8(3)) << np.uint8(6)
            z = np.uint16(np.uint16(np.uint8(low)) | np.uint16(np.uint16(top[c]) << 8))
            step = np.uint16(np.uint16(z >> 1) ^ np.uint16(-np.int16(z & 1)))
            columns[c] = np.uint16(columns[c] + step)
        total = np.uint16(0)
        for c in range(width):
            total = np.uint16(total + columns[c])
            row[c] = total
