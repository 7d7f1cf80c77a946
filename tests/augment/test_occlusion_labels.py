"""Labels after occluders: against frames rendered with them, and recounted pixel by pixel."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from augment.occlusion import drawing
from augment.occlusion.canvas import Canvas, open_canvas
from augment.occlusion.casting import cast_rows, cast_triangles
from augment.occlusion.config import BEFORE, BEHIND, KINDS, Occlusion
from augment.occlusion.drawing import aim_occluder, draw_kind
from augment.occlusion.frame import occlude_frame
from augment.occlusion.inserting import put_body, settle_before, settle_behind
from augment.occlusion.insertion import close_canvas, insert_occluders
from augment.occlusion.occluders import fill_rows
from augment.occlusion.plan import AIM, EACH
from augment.occlusion.solids import BOX, ROW
from augment.occlusion.sprites import cut_sprites
from frames.camera import Camera
from frames.parts import (
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OUTSIDE,
    HAND_PARTS,
    OBJECT_BASE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Frame, SceneObject
from frames.store.rows import Rows
from synth.config import SynthConfig
from synth.frame_renderer import render_scenes
from synth.generator import Generator
from synth.raster.canvas import Canvas as Painter
from synth.scene.scene import LAYERS
from tests.frames.fabricate import build_table
from tests.frames.frame_table import find_faults
from tests.synth.scene.witness import generator

CAMERA_NAMES = ("ego-small", "azure-nfov", "ahat")
NO_CODES = np.zeros((0, 0), np.uint8)
EVERYTHING = Occlusion(share_before=1, share_behind=0.7, share_cut=0.3, cut_hand=4, cut_finger=2)


@cache
def make_frames(camera: str, count: int) -> tuple[Frame, ...]:
    """The first frames of a small world."""
    rows = Rows(generator(camera).make_table(0, count))
    return tuple(rows.frame(i) for i in range(count))


@cache
def make_cards() -> tuple[Frame, ...]:
    """Frames of cards, whose labels are known by construction."""
    rows = Rows(build_table(np.arange(40)))
    return tuple(rows.frame(i) for i in range(40))


def put_box(frame: Frame, centre: tuple[float, float, float], half: float, deep: float) -> Frame:
    """The frame with a box before the camera, where it is."""
    row = np.zeros((1, ROW))
    row[0, 0], row[0, 1:4], row[0, 4:13] = BOX, centre, np.eye(3).ravel()
    row[0, 13:16] = half, half, deep
    assert frame.clean_depth is not None
    canvas = open_canvas(frame, Occlusion(), frame.clean_depth)
    cast = cast_rows(canvas.lines.rays, canvas.lines.centres, canvas.lines.spreads, row, 0.01)
    canvas.covered = write(canvas, cast, 1.0)
    return close_canvas(canvas, frame, frame.clean_depth, None, 0)


def write(canvas: Canvas, cast: tuple, ratio: float) -> int:  # type: ignore[type-arg]
    scale = canvas.frame.depth_scale
    return put_body(
        *cast, ratio, canvas.next_code, NO_CODES, scale, canvas.fill, canvas.depth, canvas.parts,
        canvas.removed,
    )  # fmt: skip


class WithBody(Painter):
    """Draws one more mesh into the last layer of each frame."""

    def __init__(self, camera: Camera, bodies: list[tuple[np.ndarray, np.ndarray, int]]) -> None:
        super().__init__(camera, LAYERS + 1)
        self._bodies = iter(bodies)

    def composite(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        vertices, faces, code = next(self._bodies)
        zeros = np.zeros(len(faces), np.uint8)
        self.draw(LAYERS, vertices, faces.astype(np.int32), zeros, base=code)
        return super().composite(*args, **kwargs)


@pytest.mark.parametrize("camera", CAMERA_NAMES)
def test_labels_are_those_of_the_scene_rendered_with_the_occluder(
    camera: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lump put into finished frames, and the same lump drawn by the renderer among the hands."""
    maker, count = generator(camera), 24 if camera != "ahat" else 8
    frames = make_frames(camera, count)
    config = Occlusion(body_size_m=(0.05, 0.2), clearance_m=(0.01, 0.05))
    rng = np.random.default_rng(7)
    meshes: list[tuple[np.ndarray, np.ndarray]] = []

    def remember(rays, centres, spreads, vertices, faces, near_m):  # type: ignore[no-untyped-def]
        meshes.append((vertices, faces))
        return cast_triangles(rays, centres, spreads, vertices, faces, near_m)

    ratios = []

    def note(canvas, kind, pose, size, ratio, covered):  # type: ignore[no-untyped-def]
        ratios.append(ratio)
        listing(canvas, kind, pose, size, ratio, covered)

    listing = drawing._list_object
    monkeypatch.setattr(drawing, "cast_triangles", remember)
    monkeypatch.setattr(drawing, "_list_object", note)
    augmented, bodies = [], []
    for frame in frames:
        assert frame.clean_depth is not None
        canvas = open_canvas(frame, config, frame.clean_depth)
        u = rng.random(EACH)
        point = aim_occluder(canvas, config, u[:AIM])
        done = point is not None and draw_kind(canvas, config, "body", point, u, (), ())
        augmented.append(close_canvas(canvas, frame, frame.clean_depth, None, 0))
        code = OBJECT_BASE + len(frame.objects)
        if done:
            bodies.append((meshes[-1][0] * ratios[-1], meshes[-1][1], code))
        else:
            nothing = np.array([[0, 0, -1.0], [0, 1, -1], [1, 0, -1]])
            bodies.append((nothing, np.array([[0, 1, 2]]), code))
    scenes = maker.sample(np.arange(count))
    truth = render_scenes(scenes, maker.camera, maker.studio, WithBody(maker.camera, bodies))
    hands = iter(range(len(truth.hands.visible_fraction)))
    changed = hidden = 0
    for b, (frame, old) in enumerate(zip(augmented, frames, strict=True)):
        assert frame.parts is not None and frame.clean_depth is not None
        # Pixels whose centre lies on an edge may fall either way in another arithmetic.
        same = frame.parts == truth.codes[b]
        assert (~same).sum() <= 2 + 0.01 * (frame.parts != old.parts).sum()
        apart = np.abs(frame.clean_depth.astype(int) - truth.depth[b].astype(int))
        assert (apart[same] > 1).sum() <= 2
        for hand in frame.hands:
            n = next(hands)
            wanted = truth.hands.keypoints
            assert np.array_equal(hand.visibility, wanted.visibility[n])
            assert np.array_equal(hand.occlusion, wanted.occlusion[n])
            surface = wanted.surface_depth_m[n]
            assert np.allclose(hand.surface_depth_m, surface, atol=2.5e-4, equal_nan=True)
            assert hand.visible_fraction == pytest.approx(
                truth.hands.visible_fraction[n], abs=0.01, nan_ok=True
            )
            assert np.allclose(hand.box_px, truth.hands.box_px[n], atol=1, equal_nan=True)
            assert np.array_equal(hand.box_amodal_px, truth.hands.box_amodal_px[n], equal_nan=True)
        for hand, before in zip(frame.hands, old.hands, strict=True):
            changed += int((hand.visibility != before.visibility).sum())
            hidden += hand.visible_fraction < before.visible_fraction
    assert changed > 8 and hidden > 3


def recount(frame: Frame, old: Frame) -> None:
    """Everything that pixels tell of the hands that were there before, counted here by hand."""
    assert frame.parts is not None and old.parts is not None and old.clean_depth is not None
    assert frame.clean_depth is not None
    height, width = frame.parts.shape
    for hand, before in zip(frame.hands, old.hands, strict=False):
        codes = range(hand.part_base + 1, hand.part_base + HAND_PARTS + 1)
        was, now = np.isin(old.parts, codes), np.isin(frame.parts, codes)
        assert not (now & ~was).any()
        if was.any():
            whole = round(was.sum() / float(before.visible_fraction))
            assert hand.visible_fraction == np.float32(now.sum() / whole)
        v, u = np.nonzero(now)
        wanted = [np.nan] * 4
        if len(v):
            wanted = [u.min() - 0.5, v.min() - 0.5, u.max() + 0.5, v.max() + 0.5]
        assert np.array_equal(hand.box_px, np.float32(wanted), equal_nan=True)
        for name in ("keypoints_px", "keypoints_cam_m", "box_amodal_px"):
            assert getattr(hand, name) is getattr(before, name)
        for k in range(21):
            x, y = hand.keypoints_px[k].astype(float)
            inside = -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5
            if not inside:
                assert hand.visibility[k] == VISIBILITY_OUTSIDE
                assert hand.occlusion[k] == CAUSE_OUTSIDE
                continue
            at = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
            z, hit = float(hand.keypoints_cam_m[k, 2]), frame.clean_depth[at] / 1e4
            put = frame.clean_depth[at] != old.clean_depth[at]
            if put and hit < z:
                cause = CAUSE_OBJECT if frame.parts[at] >= OBJECT_BASE else 2
                assert (hand.visibility[k], hand.occlusion[k]) == (VISIBILITY_OCCLUDED, cause)
            else:
                assert hand.visibility[k] == before.visibility[k]
                assert hand.occlusion[k] == before.occlusion[k]
            assert (
                np.isnan(hand.surface_depth_m[k])
                if not hit
                else (hand.surface_depth_m[k] == np.float32(hit))
            )


@pytest.mark.parametrize("camera", CAMERA_NAMES)
def test_every_label_is_what_its_pixels_say(camera: str) -> None:
    frames = make_frames(camera, 24 if camera != "ahat" else 8)
    config = replace(EVERYTHING, share_cut=0.0)
    sprites = cut_sprites(frames)
    kinds, pasted = set(), 0
    for epoch in range(6):
        out = [insert_occluders(f, config, 3, epoch=epoch, sprites=sprites) for f in frames]
        for frame, old in zip(out, frames, strict=True):
            recount(frame, old)
            kinds |= {thing.name for thing in frame.objects[len(old.objects) :]}
            pasted += len(frame.hands) - len(old.hands)
        assert find_faults(out) == []
    assert kinds >= (set(KINDS) - {"cut_hand"} if camera == "ego-small" else {"strap", "clutter"})
    assert pasted > 2


def test_verify_finds_nothing_wrong_with_cards_and_occluders() -> None:
    frames = make_cards()
    assert find_faults(frames) == []
    for epoch in range(8):
        out = [occlude_frame(f, EVERYTHING, 5, epoch=epoch) for f in frames]
        assert find_faults(out) == []


def test_wall_before_everything_hides_all() -> None:
    for old in make_frames("ego-small", 24):
        frame = put_box(old, (0, 0, 0.08), 1.0, 0.02)
        assert frame.parts is not None and frame.clean_depth is not None
        assert (frame.parts == OBJECT_BASE + len(old.objects)).all()
        assert (frame.clean_depth == 600).all()
        for hand, before in zip(frame.hands, old.hands, strict=True):
            inside = hand.visibility > 0
            assert np.array_equal(inside, before.visibility > 0)
            assert (hand.visibility[inside] == VISIBILITY_OCCLUDED).all()
            assert (hand.occlusion[inside] == CAUSE_OBJECT).all()
            assert (hand.occlusion[~inside] == CAUSE_OUTSIDE).all()
            assert (hand.surface_depth_m[inside] == np.float32(0.06)).all()
            assert hand.visible_fraction == 0 or np.isnan(before.visible_fraction)
            assert np.isnan(hand.box_px).all()
            assert np.array_equal(hand.box_amodal_px, before.box_amodal_px, equal_nan=True)


def test_wall_behind_everything_changes_no_label() -> None:
    for old in make_frames("ego-small", 24):
        assert old.clean_depth is not None
        frame = put_box(old, (0, 0, 6.5), 20.0, 0.01)
        assert frame.clean_depth is not None and frame.parts is not None
        new = frame.clean_depth != old.clean_depth
        assert (old.clean_depth[new] == 0).all() and (frame.clean_depth[new] == 64900).all()
        same = ~new
        assert np.array_equal(frame.parts[same], old.parts[same])  # type: ignore[index]
        for hand, before in zip(frame.hands, old.hands, strict=True):
            for name in ("visibility", "occlusion", "box_px", "box_amodal_px"):
                a, b = getattr(hand, name), getattr(before, name)
                assert np.array_equal(a, b, equal_nan=name.startswith("box"))
            assert hand.visible_fraction == before.visible_fraction or np.isnan(
                before.visible_fraction
            )
            known = np.isfinite(before.surface_depth_m)
            assert np.array_equal(hand.surface_depth_m[known], before.surface_depth_m[known])


@pytest.mark.parametrize("kind", [*BEFORE[:-2], *BEHIND])
def test_no_occluder_runs_through_a_hand(kind: str) -> None:
    """Each stays its clearance away from every pixel of hands that it covers, or backs."""
    rng, shown = np.random.default_rng(9), 0
    config = Occlusion(clearance_m=(0.01, 0.01), gap_m=(0.01, 0.01))
    for frame in make_frames("ego-small", 24):
        assert frame.clean_depth is not None and frame.parts is not None
        canvas = open_canvas(frame, config, frame.clean_depth)
        u = rng.random(EACH)
        point = aim_occluder(canvas, config, u[:AIM])
        if point is None or not draw_kind(canvas, config, kind, point, u, (), ()):
            continue
        shown += 1
        new = canvas.depth != frame.clean_depth
        assert canvas.depth[new].min() >= 0.999 * config.near_m * 1e4
        hand = canvas.solid[frame.parts]
        if kind in BEHIND:
            assert not (new & hand).any()
        elif (new & hand).any():
            free = frame.clean_depth[new & hand].astype(int) - canvas.depth[new & hand]
            # Less only where there is no room: half of what is before the point.
            least = min(100.0, 0.5e4 * (point[2] - config.near_m))
            assert free.min() >= least - 1
    assert shown >= 12


def test_settling_touches_exactly() -> None:
    rng = np.random.default_rng(0)
    depth = rng.integers(4000, 6000, (20, 30)).astype(np.uint16)
    parts, solid = np.ones((20, 30), np.uint8), np.zeros(256, np.bool_)
    solid[1] = True
    z = rng.uniform(0.3, 0.7, (10, 10))
    z[0, 0] = np.inf
    at = depth[5:15, 7:17] / 1e4
    some = np.isfinite(z)
    before = settle_before(5, 7, z, depth, parts, solid, 65535, 1e-4, 0.02)
    assert (at - before * z)[some].min() == pytest.approx(0.02, abs=1e-12)
    behind = settle_behind(5, 7, z, depth, parts, solid, 65535, 1e-4, 0.02)
    assert (behind * z - at)[some].min() == pytest.approx(0.02, abs=1e-12)
    solid[1] = False
    assert settle_before(5, 7, z, depth, parts, solid, 65535, 1e-4, 0.02) == 1
    assert settle_behind(5, 7, z, depth, parts, solid, 65535, 1e-4, 0.02) == 1


def test_a_draw_depends_on_its_keys_alone() -> None:
    frames = make_frames("ego-small", 24)
    first = [repr(insert_occluders(f, EVERYTHING, 1)) for f in frames]
    again = [repr(insert_occluders(f, EVERYTHING, 1)) for f in reversed(frames)][::-1]
    assert first == again
    assert first != [repr(insert_occluders(f, EVERYTHING, 2)) for f in frames]
    assert first != [repr(insert_occluders(f, EVERYTHING, 1, epoch=1)) for f in frames]


def test_inputs_stay_as_they_were() -> None:
    for frame in make_frames("ego-small", 8):
        before = repr(frame)
        images = [frame.clean_depth.tobytes(), frame.parts.tobytes()]  # type: ignore[union-attr]
        occlude_frame(frame, EVERYTHING, 1)
        assert repr(frame) == before
        assert images == [frame.clean_depth.tobytes(), frame.parts.tobytes()]  # type: ignore[union-attr]


def test_a_sequence_keeps_its_occluders() -> None:
    maker = Generator(SynthConfig(seed=2, camera="ego-small", sequence_length=6))
    rows = Rows(maker.make_table(0, 12))
    config = Occlusion(share_before=1)
    names = []
    for i in range(12):
        frame = insert_occluders(rows.frame(i), config, 1)
        names.append([t.name for t in frame.objects if t.kind == "occluder"])
    # One that finds no room in a frame, or shows nothing, is missing from that frame alone.
    union = [{n for row in names[k : k + 6] for n in row} for k in (0, 6)]
    longest = [max(names[k : k + 6], key=len) for k in (0, 6)]
    assert [len(set(row)) for row in longest] == [len(u) for u in union]


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (7, 5)])
def test_tiny_images(size: tuple[int, int]) -> None:
    width, height = size
    camera = Camera("pinhole", width, height, 5.0, 5.0, 0.0, 0.0)
    empty = np.zeros((height, width), np.uint16)
    for depth in (empty, empty + 5000, empty + 65535):
        for source, name in (("synthetic", "clean_depth"), ("real", "depth")):
            frame = Frame(0, source, camera, None, 1e4, None, None, None, None, None, None, (), ())
            frame = replace(frame, **{name: depth}, parts=depth.astype(bool).astype(np.uint8) * 0)
            for epoch in range(20):
                out = occlude_frame(frame, EVERYTHING, 1, epoch=epoch)
                assert getattr(out, name).shape == depth.shape
                if not depth.any():
                    assert out is frame or not out.hands


def test_frame_without_depth_or_hands() -> None:
    frame = make_frames("ego-small", 1)[0]
    blind = replace(frame, clean_depth=None, depth=None)
    assert insert_occluders(blind, EVERYTHING, 1) is blind
    lonely = replace(frame, hands=())
    out = [insert_occluders(lonely, EVERYTHING, 1, epoch=e) for e in range(10)]
    assert any(o.objects != lonely.objects for o in out)
    holes = replace(frame, clean_depth=np.zeros_like(frame.clean_depth), parts=None)
    for epoch in range(10):
        insert_occluders(holes, EVERYTHING, 1, epoch=epoch)


def test_no_codes_left_still_hides() -> None:
    frame = make_frames("ego-small", 1)[0]
    one = np.eye(4, dtype=np.float32)
    thing = SceneObject("box", OBJECT_BASE, one, np.ones(3, np.float32))
    full = replace(
        frame,
        objects=tuple(replace(thing, part_code=OBJECT_BASE + j) for j in range(31)),
    )
    out = put_box(full, (0, 0, 0.08), 1.0, 0.02)
    assert out.parts is not None and (out.parts == 0).all() and len(out.objects) == 31
    for hand in out.hands:
        assert (hand.occlusion[hand.visibility > 0] == CAUSE_OBJECT).all()


def test_real_frame_without_parts() -> None:
    """Visibility by depth at the keypoint; what cannot be known is NaN or stays."""
    nan = np.float32(np.nan)
    for old in make_frames("ego-small", 24):
        assert old.clean_depth is not None
        hands = tuple(
            replace(h, visible_fraction=np.nan, box_amodal_px=np.full(4, nan)) for h in old.hands
        )
        real = replace(
            old, source="real", depth=old.clean_depth, clean_depth=None, parts=None, hands=hands,
            objects=(),
        )  # fmt: skip
        for epoch in range(4):
            out = insert_occluders(real, replace(EVERYTHING, share_cut=0), 1, epoch=epoch)
            assert out.parts is None and out.clean_depth is None and out.depth is not None
            new = out.depth != real.depth
            for hand, before in zip(out.hands, hands, strict=True):
                assert np.isnan(hand.visible_fraction) or hand.visible_fraction == 0
                if hand.visible_fraction != 0:
                    assert np.array_equal(hand.box_px, before.box_px, equal_nan=True)
                for k in np.flatnonzero(before.visibility):
                    u, v = np.floor(hand.keypoints_px[k].astype(float) + 0.5).astype(int)
                    hit = out.depth[v, u] / 1e4
                    hides = new[v, u] and hit < hand.keypoints_cam_m[k, 2]
                    wanted = VISIBILITY_OCCLUDED if hides else before.visibility[k]
                    assert hand.visibility[k] == wanted
                    if hides:
                        assert hand.occlusion[k] == CAUSE_OBJECT
                    elif wanted == VISIBILITY_VISIBLE:
                        assert hand.occlusion[k] == CAUSE_NONE


def test_occluders_stay_out_of_the_holes_behind_a_hand() -> None:
    """A sensor's hole hides something: nothing that is put behind the hands shows in it."""
    old = make_frames("ego-small", 24)[3]
    assert old.clean_depth is not None and old.hands
    holes = np.zeros(old.clean_depth.shape, bool)
    holes[::2] = True
    real = replace(
        old, source="real", clean_depth=None, parts=None, objects=(),
        depth=np.where(holes, np.uint16(0), old.clean_depth),
    )  # fmt: skip
    nearest = min(h.keypoints_cam_m[:, 2].min() for h in old.hands)
    config = Occlusion(share_behind=1, share_before=0)
    for epoch in range(30):
        out = insert_occluders(real, config, 1, epoch=epoch)
        assert out.depth is not None
        filled = out.depth[holes & (out.depth > 0)]
        assert (filled < (nearest - 0.03) * 1e4).all()


def test_made_occluders_have_the_sizes_asked_for() -> None:
    config = Occlusion()
    rng, point = np.random.default_rng(0), np.array([0.0, 0.0, 0.4])
    for kind, low, high in (
        ("strap", config.strap_length_m[0], config.strap_length_m[1]),
        ("paper", config.paper_side_m[0], config.paper_side_m[1]),
        ("blob", 2 * config.blob_radius_m[0], 2 * config.blob_radius_m[1]),
        ("board", config.board_side_m[0], config.board_side_m[1]),
    ):
        sizes = [
            fill_rows(KINDS.index(kind), point, 0.01, config.sizes, rng.random(32))[2][0]
            for _ in range(400)
        ]
        assert low <= min(sizes) and max(sizes) <= high
        # Evenly by ratio: the mean of the logarithms, standard error range / sqrt(12 n).
        span = np.log(high / low)
        error = span / np.sqrt(12 * len(sizes))
        assert abs(np.mean(np.log(sizes)) - np.log(low * high) / 2) < 4 * error
