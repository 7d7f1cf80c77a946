"""The record of a hand that was fitted: the model's geometry, and what people said of it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
    HAND_STRIDE,
    PROVENANCE_MODEL,
    PROVENANCE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Frame, Hand
from frames.skeleton import KEYPOINTS
from labeling.refinement.fitting import Fit
from labeling.refinement.masks import Drawn, measure_flesh
from synth.labels import label_keypoints


def refine_hand(frame: Frame, hand: Hand, fit: Fit, drawn: Drawn, place: int) -> Hand:
    """The record of a refined hand at its place in the frame.

    What people said of a joint's visibility stands, unless the image contradicts it; of joints that
    they did not place, model and image tell.
    """
    depth = frame.reading
    assert depth is not None
    cam = fit.keypoints_m.astype(np.float32)
    told = label_keypoints(
        frame.camera,
        cam[None],
        measure_flesh(fit)[None].astype(np.float32),
        np.zeros(1, np.int64),
        np.array([place]),
        depth[None],
        drawn.parts[None],
        frame.depth_scale,
    )
    visibility, cause = told.visibility[0].copy(), told.occlusion[0].copy()
    surface = told.surface_depth_m[0]
    said = (hand.visibility != VISIBILITY_OUTSIDE) & (hand.provenance != PROVENANCE_NONE)
    inside = visibility != VISIBILITY_OUTSIDE
    with np.errstate(invalid="ignore"):
        nearer = surface < cam[:, 2] - 2 / frame.depth_scale
    codes = read_codes(frame.camera, told.keypoints_px[0], drawn.parts)
    own = (codes > 0) & (codes // HAND_STRIDE == place)
    # Who sees a joint sees it where the sensor reads nothing, too.
    sighted = (hand.visibility == VISIBILITY_VISIBLE) | (hand.occlusion == CAUSE_DROPOUT)
    seen = said & inside & sighted & (own | ~nearer)
    visibility[seen], cause[seen] = VISIBILITY_VISIBLE, CAUSE_NONE
    hidden = said & inside & ~sighted & nearer
    hidden &= visibility == VISIBILITY_VISIBLE  # its own skin is before it, say those who looked
    visibility[hidden] = VISIBILITY_OCCLUDED
    cause[hidden] = np.where(own[hidden], CAUSE_SELF, CAUSE_OBJECT)
    unread = said & inside & np.isnan(surface)
    visibility[unread], cause[unread] = VISIBILITY_OCCLUDED, CAUSE_DROPOUT
    cause[~inside] = CAUSE_OUTSIDE
    angles = fit.angles.astype(np.float32)
    angles[:2] = np.nan  # the wrist's: the forearm is not fitted
    return replace(
        hand,
        part_base=HAND_STRIDE * place,
        keypoints_px=told.keypoints_px[0],
        keypoints_cam_m=cam,
        surface_depth_m=surface,
        visibility=visibility,
        occlusion=cause,
        visible_fraction=float(drawn.visible_fraction[place]),
        box_px=drawn.box_px[place],
        box_amodal_px=drawn.box_amodal_px[place],
        joint_angles_rad=angles,
        shape=fit.shape.astype(np.float32),
        T_camera_from_wrist=fit.T_camera_from_wrist.astype(np.float32),
        provenance=np.full(KEYPOINTS, PROVENANCE_MODEL, np.uint8),
    )


def read_codes(
    camera: Camera, px: NDArray[np.float32], parts: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """(21,) codes at the nearest pixels, 0 outside."""
    inside = camera.contains(px)
    at = np.where(inside[:, None], np.floor(np.nan_to_num(px) + 0.5), 0).astype(np.int64)
    return np.where(inside, parts[at[:, 1], at[:, 0]], 0).astype(np.int64)
