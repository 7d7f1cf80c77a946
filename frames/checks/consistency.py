"""Whether a batch's labels agree with its images and cameras, worked out without the writer's code.

Everything is recomputed from what the data say: keypoints through the camera, boxes and pixel
counts from the part image, depth under every keypoint from the depth image. See `verify`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.checks.batch_view import (
    Batch,
    BatchView,
    Mask,
    is_bent,
    is_torn,
    look_at,
    read_depth,
)
from frames.checks.part_boxes import COUNT, U0, U1, V0, V1, tally_codes
from frames.checks.reading_rules import check_readings, check_unread
from frames.checks.scene_rules import Moment, check_hands, check_scenes
from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OTHER_HAND,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
    FOREARM,
    HAND_PARTS,
    HAND_STRIDE,
    MAX_HANDS,
    OBJECT_BASE,
    PROVENANCE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)

REPROJECTION_PX: Final = 1e-3


@dataclass(frozen=True)
class Finding:
    """One rule that some labels of a batch break."""

    rule: str
    """What is wrong, as the rest of a sentence."""

    place: str
    """The first place: frame, hand, keypoint."""

    count: int


def check_batch(
    batch: Batch, splits: Mapping[str, range] | None = None, before: Moment | None = None
) -> Iterator[Finding]:
    """Everything wrong in a batch of all columns, as `Dataset.batches` gives it.

    splits: the dataset's (`frames.store.splits.read_splits`), None for not to compare with. before:
    the frame before the batch, for what holds from one to the next.
    """
    view = look_at(batch)
    checks: list[Callable[[BatchView], Iterator[tuple[str, Mask]]]] = [
        _check_numbers,
        _check_projection,
        _check_causes,
        _check_surface,
        _check_occluders,
        _check_boxes,
        check_hands,
        check_unread,
    ]
    yield from _check_frames(batch)
    for rule, wrong in (*check_readings(batch), *check_scenes(batch, splits, before)):
        if wrong.any():
            place = f"frame {batch['frame_id'][np.argmax(wrong)]}"
            yield Finding(rule, place, int(wrong.sum()))
    for check in checks:
        for rule, wrong in check(view):
            if wrong.any():
                first = np.argwhere(wrong)[0]
                n = int(first[0])
                place = f"frame {batch['frame_id'][view.frame[n]]}, hand {view.slot[n]}"
                if len(first) > 1:
                    place += f", keypoint {first[1]}"
                yield Finding(rule, place, int(wrong.sum()))


def _check_frames(batch: Batch) -> Iterator[Finding]:
    ids = batch["frame_id"]
    counts = np.asarray(batch["object_counts"])
    frame = np.repeat(np.arange(len(ids)), counts)
    place = np.arange(len(frame)) - np.repeat(np.cumsum(counts) - counts, counts)

    def any_of(objects: Mask) -> Mask:
        return np.bincount(frame[objects], minlength=len(ids)) > 0

    synthetic = np.array([s == "synthetic" for s in batch["source"]], bool)
    whole = batch["clean_depth"] is not None and batch["parts"] is not None
    wrong = {
        "depth_scale is not > 0": ~(np.asarray(batch["depth_scale"]) > 0),
        "a synthetic frame lacks clean_depth or parts": synthetic & (not whole),
        "T_world_from_camera is not rigid": is_bent(batch["T_world_from_camera"]),
        "an object's part_code is not 224 + its place": any_of(
            batch["objects.part_code"] != OBJECT_BASE + place
        ),
        "an object's T_camera_from_object is not rigid": any_of(
            is_bent(batch["objects.T_camera_from_object"])
        ),
        "an object's velocity is not finite": any_of(is_torn(batch["objects.velocity"])),
    }
    if batch["parts"] is not None:
        listed = np.zeros((len(ids), 256), bool)
        listed[:, 0] = True
        for k in range(MAX_HANDS):
            base = HAND_STRIDE * k
            listed[:, base + 1 : base + FOREARM + 1] |= (batch["hand_counts"] > k)[:, None]
        listed[:, OBJECT_BASE:] = np.arange(256 - OBJECT_BASE) < counts[:, None]
        tally = tally_codes(batch["parts"])
        there = tally[..., COUNT] > 0
        wrong["the part image has codes of no listed hand or object"] = (there & ~listed).any(1)
        if batch["clean_depth"] is not None:
            hole = (batch["parts"] > 0) & (batch["clean_depth"] == 0)
            wrong["clean_depth is 0 on a hand or object"] = hole.any((1, 2))
    for rule, mask in wrong.items():
        if mask.any():
            yield Finding(rule, f"frame {ids[np.argmax(mask)]}", int(mask.sum()))


def _check_numbers(view: BatchView) -> Iterator[tuple[str, Mask]]:
    yield "part_base is not 32 * its place", view.hand("part_base") != HAND_STRIDE * view.slot
    sides = np.array([s in ("left", "right") for s in view.batch["hands.side"]], bool)
    yield "side is neither left nor right", ~sides
    cam = view.hand("keypoints_cam_m")
    yield "keypoints_cam_m is not finite", ~np.isfinite(cam).all(-1) & view.synthetic[:, None]
    for name in ("joint_angles_rad", "shape"):
        yield f"{name} is infinite", np.isinf(view.hand(name)).any(-1)
    yield "T_camera_from_wrist is not rigid", is_bent(view.hand("T_camera_from_wrist"))


def _check_projection(view: BatchView) -> Iterator[tuple[str, Mask]]:
    cam = view.hand("keypoints_cam_m").astype(np.float64)
    px = view.hand("keypoints_px").astype(np.float64)
    known = np.isfinite(cam).all(-1)
    wrong = np.zeros(known.shape, bool)
    cameras = view.batch["camera"]
    for camera in set(cameras):
        mine = np.array([c is camera or c == camera for c in cameras], bool)[view.frame]
        again = camera.project(cam[mine])
        error = np.abs(again - px[mine]).max(-1)
        far = np.abs(px[mine]).max(-1)
        # Stored as float32: far outside the image its last digit is coarser than the tolerance.
        off = ~(error <= REPROJECTION_PX + 1e-6 * far)
        nowhere = np.isnan(px[mine]).all(-1)
        off &= ~(nowhere & np.isnan(again).all(-1))
        # On the rim of the field, rounding to float32 decides between NaN and a pixel.
        rim = np.isnan(again).any(-1) != nowhere
        inner = camera.project(cam[mine] * (1 - 1e-5, 1 - 1e-5, 1))
        outer = camera.project(cam[mine] * (1 + 1e-5, 1 + 1e-5, 1))
        off &= ~(rim & (np.isnan(inner).any(-1) != np.isnan(outer).any(-1)))
        wrong[mine] = off
    yield "keypoints_px is not keypoints_cam_m through the camera", wrong & known


def _check_causes(view: BatchView) -> Iterator[tuple[str, Mask]]:
    visibility, cause = view.hand("visibility"), view.hand("occlusion")
    labelled = view.synthetic[:, None] | (view.hand("provenance") != PROVENANCE_NONE)
    yield "visibility is not 0, 1 or 2", visibility > VISIBILITY_VISIBLE
    yield "occlusion is not a cause", cause > CAUSE_DROPOUT
    yield (
        "visibility and image bounds disagree",
        labelled & ((visibility == VISIBILITY_OUTSIDE) == view.inside),
    )
    hidden = (visibility == VISIBILITY_OCCLUDED) & ~np.isin(
        cause, (CAUSE_SELF, CAUSE_OTHER_HAND, CAUSE_OBJECT, CAUSE_DROPOUT)
    )
    # Who labels a real frame says that something hides a joint, not what.
    hidden &= view.synthetic[:, None] | (cause != CAUSE_NONE)
    seen = (visibility == VISIBILITY_VISIBLE) & (cause != CAUSE_NONE)
    outside = (visibility == VISIBILITY_OUTSIDE) & (cause != CAUSE_OUTSIDE)
    yield "visibility and its cause disagree", labelled & (hidden | seen | outside)


def _check_surface(view: BatchView) -> Iterator[tuple[str, Mask]]:
    read = read_depth(view)
    if read is None:
        return
    hit, step = read
    surface = view.hand("surface_depth_m").astype(np.float64)
    nothing = ~view.inside | (hit == 0)
    same = np.abs(surface - hit) <= 0.01 * step + 1e-6 * hit
    wrong = np.where(nothing, ~np.isnan(surface), ~same)
    # Real frames may have no surface depth at all.
    yield "surface_depth_m is not the image at its pixel", wrong & view.synthetic[:, None]


def _check_occluders(view: BatchView) -> Iterator[tuple[str, Mask]]:
    read = read_depth(view)
    if read is None or view.batch["parts"] is None:
        return
    hit, step = read
    code = view.batch["parts"][view.frame[:, None], view.row, view.column].astype(np.int64)
    # Where a sensor reads nothing, nothing may hide the keypoint either.
    dropped = view.hand("occlusion") == CAUSE_DROPOUT
    visible = view.inside & ((view.hand("visibility") == VISIBILITY_VISIBLE) | dropped)
    occluded = view.inside & (view.hand("visibility") == VISIBILITY_OCCLUDED)
    cause = view.hand("occlusion")
    z = view.hand("keypoints_cam_m")[..., 2].astype(np.float64)
    is_hand = (code > 0) & (code < OBJECT_BASE)
    own = is_hand & (code // HAND_STRIDE == view.slot[:, None])
    nearer = (hit > 0) & (hit < z - step)
    yield "a visible keypoint lies behind something else", visible & nearer & ~own
    behind = (hit > 0) & (hit <= z + step)
    covered = occluded & (cause != CAUSE_DROPOUT)
    yield "an occluded keypoint has nothing before it", covered & ~behind
    yield "occluded by itself, but another surface is there", covered & (cause == CAUSE_SELF) & ~own
    other = (cause == CAUSE_OTHER_HAND) & ~(is_hand & ~own)
    yield "occluded by another hand, but none is there", covered & other
    yield "occluded by an object, but a hand is there", covered & (cause == CAUSE_OBJECT) & is_hand


def _check_boxes(view: BatchView) -> Iterator[tuple[str, Mask]]:
    box, amodal = view.hand("box_px"), view.hand("box_amodal_px")
    fraction = view.hand("visible_fraction").astype(np.float64)
    whole = np.isfinite(amodal).all(-1)
    if view.batch["parts"] is not None:
        tally = tally_codes(view.batch["parts"])[view.frame]
        codes = HAND_STRIDE * view.slot[:, None] + np.arange(1, HAND_PARTS + 1)
        mine = np.take_along_axis(tally, np.minimum(codes, 255)[..., None], 1)
        count = mine[..., COUNT].sum(1)
        low = mine[..., [U0, V0]].min(1) - 0.5
        high = mine[..., [U1, V1]].max(1) + 0.5
        wanted = np.where((count > 0)[:, None], np.concatenate([low, high], 1), np.nan)
        same = (np.isnan(wanted) & np.isnan(box)) | (np.abs(wanted - box) <= 1e-3)
        yield "box_px is not the box of its pixels", ~same.all(-1) & view.synthetic
        with np.errstate(divide="ignore", invalid="ignore"):
            all_pixels = count / fraction
            area = np.prod(amodal[:, 2:] - amodal[:, :2], -1)
            off = np.abs(all_pixels - np.round(all_pixels)) > 1e-3 + 1e-6 * all_pixels
            broken = (count > 0) & (~(fraction > 0) | off | ~(all_pixels <= area * (1 + 1e-6)))
            broken |= (count == 0) & (fraction > 0)
        yield "visible_fraction is not a share of its pixels", np.asarray(broken & view.synthetic)
    with np.errstate(invalid="ignore"):
        beyond = (fraction < 0) | (fraction > 1)
        outside = (box[:, :2] < amodal[:, :2] - 1e-3) | (box[:, 2:] > amodal[:, 2:] + 1e-3)
    yield "visible_fraction is not within 0..1", beyond
    # A box that people drew comes alone.
    unknown = np.isnan(fraction) & whole & view.synthetic
    yield "visible_fraction is NaN, but the hand has pixels", unknown
    alone = np.isfinite(box[:, 0]) & ~whole & view.synthetic
    yield "box_px reaches out of box_amodal_px", outside.any(-1) | alone
    cameras = view.batch["camera"]
    size = np.array([(c.width, c.height) for c in cameras], np.float64).reshape(-1, 2)[view.frame]
    with np.errstate(invalid="ignore"):
        out = (amodal[:, :2] < -0.5) | (amodal[:, 2:] > size - 0.5)
        upside = amodal[:, 2:] <= amodal[:, :2]
    wrong = np.asarray((out | upside).any(-1))
    yield "box_amodal_px reaches out of the image or is empty", wrong
