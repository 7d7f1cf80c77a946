"""Likeness to life: what sensors make of synthetic hands beside figures of real frames of hands.

python -m bench.likeness [PROFILE ...] [--frames N] [--captures DIR]

Each profile reads frames at its own device's resolution; the estimators are those of `handloom
calibrate`. With --captures, a folder of real frames is measured as well, both without masks.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from augment.calibrate.hands import (
    HandFrame,
    find_hands,
    measure_hand_roughness,
    measure_shares,
    sum_hands,
)
from augment.calibrate.local_plane import measure_roughness
from augment.calibrate.reading import read_capture
from augment.calibrate.shadow_bands import measure_bands
from augment.calibrate.silhouette import find_hand
from augment.profile import load_profile
from bench.relief import LAGS, measure_relief
from bench.render import describe_machine
from bench.sensed_hands import (
    AT_WORK,
    DEVICE_CAMERAS,
    MIXED,
    SensedHands,
    mark_arms,
    mark_hands,
    read_burst,
    render_shots,
    sense_hands,
)
from frames.reasons import OUT_OF_RANGE
from synth.config import BodyConfig, SceneConfig
from synth.raster.canvas import DEPTH_SCALE

FRAMES: Final = 24
BURST: Final = 16
ALLOWANCE: Final = 0.25
LEAST_WINDOWS: Final = 500
"""Fewer are of a hand or two, whose shape decides."""
HERE_M: Final = 0.05
"""A distance is met within so much."""
LEAST_SKIN: Final = 300
"""Pixels of skin at a distance for a frame to count."""
RENDERED: Final = 12
"""Frames rendered at most for one that counts: hands of 0.8 m are rare, arms being short."""

_SURVEY: Final = "our survey of public frames of hands (SR300, SR305, ZED, D4xx)"
_RING: Final = (0.20, 0.95)
_INSIDE: Final = (0.002, 0.02)


@dataclass(frozen=True)
class Figure:
    """One effect as a profile has it, beside real devices."""

    profile: str
    effect: str
    value: float
    unit: str
    real: tuple[float, float] | None
    """Lowest and highest of real frames, twice the same for a single figure; None: none known."""
    source: str

    @property
    def fits(self) -> bool | None:
        """Whether it is within 25 % of the real figure, or of the range's ends."""
        if self.real is None:
            return None
        low, high = self.real
        return bool((1 - ALLOWANCE) * low <= self.value <= (1 + ALLOWANCE) * high)


STEREO: Final = {0.3: 0.35, 0.5: 0.7, 0.8: 1.3}
"""mm of residual at m."""

ROUGHNESS: Final[dict[str, dict[float, tuple[float, float]]]] = {
    **{name: {z: (r, r) for z, r in STEREO.items()} for name in ("d435", "d435-matched")},
    "sr300": dict.fromkeys((0.3, 0.5, 0.7), (0.1, 0.5)),
    "zed": dict.fromkeys((0.4, 0.5, 0.6), (0.1, 0.5)),
}
"""Real residuals of 7 x 7 px by distance, mm; of other devices none is known."""

DISTANCES: Final = (0.3, 0.5, 0.7)

STEPS_M: Final = {"d435": 0.001, "d435-matched": 0.001}
"""Depth of D4xx comes in whole millimetres unless one asks for finer steps (librealsense)."""

SMOOTH: Final = ("sr300",)
"""Real residuals that do not grow with distance: of surfaces that are flat over 7 px."""


def measure(name: str, frames: int = FRAMES) -> list[Figure]:
    """All figures of a profile, those that it has nothing for left out."""
    seen = list(sense_hands(name, DEVICE_CAMERAS[name], frames, burst=BURST))
    out = measure_holes(name, seen)
    out += [measure_flicker(name, seen)]
    for z, real in ROUGHNESS.get(name, dict.fromkeys(DISTANCES)).items():
        out.append(measure_residual(name, z, real, frames))
    return [f for f in out + measure_shadows(name) if np.isfinite(f.value)]


def measure_holes(name: str, seen: Sequence[SensedHands]) -> list[Figure]:
    """Shares of holes in the rings of 3 px outside and inside of hands.

    Of blobs as they are read, since real frames have no other outline; and what is lost within the
    true outline of hands that the device can reach.
    """
    blobs = [HandFrame(s.depth, b, None) for s in seen if (b := find_arm(s)) is not None]
    sums = sum_hands(blobs, DEPTH_SCALE, False)
    outside, inside, fill, _ = measure_shares(sums, draws=0)
    lost = [np.bincount(s.reason[reachable(s)] > 0, minlength=2) for s in seen]
    rows = (
        ("holes, ring outside", outside.value, _RING),
        ("holes, ring inside", inside.value, _INSIDE),
        ("holes of the blob", None if fill.value is None else 1.0 - fill.value, _INSIDE),
        ("holes within the true outline", float(np.sum(lost, 0)[1] / np.sum(lost)), None),
    )
    return [
        Figure(name, e, np.nan if v is None else 100 * v, "%", _scale(r, 100), _SURVEY)
        for e, v, r in rows
    ]


def find_arm(one: SensedHands) -> NDArray[np.bool_] | None:
    """(H, W) the nearest blob, if most of it is a hand or an arm."""
    blob = find_hand(one.depth, DEPTH_SCALE)
    return blob if blob is not None and (blob & one.arm).sum() > 0.6 * blob.sum() else None


def reachable(one: SensedHands) -> NDArray[np.bool_]:
    """(H, W) skin that is not nearer or farther than the device reads."""
    return one.hand & (one.reason != OUT_OF_RANGE)


def measure_flicker(name: str, seen: Sequence[SensedHands]) -> Figure:
    """Median over the skin of each pixel's deviation over a burst (librealsense's temporal noise),
    of hands at 0.3 to 0.7 m.
    """
    found = []
    for one in seen:
        steady = one.hand & (one.burst > 0).all(0)
        steady &= (one.shot.depth > 0.3 * DEPTH_SCALE) & (one.shot.depth < 0.7 * DEPTH_SCALE)
        found.append(one.burst[:, steady].astype(np.float64).std(0, ddof=1))
    value = _find_median(found) / DEPTH_SCALE * 1e3
    real = (0.5, 1.2) if name.startswith("d435") else None
    return Figure(name, "temporal deviation, 0.3 to 0.7 m", value, "mm", real, _SURVEY)


def measure_residual(
    name: str, z_m: float, real: tuple[float, float] | None, frames: int = FRAMES
) -> Figure:
    """Median over windows of 7 x 7 px of the skin at a distance of the RMS residual to a plane, in
    so many frames that have hands there; NaN for too few windows.

    Where `STEPS_M` has the device, its depth is rounded as in the frames that the real figure is
    from; where `SMOOTH` has it, what the true surface bends is taken off, in squares.
    """
    found, bent = [], []
    step = max(round(STEPS_M.get(name, 0.0) * DEPTH_SCALE), 1)
    device, scene = load_profile(name), keep_distance(z_m)
    for shot in render_shots(device, DEVICE_CAMERAS[name], RENDERED * frames, scene, seed=2):
        here = mark_hands(shot) & (np.abs(shot.depth / DEPTH_SCALE - z_m) < HERE_M)
        if here.sum() < LEAST_SKIN:
            continue
        read = read_burst(device, shot)[0][0]
        depth = ((read + step // 2) // step * step).astype(np.uint16)
        rough = measure_roughness(depth, here, DEPTH_SCALE)
        kept = np.isfinite(rough)
        found.append(rough[kept])
        bent.append(measure_roughness(shot.depth, here, DEPTH_SCALE)[kept])
        if len(found) == frames:
            break
    enough = sum(map(len, found)) >= LEAST_WINDOWS
    value, own = (_find_median(x) * 1e3 if enough else np.nan for x in (found, bent))
    effect = f"residual of 7 x 7 px, {z_m} m"
    if name in SMOOTH:
        value, effect = float(np.sqrt(max(value**2 - own**2, 0.0))), f"{effect}, without shape"
    return Figure(name, effect, value, "mm", real, _SURVEY)


def compare_flicker(seen: Sequence[SensedHands]) -> tuple[float, float]:
    """Deviation over time and residual, mm, medians over the same skin at 0.3 to 0.7 m."""
    flicker, rough = [], []
    for one in seen:
        near = (one.shot.depth > 0.3 * DEPTH_SCALE) & (one.shot.depth < 0.7 * DEPTH_SCALE)
        residual = measure_roughness(one.depth, one.hand & near, DEPTH_SCALE)
        kept = np.isfinite(residual) & (one.burst > 0).all(0)
        flicker.append(one.burst[:, kept].astype(np.float64).std(0, ddof=1) / DEPTH_SCALE)
        rough.append(residual[kept])
    return 1e3 * _find_median(flicker), 1e3 * _find_median(rough)


def _find_median(parts: Sequence[NDArray[np.floating]]) -> float:
    """Of all; NaN of nothing."""
    values = np.concatenate(parts) if len(parts) else np.empty(0)
    return float(np.median(values)) if len(values) else float("nan")


def keep_distance(z_m: float, scene: SceneConfig = MIXED) -> SceneConfig:
    """Scenes whose hands are about so far away."""
    span = (max(z_m - 0.06, 0.15), z_m + 0.06)
    body = BodyConfig(distance_m=span, distance_mean_m=z_m, distance_sd_m=0.03)
    return replace(scene, body=body)


def measure_shadows(name: str, front_m: float = 0.33, back_m: float = 0.7) -> list[Figure]:
    """Widths of the bands without readings left and right of a hand at 0.33 m before a wall at
    0.7 m.
    """
    profile, camera = load_profile(name), DEVICE_CAMERAS[name]
    if name == "d435-matched":  # its pairs are rendered, so its scenes cannot be moved
        return []
    frames = []
    for shot in render_shots(profile, camera, 12, keep_distance(front_m), seed=3):
        arm = mark_arms(shot)
        if not arm.any():
            continue
        shape = np.where(arm, shot.depth - np.median(shot.depth[arm]), 0) / DEPTH_SCALE
        depth = np.where(arm, front_m + np.clip(shape, -0.03, 0.03), back_m) * DEPTH_SCALE
        parts = np.where(arm, shot.parts, 0).astype(np.uint8)
        one = replace(shot, depth=depth.astype(np.uint16), parts=parts)
        frames.append(HandFrame(read_burst(profile, one)[0][0], arm, None))
    sums = sum_hands(frames, DEPTH_SCALE, True)
    left, right, *_ = measure_bands(sums, camera.fx, draws=0)
    if left.value is None and right.value is None:
        return []
    real = {"sr300": (5.0, 27.0)}.get(name)
    out = []
    for k, (side, one) in enumerate((("left", left), ("right", right))):
        wanted = None if real is None else (real[k], real[k])
        where = f"band {side}, 0.33 before 0.7 m"
        source = "one SR300, hand at 330 mm before 700 mm"
        out.append(Figure(name, where, one.value or 0.0, "px", wanted, source))
    return out


def compare_captures(folder: Path, name: str, frames: int) -> list[Figure]:
    """Real frames of a folder and synthetic ones of hands at work, both by the nearest blob."""
    capture = read_capture(folder)
    real, _ = find_hands(capture)
    made, depths = [], []
    for one in sense_hands(name, capture.camera, frames, AT_WORK):
        depths.append(one.depth)
        blob = find_arm(one)
        if blob is not None:
            made.append(HandFrame(one.depth, blob, None))
    theirs = _measure_blobs(real, capture.depth_scale, capture.camera.fx)
    theirs |= _measure_evenness([frame.depth for frame in real])
    ours = _measure_blobs(made, DEPTH_SCALE, capture.camera.fx) | _measure_evenness(depths)
    source = f"{len(real)} frames of {folder.name}"
    return [
        Figure(f"{name}, blobs", effect, value, unit, (theirs[effect][0],) * 2, source)
        for effect, (value, unit) in ours.items()
        if effect in theirs
    ]


def _measure_blobs(
    frames: Sequence[HandFrame], scale: float, fx: float
) -> dict[str, tuple[float, str]]:
    sums = sum_hands(frames, scale, False)
    outside, inside, fill, whole = measure_shares(sums, draws=0)
    left, right, *_ = measure_bands(sums, fx, draws=0)
    return {
        "holes, ring outside": (100 * (outside.value or 0), "%"),
        "holes, ring inside": (100 * (inside.value or 0), "%"),
        "holes of the blob": (100 - 100 * (fill.value or 0), "%"),
        "holes of the image": (100 - 100 * (whole.value or 0), "%"),
        "band left": (left.value or 0, "px"),
        "band right": (right.value or 0, "px"),
    } | {
        e.name.replace("hand_roughness", "residual").replace("_", " "): (1e3 * e.value, "mm")
        for e in measure_hand_roughness(sums, draws=0)
        if e.value is not None
    }


def _measure_evenness(depths: Sequence[NDArray[np.uint16]]) -> dict[str, tuple[float, str]]:
    relief = measure_relief(depths)
    return {
        f"correlation of even surfaces, {k} px {way}": (relief[way][i], "")
        for way in ("down", "along")
        for i, k in enumerate(LAGS)
        if np.isfinite(relief[way][i])
    }


def _scale(values: tuple[float, float] | None, by: float) -> tuple[float, float] | None:
    return None if values is None else (values[0] * by, values[1] * by)


def tabulate(figures: Sequence[Figure]) -> Table:
    """One row a figure."""
    table = Table("profile", "effect", "synthetic", "real", "within 25 %", "source")
    for one in figures:
        real = "none known"
        if one.real is not None:
            low, high = one.real
            real = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
            real += f" {one.unit}"
        fits = {None: "", True: "yes", False: "no"}[one.fits]
        source = one.source if one.real is not None else ""
        table.add_row(one.profile, one.effect, f"{one.value:.3g} {one.unit}", real, fits, source)
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--captures", type=Path)
    given = parser.parse_args(arguments)
    figures = [f for n in given.profiles or DEVICE_CAMERAS for f in measure(n, given.frames)]
    if given.captures is not None:
        name = given.profiles[0] if given.profiles else "zed"
        figures += compare_captures(given.captures, name, 3 * given.frames)
    console = Console(width=130)
    console.print(describe_machine())
    console.print(tabulate(figures))


if __name__ == "__main__":
    main()
