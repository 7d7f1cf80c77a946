"""Colour and infrared pictures: files in memory, and how large they say they are."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.errors import BadInput
from frames.store.pictures import (
    decode_picture,
    encode_picture,
    fit_picture,
    measure_picture,
    to_display,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "image",
    [
        RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8),
        RNG.integers(0, 256, (5, 7)).astype(np.uint8),
        RNG.integers(0, 65536, (5, 7)).astype(np.uint16),
        np.zeros((1, 1), np.uint8),
    ],
)
def test_encode_and_decode_are_inverse(image: np.ndarray) -> None:
    again = decode_picture(encode_picture(image))
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(again, image)


def test_red_is_first() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    jpeg = cv2.imencode(".jpg", red[..., ::-1])[1].tobytes()
    assert decode_picture(jpeg)[4, 4, 0] > 200 > 50 > decode_picture(jpeg)[4, 4, 2]


@pytest.mark.parametrize("kind", [".png", ".jpg", ".tiff"])
@pytest.mark.parametrize("shape", [(3, 200), (200, 3), (1, 1), (65, 64)])
def test_a_header_tells_the_size(kind: str, shape: tuple[int, int]) -> None:
    data = cv2.imencode(kind, RNG.integers(0, 256, shape).astype(np.uint8))[1].tobytes()
    assert measure_picture(data) == shape[::-1]
    for cut in range(0, min(len(data), 200), 3):
        try:
            assert measure_picture(data[:cut]) == shape[::-1]
        except BadInput:
            continue


@pytest.mark.parametrize("side", [0, 8193, 2**31 - 1, 2**32 - 1])
def test_sizes_that_no_image_has_are_refused_before_decoding(side: int) -> None:
    data = bytearray(encode_picture(np.zeros((4, 4), np.uint16)))
    struct.pack_into(">I", data, 16, side)
    with pytest.raises(BadInput, match=f"{side} x 4 pixels"):
        decode_picture(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_raise_anything_but_bad_input(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([".png", ".jpg", ".tiff", ""]))
    if kind:
        image = np.arange(48, dtype=np.uint8).reshape(6, 8)
        blob = bytearray(cv2.imencode(kind, image)[1].tobytes())
        for at in data.draw(st.lists(st.integers(0, len(blob) - 1), max_size=4)):
            blob[at] = data.draw(st.integers(0, 255))
        blob = blob[: data.draw(st.integers(0, len(blob)))]
    else:
        blob = bytearray(data.draw(st.binary(max_size=64)))
    try:
        decode_picture(bytes(blob))
    except BadInput as error:
        assert "\n" not in str(error)


def test_pictures_are_shown_whole_whatever_their_size_and_depth() -> None:
    dark = np.arange(48, dtype=np.uint16).reshape(6, 8) * 9
    shown = to_display(dark)
    assert shown.shape == (6, 8, 3) and shown.dtype == np.uint8
    assert shown[0, 0, 0] == 0 and shown[-1, -1, 0] == 255
    assert (np.diff(shown[..., 0].ravel().astype(int)) >= 0).all()
    for shape in ((6, 8), (60, 8), (6, 800)):
        panel = np.full((50, 90, 3), 7, np.uint8)
        fit_picture(panel, np.full((*shape, 3), 200, np.uint8))
        rows, columns = (panel[..., 0] == 200).any(1), (panel[..., 0] == 200).any(0)
        assert rows.all() or columns.all()
        share = columns.sum() / rows.sum()
        assert abs(share * shape[0] / shape[1] - 1) <= 1 / min(rows.sum(), columns.sum())
