"""Image codecs: exact for every image, broken blobs told, decodable with numpy alone."""

import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from frames.errors import BadInput
from frames.store.codec import (
    decode_depth,
    decode_parts,
    encode_depth,
    encode_parts,
    encode_reading,
    encode_reasons,
)

SIZES = st.tuples(st.integers(0, 17), st.integers(0, 23))


@settings(max_examples=150, deadline=None)
@given(image=arrays(np.uint16, SIZES, elements=st.integers(0, 65535)))
def test_any_depth_image_comes_back(image: np.ndarray) -> None:
    for encode in (encode_depth, encode_reading):
        decoded = decode_depth(encode(image), *image.shape)
        np.testing.assert_array_equal(decoded, image)
        assert decoded.dtype == np.uint16


@settings(max_examples=60, deadline=None)
@given(image=arrays(np.uint8, SIZES, elements=st.integers(0, 255)))
def test_any_part_image_comes_back(image: np.ndarray) -> None:
    decoded = decode_parts(encode_parts(image), *image.shape)
    np.testing.assert_array_equal(decoded, image)
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize("shape", [(240, 320), (1, 1), (1, 999), (999, 1), (37, 53), (512, 512)])
def test_extremes_and_noise_come_back(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    images = [
        rng.integers(0, 65536, shape, np.uint16),
        np.where(rng.random(shape) < 0.5, 0, 65535).astype(np.uint16),
        np.full(shape, 65535, np.uint16),
        np.add.outer(np.arange(shape[0]) * 7, np.arange(shape[1]) * 11).astype(np.uint16),
    ]
    for image in images:
        for encode in (encode_depth, encode_reading):
            np.testing.assert_array_equal(decode_depth(encode(image), *shape), image)
    view = images[0][::2, ::3]
    np.testing.assert_array_equal(decode_depth(encode_depth(view), *view.shape), view)


def unfold(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Planes of bits back to the image, in numpy."""
    fours = -(-height // 4)
    low, high = np.split(planes[: (4 * fours + height) * width], [4 * fours * width])
    pairs = low.reshape(4, fours, 1, width) >> np.array([[0], [2], [4], [6]], np.uint8) & 3
    zigzag = high.reshape(height, width).astype(np.uint16) << 8
    for k in range(4):
        zigzag |= pairs[k].reshape(-1, width)[:height].astype(np.uint16) << 2 * k
    steps = zigzag >> 1 ^ -(zigzag & 1)
    return steps.cumsum(0, dtype=np.uint16).cumsum(1, dtype=np.uint16)


def fold(image: np.ndarray) -> np.ndarray:
    """The reverse of `unfold`."""
    height, width = image.shape
    fours = -(-height // 4)
    steps = np.diff(np.diff(image, axis=0, prepend=np.uint16(0)), axis=1, prepend=np.uint16(0))
    zigzag = (steps << 1) ^ -(steps >> 15)
    low = np.zeros((4 * fours, width), np.uint8)
    low[:height] = zigzag & 255
    quarter = np.array([0, 2, 4, 6], np.uint8)[:, None]
    pairs = [
        np.bitwise_or.reduce((low.reshape(fours, 4, width) >> 2 * k & 3) << quarter, axis=1)
        for k in range(4)
    ]
    return np.concatenate([np.stack(pairs).ravel(), (zigzag >> 8).astype(np.uint8).ravel()])


@pytest.mark.parametrize("levels", [0, 300])
@pytest.mark.parametrize("height", [32, 31, 30, 29, 1])
def test_numpy_alone_decodes(height: int, levels: int) -> None:
    width, fours = 45, -(-height // 4)
    rng = np.random.default_rng(2)
    image = rng.integers(0, 65536, (height, width), np.uint16)
    image[:, 10:30] = 7000
    if levels:
        image = rng.integers(0, 65536, levels, np.uint16)[image % levels]
    blob = encode_reading(image) if levels else encode_depth(image)
    form, count, size = struct.unpack("<BHI", blob[:7])
    assert form == 1
    assert count == (len(np.unique(image)) if levels else 0)
    raw = np.frombuffer(pa.Codec("zstd").decompress(blob[7:], size, asbytes=True), np.uint8)
    marks = -(-(4 * fours + height) * width // 32)
    kept, there, values = np.split(raw, [size - marks - 2 * count, size - 2 * count])
    words = np.zeros(8 * marks, np.uint32)
    words[np.unpackbits(there, bitorder="little") == 1] = kept.view(np.uint32)
    assert kept.view(np.uint32).all()
    read = unfold(words.view(np.uint8), height, width)
    if count:
        low, high = values.reshape(2, -1).astype(np.uint16)
        read = (low | high << 8).cumsum(dtype=np.uint16)[read]
    np.testing.assert_array_equal(read, image)


@pytest.mark.parametrize("shape", [(32, 45), (29, 45), (1, 1), (240, 320)])
def test_depth_of_schema_2_is_read(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(3).integers(0, 65536, shape, np.uint16)
    planes = fold(image)
    np.testing.assert_array_equal(unfold(planes, *shape), image)
    blob = pa.Codec("zstd", compression_level=1).compress(planes, asbytes=True)
    np.testing.assert_array_equal(decode_depth(blob, *shape), image)
    with pytest.raises(BadInput, match="does not decode"):
        decode_depth(blob, shape[0] + 4, shape[1])


def test_few_levels_cost_few_bytes() -> None:
    v, u = np.mgrid[:240, :320]
    disparity = np.random.default_rng(4).normal(300 + 0.3 * u + 0.2 * v, 0.4).round()
    image = (10_000 * 60 / disparity).round().astype(np.uint16)
    # Even though more is left of it by the level of zstd that hurries.
    assert len(encode_reading(image)) < 0.8 * len(encode_depth(image))
    many = np.arange(240 * 320, dtype=np.uint16).reshape(240, 320)
    assert encode_reading(many)[1:3] == encode_depth(many)[1:3] == b"\0\0"  # no ranks
    np.testing.assert_array_equal(decode_depth(encode_reading(many), 240, 320), many)


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (29, 45), (240, 320)])
def test_reasons_come_back_and_speckles_cost_little(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    image = np.where(rng.uniform(size=shape) < 0.01, 9, 0).astype(np.uint8)
    image[:, : shape[1] // 4] = 5
    blob = encode_reasons(image)
    np.testing.assert_array_equal(decode_parts(blob, *shape), image)
    out = np.empty(shape, np.uint8)
    np.testing.assert_array_equal(decode_parts(blob, *shape, out=out), image)
    assert len(blob) <= 16 + len(encode_parts(image))
    # Codes written as reasons once were are read as ever.
    np.testing.assert_array_equal(decode_parts(encode_parts(image), *shape), image)


def test_reasons_are_read_by_numpy_alone() -> None:
    image = np.random.default_rng(6).choice(11, (29, 45), p=[0.9, *[0.01] * 10]).astype(np.uint8)
    blob = encode_reasons(image)
    form, count, size = struct.unpack("<BHI", blob[:7])
    assert (form, count) == (1, 0)
    raw = np.frombuffer(pa.Codec("zstd").decompress(blob[7:], size, asbytes=True), np.uint8)
    there = np.unpackbits(raw[-(29 * 45 // -32) * -1 :], bitorder="little")
    words = np.zeros(len(there), np.uint32)
    np.place(words, there, raw[: 4 * there.sum(dtype=int)].view(np.uint32))
    rows = words.view(np.uint8)[: 29 * 45].reshape(29, 45)
    np.testing.assert_array_equal(np.bitwise_xor.accumulate(rows, axis=0), image)


def test_a_plane_costs_little() -> None:
    v, u = np.mgrid[:240, :320]
    plane = np.round(10_000 / (0.9 + 0.001 * u - 0.0007 * v)).astype(np.uint16)
    assert len(encode_depth(plane)) < plane.nbytes / 6
    assert len(encode_depth(np.zeros((240, 320), np.uint16))) < 100


def test_decodes_into_a_given_array() -> None:
    image = np.arange(60, dtype=np.uint16).reshape(6, 10)
    batch = np.zeros((2, 6, 10), np.uint16)
    assert decode_depth(encode_depth(image), 6, 10, out=batch[1]).base is batch
    np.testing.assert_array_equal(batch[1], image)
    assert not batch[0].any()
    parts = np.zeros((2, 6, 10), np.uint8)
    decode_parts(encode_parts(image.astype(np.uint8)), 6, 10, out=parts[0])
    np.testing.assert_array_equal(parts[0], image)


def test_bytes_do_not_depend_on_what_came_before() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 900, (120, 160), np.uint16)
    first = encode_depth(image)
    for _ in range(5):
        encode_depth(rng.integers(0, 65536, (240, 320), np.uint16))
    assert encode_depth(image) == first


def _disguise(levels: int, more: int) -> bytes:
    """A blob of 20 x 30 whose head tells of other levels, and of more bytes, than are there."""
    blob = encode_reading(np.arange(600, dtype=np.uint16).reshape(20, 30) % 90)
    form, count, size = struct.unpack("<BHI", blob[:7])
    return struct.pack("<BHI", form, levels if levels else count, size + more) + blob[7:]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x00",
        b"not zstd at all",
        encode_depth(np.arange(600, dtype=np.uint16).reshape(20, 30))[:-3],
        encode_depth(np.arange(600, dtype=np.uint16).reshape(20, 30))[:5],
        b"\x02" + encode_depth(np.arange(600, dtype=np.uint16).reshape(20, 30))[1:],
        *(_disguise(count, size) for count, size in ((1, 0), (0, 4), (2, 0), (0, 1 << 30))),
        encode_depth(np.zeros((20, 31), np.uint16)),
        encode_depth(np.zeros((20, 29), np.uint16)),
        encode_parts(np.zeros((20, 30), np.uint8)),
    ],
)
def test_a_broken_or_foreign_blob_is_bad_input(blob: bytes) -> None:
    with pytest.raises(BadInput, match=f"image blob of {len(blob)} bytes") as raised:
        decode_depth(blob, 20, 30)
    assert "\n" not in str(raised.value)


def test_a_flipped_magic_byte_is_bad_input() -> None:
    blob = bytearray(encode_parts(np.eye(16, dtype=np.uint8)))
    blob[0] ^= 0xFF
    with pytest.raises(BadInput):
        decode_parts(bytes(blob), 16, 16)


@pytest.mark.parametrize("image", [np.zeros((3, 4)), np.zeros(4, np.uint16), np.zeros((2, 2), int)])
def test_only_images_are_encoded(image: np.ndarray) -> None:
    with pytest.raises(BadInput, match="image must be"):
        encode_depth(image)
    with pytest.raises(BadInput, match="image must be"):
        encode_parts(image)
