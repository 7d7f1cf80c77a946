"""Named random streams: every number is a pure function of (seed, frame, stage, attempt).

A stream is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
a counter-based generator: key = (seed, hash of the stage's name), counter = (block, frame,
attempt, 0). No state passes from one frame or stage to the next, so another worker count, another
batch size, a restart or a new stage changes no other number. `uniform` draws for a whole batch of
frames at once and equals, to the bit, numpy's own generator on the same key and counter
(`generator`).
"""

import hashlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import ArrayLike, NDArray

from frames.errors import BadInput

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_WORD = 2**64


@lru_cache(maxsize=1024)
def hash_stage(stage: str) -> int:
    """A stage name's 64-bit key word: BLAKE2b of its UTF-8 bytes, little endian.

    Python's own `hash` differs from process to process and would not do.
    """
    return int.from_bytes(hashlib.blake2b(stage.encode(), digest_size=8).digest(), "little")


def generator(seed: int, frame_id: int, stage: str, attempt: int = 0) -> np.random.Generator:
    """A numpy generator on the stream of one frame: for one-off draws and as the reference.

    seed, frame_id, attempt: integers in [0, 2^64). Raises BadInput outside that.
    """
    key = np.array([check_word("seed", seed), hash_stage(stage)], np.uint64)
    words = [0, check_word("frame_id", frame_id), check_word("attempt", attempt), 0]
    return np.random.Generator(np.random.Philox(key=key, counter=np.array(words, np.uint64)))


def uniform(
    seed: int, frame_ids: ArrayLike, stage: str, n: int, attempt: ArrayLike = 0
) -> NDArray[np.float64]:
    """Uniform numbers for a batch of frames: (B, n) float64 in [0, 1).

    frame_ids: (B,) integers >= 0. attempt: an integer >= 0, or (B,) of them (rejection sampling
    draws again with the next attempt). Row b equals `generator(seed, frame_ids[b], stage,
    attempt[b]).random(n)` to the bit, and a larger n only appends. Raises BadInput for a negative
    seed, frame or attempt.
    """
    frames = _words("frame_ids", frame_ids)
    attempts = np.broadcast_to(_words("attempt", attempt), frames.shape)
    out = np.empty((frames.shape[0], n), np.float64)
    _fill(np.uint64(check_word("seed", seed)), np.uint64(hash_stage(stage)), frames, attempts, out)
    return out


def normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal numbers from uniform ones: (..., 2m) in [0, 1) -> (..., m).

    Box and Muller 1958, the cosine branch only: number i uses the uniforms 2i and 2i + 1, so that
    it does not depend on how many follow. Raises BadInput for an odd last axis.
    """
    if u.ndim == 0 or u.shape[-1] % 2:
        raise BadInput(f"normal needs an even number of uniforms on its last axis, got {u.shape}")
    out = np.empty((*u.shape[:-1], u.shape[-1] // 2), np.float64)
    _box_muller(np.ascontiguousarray(u, np.float64).reshape(-1), out.reshape(-1))
    return out


def check_word(name: str, value: int) -> int:
    """value as one 64-bit word of a key or counter. Raises BadInput outside [0, 2^64)."""
    if not 0 <= value < _WORD:
        raise BadInput(f"{name} must be an integer from 0 to 2^64 - 1, got {value}")
    return int(value)


def _words(name: str, values: ArrayLike) -> NDArray[np.uint64]:
    words = np.atleast_1d(np.asarray(values))
    if words.dtype == np.uint64:
        return words
    if not (words.dtype.kind in "iu" or words.size == 0):
        raise BadInput(f"{name} must be integers, got {words.dtype}")
    if words.size and words.min() < 0:
        raise BadInput(f"{name} must not be negative, got {words.min()}")
    return words.astype(np.uint64)


@intrinsic
def _multiply(typing_context: Any, a: Any, b: Any) -> Any:  # pragma: no cover (compiled)
    """(high, low) words of the 128-bit product of two uint64: one instruction on a CPU."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.lshr(product, ir.Constant(wide, 64))
        word = ir.IntType(64)
        parts = [builder.trunc(high, word), builder.trunc(product, word)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _fill(seed, stage, frames, attempts, out):  # type: ignore[no-untyped-def]
    n = out.shape[1]
    scale = 1.0 / 9007199254740992.0  # 2^-53
    shift = np.uint64(11)
    for b in range(out.shape[0]):
        for i in range(0, n, 4):
            # numpy advances the counter before its first block, hence blocks from 1.
            c0 = np.uint64(i // 4 + 1)
            c1 = frames[b]
            c2 = attempts[b]
            c3 = np.uint64(0)
            k0 = seed
            k1 = stage
            for _ in range(10):
                h0, l0 = _multiply(_M0, c0)
                h1, l1 = _multiply(_M1, c2)
                c0 = h1 ^ c1 ^ k0
                c1 = l1
                c2 = h0 ^ c3 ^ k1
                c3 = l0
                k0 += _W0
                k1 += _W1
            left = n - i
            out[b, i] = (c0 >> shift) * scale
            if left > 1:
                out[b, i + 1] = (c1 >> shift) * scale
            if left > 2:
                out[b, i + 2] = (c2 >> shift) * scale
            if left > 3:
                out[b, i + 3] = (c3 >> shift) * scale


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _box_muller(u, out):  # type: ignore[no-untyped-def]
    # Scalar on purpose: numpy's vector log and cos may round an element differently by its place in
    # the array, and then the batch size would show in the data.
    for i in range(out.shape[0]):
        radius = math.sqrt(-2.0 * math.log(1.0 - u[2 * i]))
        out[i] = radius * math.cos(2.0 * math.pi * u[2 * i + 1])
