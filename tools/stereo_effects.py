"""What a stereo model makes of plain scenes and of hands, effect by effect, in native pixels.

One row an effect, a number for each model: how close the fast model is to matching.
"""

from collections.abc import Callable

import cv2
import numpy as np

from augment.matched_stereo.model import MatchedStereo
from augment.shot import Reading, Shot
from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from tools.stereo_stage import CAMERA, Piece, make_bar, make_finger, stage

Sense = Callable[[Shot], Reading]
Rows = dict[str, float]

KEYS = 4
"""Pictures of each plain scene."""
ROWS = np.s_[60:-60]
WINDOW = 7


def measure_planes(model: MatchedStereo, sense: Sense) -> Rows:
    """RMS of depth on a slanting wall, correlation of the error, bias."""
    rows: Rows = {}
    for z in (0.3, 0.5, 0.8, 1.0, 1.5, 2.0):
        errors = []
        for key in range(KEYS):
            shot = stage(model, _slant(z, 0.25), [], key)
            depth, truth = sense(shot).depth_m, shot.depth / 1e4
            inner = np.s_[20:-20, 160:-20]
            error = model.focal_px * model.baseline_m * (1 / np.maximum(depth, 1e-3) - 1 / truth)
            errors.append(np.where(depth > 0, error, np.nan)[inner])
        e = np.stack(errors)
        step_mm = 1e3 * z * z / (model.focal_px * model.baseline_m)
        rows[f"RMS on a wall at {z} m, mm"] = float(np.sqrt(np.nanmean(e**2)) * step_mm)
        if z == 0.5:
            rows["the same, px of disparity"] = float(np.sqrt(np.nanmean(e**2)))
            rows["its mean, px"] = float(np.nanmean(e))
            rows["correlation falls to 1/e, px"] = _find_length(e - np.nanmean(e))
    return rows


def measure_silhouettes(model: MatchedStereo, sense: Sense) -> Rows:
    """How far a near plate grows over what is behind, and the band of holes beside it."""
    rows: Rows = {}
    for front, back in ((0.35, 0.7), (0.45, 0.55)):
        half, tall = 0.05, 0.06
        left, right, above, below, holes_left, holes_right = ([] for _ in range(6))
        for key in range(KEYS):
            shot = stage(model, _slant(back, 0.0), [make_bar(front, 2 * half, 2 * tall)], key)
            depth = sense(shot).depth_m
            near = (depth > 0) & (depth < (front + back) / 2)
            x0, x1 = (239.5 + s * 424 * half / front for s in (-1, 1))
            y0, y1 = (159.5 + s * 424 * tall / front for s in (-1, 1))
            middle = np.s_[int(y0) + 15 : int(y1) - 15]
            left.append(near[middle, int(x0) - 40 : 240].sum(1).mean() - (240 - x0 - 0.5))
            right.append(near[middle, 240 : int(x1) + 40].sum(1).mean() - (x1 - 239.5))
            columns = np.s_[int(x0) + 15 : int(x1) - 15]
            above.append(near[:160, columns].sum(0).mean() - (159.5 - y0))
            below.append(near[160:, columns].sum(0).mean() - (y1 - 159.5))
            holes = depth[middle] == 0
            holes_left.append(holes[:, max(int(x0) - 60, 0) : 240].sum(1).mean())
            holes_right.append(holes[:, 240 : int(x1) + 60].sum(1).mean())
        name = f"plate {front} m before {back} m"
        theory = 424 * model.baseline_m * (1 / front - 1 / back)
        rows[f"{name}: grows to the left, px"] = float(np.mean(left))
        rows["to the right" + f" ({front} m)"] = float(np.mean(right))
        rows["upwards" + f" ({front} m)"] = float(np.mean(above))
        rows["downwards" + f" ({front} m)"] = float(np.mean(below))
        rows[f"holes left of it, px (geometry: {theory:.1f})"] = float(np.mean(holes_left))
        rows["holes right of it" + f" ({front} m), px"] = float(np.mean(holes_right))
    return rows


def measure_melting(model: MatchedStereo, sense: Sense) -> Rows:
    """How a finger of 16 mm blends with a table under it, right side and middle."""
    rows: Rows = {}
    table = 0.45
    for gap_mm in (0, 5, 10, 20, 30):
        top = table - gap_mm / 1e3 - 0.016
        ramps, middles, holes = [], [], []
        for key in range(KEYS):
            finger = make_finger(top, 0.008, 0.3)
            shot = stage(model, _slant(table, 0.0), [finger], key)
            depth, truth = sense(shot).depth_m[ROWS], shot.depth[ROWS] / 1e4
            wrong = np.where(depth > 0, (truth - depth) / (table - top), np.nan)
            x1 = int(239.5 + 424 * 0.008 / (top + 0.008))
            profile = np.nanmean(wrong[:, x1 + 1 : x1 + 25], axis=0)
            ramps.append(float(np.clip(profile, 0, 1).sum()))
            middles.append(np.nanmean((depth - truth)[:, 238:242][depth[:, 238:242] > 0]) * 1e3)
            holes.append((depth[:, x1 - 40 : x1 + 25] == 0).sum(1).mean())
        name = f"finger {gap_mm} mm above a table"
        rows[f"{name}: finger's depth outside it, right, px"] = float(np.mean(ramps))
        rows[f"its top too far, mm ({gap_mm} mm)"] = float(np.mean(middles))
        rows[f"holes around it, px ({gap_mm} mm)"] = float(np.mean(holes))
    return rows


def measure_gaps(model: MatchedStereo, sense: Sense) -> Rows:
    """What two fingers at 0.4 m make of the gap between them, a wall being at 0.8 m."""
    rows: Rows = {}
    for gap_px in (4, 8, 16):
        shares = []
        for key in range(KEYS):
            apart = gap_px * 0.408 / 424 / 2 + 0.008
            fingers: list[Piece] = [make_finger(0.4, 0.008, 0.3, s * apart) for s in (-1, 1)]
            shot = stage(model, _slant(0.8, 0.0), fingers, key)
            depth = sense(shot).depth_m[ROWS]
            gap = (shot.depth[ROWS] > 6000) & _between(gap_px)
            shares.append(
                [((depth[gap] > 0) & (depth[gap] < 0.6)).mean(), (depth[gap] == 0).mean()]
            )
        filled, empty = np.mean(shares, axis=0)
        rows[f"gap of {gap_px} px between fingers: reads finger"] = float(filled)
        rows[f"reads nothing ({gap_px} px)"] = float(empty)
    return rows


def measure_hands(shots: list[Shot], sense: Sense) -> Rows:
    """Holes in a ring of 3 px and inside, and the residual to planes of 7 x 7 px, on frames."""
    ring, inside, residuals, depths = [], [], [], []
    for shot in shots:
        depth, truth = sense(shot).depth_m, shot.depth / np.float32(1e4)
        part = shot.parts % HAND_STRIDE
        hand = (shot.parts < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS)
        hand &= truth > 0.2  # nearer than the device reads
        if hand.sum() < 1500:
            continue
        around = cv2.dilate(hand.astype(np.uint8), np.ones((WINDOW, WINDOW))) > 0
        around &= (shot.parts == 0) & (truth > np.median(truth[hand]) + 0.1)
        core = cv2.erode(hand.astype(np.uint8), np.ones((WINDOW, WINDOW))) > 0
        ring.append((depth[around] == 0).mean() if around.sum() > 100 else np.nan)
        inside.append((depth[core] == 0).mean() if core.sum() > 100 else np.nan)
        residual, z = _fit_planes(depth, core)
        residuals.append(residual)
        depths.append(z)
    r, z = np.concatenate(residuals) * 1e3, np.concatenate(depths)
    rows = {
        "holes in the ring of 3 px, median": float(np.nanmedian(ring)),
        "holes inside, median": float(np.nanmedian(inside)),
    }
    for at in (0.3, 0.4, 0.5, 0.6):
        here = np.abs(z - at) < 0.04
        name = f"residual to 7 x 7 px planes at {at} m, mm"
        rows[name] = float(np.median(r[here])) if here.sum() > 300 else float("nan")
    return rows


def _slant(z: float, slope: float) -> tuple[float, float, float, float]:
    size = float(np.hypot(1.0, slope))
    return (-slope / size, 0.0, 1 / size, z / size)


def _between(gap_px: int) -> np.ndarray:
    columns = np.zeros(CAMERA.width, bool)
    columns[240 - gap_px : 240 + gap_px] = True
    return columns


def _find_length(error: np.ndarray) -> float:
    """Lag along rows at which the correlation is 1/e; error (K, h, w), NaN for holes."""
    last, variance = 1.0, np.nanvar(error)
    for lag in range(1, 40):
        here = np.nanmean(error[..., :-lag] * error[..., lag:]) / variance
        if here < np.exp(-1):
            return lag - 1 + (last - np.exp(-1)) / (last - here)
        last = here
    return float("nan")


def _fit_planes(depth: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residual (n,) m of 7 x 7 px whose pixels all read, and their depth (n,)."""
    read = cv2.erode((depth > 0).astype(np.uint8), np.ones((WINDOW, WINDOW))) > 0
    half = WINDOW // 2
    ok = (read & core)[half:-half, half:-half]
    v, u = np.nonzero(ok)
    keep = np.arange(0, len(v), max(1, len(v) // 2000))
    v, u = v[keep] + half, u[keep] + half
    j, i = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
    basis = np.stack([i, j, np.ones(len(i))], 1)
    rest = np.eye(len(i)) - basis @ np.linalg.pinv(basis)
    patch = depth[v[:, None] + j, u[:, None] + i].astype(float)
    return np.sqrt(np.mean((patch @ rest.T) ** 2, axis=1)), depth[v, u]
