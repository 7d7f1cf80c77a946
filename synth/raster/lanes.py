"""Eight pixels at once: the z-test of one block, written in LLVM's vector types.

LLVM's own vectoriser turns these loops inside out (it vectorises over blocks, and a triangle of a
hand has one), so the inner step is spelled as LLVM IR: portable, lowered to AVX-512, AVX2, SSE or
NEON by the compiler, and bit-identical on all of them because no operation may be contracted or
reordered.
"""

# mypy: allow-untyped-defs

from typing import Any, Final

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from synth.raster.keys import BASE64, CODE_MASK

LANES: Final = 8
"""Pixels a block; key buffers carry as many columns of padding."""

TILE: Final = LANES
"""Side in pixels of the tiles that large triangles are searched by: one block wide."""

_DOUBLE = ir.DoubleType()
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_DOUBLES = ir.VectorType(_DOUBLE, LANES)
_INT32S, _INT64S = ir.VectorType(_INT32, LANES), ir.VectorType(_INT64, LANES)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_STEPS = ir.Constant(_DOUBLES, [float(k) for k in range(LANES)])


def _splat(builder: Any, value: Any) -> Any:
    vector = ir.VectorType(value.type, LANES)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, _INT32(0))
    zeros = ir.Constant(_INT32S, [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _constant(vector: Any, value: Any) -> Any:
    return ir.Constant(vector, [value] * LANES)


def _address(
    context: Any, builder: Any, array_type: Any, array: Any, offset: Any, vector: Any
) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


def _load(builder: Any, address: Any, align: int) -> Any:
    return builder.load(address, align=align)


def _merge(
    builder: Any, address: Any, inside: Any, depth: Any, lo: Any, hi: Any, code: Any
) -> None:
    """Clamp 1/z, pack keys where `inside`, and keep the larger of old and new."""
    lo, hi = _splat(builder, lo), _splat(builder, hi)
    depth = builder.select(builder.fcmp_ordered("<", depth, lo), lo, depth)
    depth = builder.select(builder.fcmp_ordered(">", depth, hi), hi, depth)
    bits = builder.sub(builder.bitcast(depth, _INT64S), _constant(_INT64S, BASE64))
    bits = builder.lshr(bits, _constant(_INT64S, 24))
    key = builder.trunc(builder.and_(bits, _constant(_INT64S, CODE_MASK)), _INT32S)
    key = builder.or_(key, _splat(builder, builder.trunc(code, _INT32)))
    old = _load(builder, address, 4)
    nearer = builder.and_(inside, builder.icmp_unsigned(">", key, old))
    builder.store(builder.select(nearer, key, old), address, align=4)


@intrinsic
def shade_affine(typingctx, keys, at, e0, e1, e2, a0, a1, a2, w, gx, lo, hi, code):
    """Draw pixels at ... at+7: edges e + a*lane >= 0, 1/z = w + gx*lane clamped to [lo, hi]."""
    signature = types.void(keys, types.uint64, *([types.float64] * 10), types.uint64)

    def generate(context, builder, sig, args):
        keys, at, e0, e1, e2, a0, a1, a2, w, gx, lo, hi, code = args
        zero = _constant(_DOUBLES, 0.0)
        inside = None
        for e, a in ((e0, a0), (e1, a1), (e2, a2)):
            edge = builder.fadd(_splat(builder, e), builder.fmul(_splat(builder, a), _STEPS))
            test = builder.fcmp_ordered(">=", edge, zero)
            inside = test if inside is None else builder.and_(inside, test)
        depth = builder.fadd(_splat(builder, w), builder.fmul(_splat(builder, gx), _STEPS))
        address = _address(context, builder, sig.args[0], keys, at, _INT32S)
        _merge(builder, address, inside, depth, lo, hi, code)
        return context.get_dummy_value()

    return signature, generate


def _table_coordinates(context, builder, sig, args):
    """Coordinates of eight pixels as float64, and what evaluates a*gx + b*gy + c at them."""
    x, y = (
        builder.fpext(
            builder.load(
                _address(context, builder, sig.args[n], args[n], args[1], _FLOATS), align=4
            ),
            _DOUBLES,
        )
        for n in (2, 3)
    )

    def affine(coefficients: Any, first: int) -> Any:
        a, b, c = (
            _splat(builder, builder.extract_value(coefficients, first + n)) for n in range(3)
        )
        return builder.fadd(builder.fadd(builder.fmul(a, x), builder.fmul(b, y)), c)

    return affine


@intrinsic
def shade_table(typingctx, keys, at, gx, gy, edges, plane, lo, hi, limit, code):
    """Draw pixels at ... at+7 by table coordinates gx, gy (flat float32, same indexing as keys).

    edges is a tuple of 9 float64 (three functions a*gx + b*gy + c >= 0), plane one of 3 (1/z
    likewise, drawn where <= limit and then clamped to [lo, hi]). NaN coordinates draw nothing.
    """
    nine, three = types.UniTuple(types.float64, 9), types.UniTuple(types.float64, 3)
    floats = [types.float64] * 3
    signature = types.void(keys, types.uint64, gx, gy, nine, three, *floats, types.uint64)

    def generate(context, builder, sig, args):
        keys, at, _, _, edges, plane, lo, hi, limit, code = args
        affine = _table_coordinates(context, builder, sig, args)
        depth = affine(plane, 0)
        inside = builder.fcmp_ordered("<=", depth, _splat(builder, limit))
        for first in (0, 3, 6):
            test = builder.fcmp_ordered(">=", affine(edges, first), _constant(_DOUBLES, 0.0))
            inside = builder.and_(inside, test)
        address = _address(context, builder, sig.args[0], keys, at, _INT32S)
        _merge(builder, address, inside, depth, lo, hi, code)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def shade_covered(typingctx, keys, at, gx, gy, plane, lo, hi, limit, code):
    """As `shade_table` where all eight pixels are known to lie within the edges."""
    three, floats = types.UniTuple(types.float64, 3), [types.float64] * 3
    signature = types.void(keys, types.uint64, gx, gy, three, *floats, types.uint64)

    def generate(context, builder, sig, args):
        keys, at, _, _, plane, lo, hi, limit, code = args
        depth = _table_coordinates(context, builder, sig, args)(plane, 0)
        inside = builder.fcmp_ordered("<=", depth, _splat(builder, limit))
        address = _address(context, builder, sig.args[0], keys, at, _INT32S)
        _merge(builder, address, inside, depth, lo, hi, code)
        return context.get_dummy_value()

    return signature, generate
