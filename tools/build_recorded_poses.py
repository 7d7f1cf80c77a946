#!/usr/bin/env python3
"""Turn recorded WebXR hand poses into joint angles: synth/pose/recorded.json.

    npm pack handy-work@3.1.13 && tar xzf handy-work-3.1.13.tgz --one-top-level=handy-work
    npm pack iwer@2.5.0 && tar xzf iwer-2.5.0.tgz --one-top-level=iwer
    python tools/build_recorded_poses.py handy-work/package iwer/package synth/pose/recorded.json

Both packages are MIT-licensed; see LICENSES/recorded-poses.md. Joint positions become directions
of bones in the palm's frame, and those the nearest angles of our mean hand (Levenberg and
Marquardt). Left hands are mirrored; each keeps its own entry.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

from frames.skeleton import KEYPOINT_SETS
from synth.hand.angles import DOF, LIMITS, clamp
from synth.hand.bones import FINGERS
from synth.hand.builtin import builtin_rig
from synth.hand.kinematics import pose_hands

JOINTS = (
    "wrist",
    *(f"thumb-{s}" for s in ("metacarpal", "phalanx-proximal", "phalanx-distal", "tip")),
    *(
        f"{f}-finger-{s}"
        for f in FINGERS
        for s in ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip")
    ),
)
"""The 25 joints of WebXR in their order."""
PEOPLE = 16
"""The angles are the mean of the fits to so many people: none of one hand's own."""
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
THUMB = ("cmc_flexion", "cmc_abduction", "cmc_rotation", "mcp_flexion", "ip_flexion")
FINGER = ("mcp_flexion", "mcp_abduction", "pip_flexion", "dip_flexion")
FREE = [DOF["palm_arch"], *(DOF[f"thumb_{n}"] for n in THUMB)] + [
    DOF[f"{f}_{n}"] for f in FINGERS for n in FINGER
]
PRIOR = 0.02
"""Weight of small angles where the directions leave them open, in rad per unit vector."""


def read_handy(path: Path) -> dict[str, np.ndarray]:
    """(25, 4, 4) transforms of the left and the right hand of a .handpose file."""
    data = np.fromfile(path, np.float32)
    size = int(data[0])
    hands = data[1 : 1 + 2 * size * 16].reshape(2, size, 4, 4).astype(np.float64)
    left, right = np.swapaxes(hands, -1, -2)
    return {f"{path.stem}-left": MIRROR @ left @ MIRROR, f"{path.stem}-right": right}


def read_iwer(path: Path) -> dict[str, np.ndarray]:
    """(25, 4, 4) transforms of a left hand in iwer's source."""
    found = dict(
        re.findall(r"'?([a-z-]+)'?: \{\s*offsetMatrix: \[([^\]]*)\]", path.read_text("utf-8"))
    )
    flat = [[float(x) for x in found[joint].split(",") if x.strip()] for joint in JOINTS]
    matrices = np.swapaxes(np.array(flat).reshape(-1, 4, 4), -1, -2)
    return {f"{path.stem}-headset": MIRROR @ matrices @ MIRROR}


def directions(points: np.ndarray) -> np.ndarray:
    """(N, 21, 3) keypoints -> (N, 15, 3) unit directions of the phalanges in the palm's frame."""

    def unit(v: np.ndarray) -> np.ndarray:
        return v / np.linalg.norm(v, axis=-1, keepdims=True)

    y = unit(points[:, 9] - points[:, 0])
    z = unit(np.cross(points[:, 5] - points[:, 0], points[:, 17] - points[:, 0]))
    x = np.cross(y, z)
    palm = np.stack([x, y, np.cross(x, y)], axis=1)
    bones = [k for k in range(21) if k % 4 != 1 and k > 0]
    ends = points[:, bones] - points[:, [k - 1 for k in bones]]
    return unit(np.einsum("nij,nbj->nbi", palm, ends))


def fit(wanted: np.ndarray) -> np.ndarray:
    """(29,) rad: angles whose phalanges point as `wanted` (15, 3), mean of the fits to people."""
    rig = builtin_rig(seed=0, identities=PEOPLE)

    def residual(angles: np.ndarray, person: int) -> np.ndarray:
        count = len(angles)
        _, points = pose_hands(
            rig,
            np.full(count, person),
            clamp(angles),
            np.tile(np.eye(4), (count, 1, 1)),
            np.zeros(count, bool),
        )
        away = directions(points.astype(np.float64)) - wanted
        return np.concatenate([away.reshape(count, -1), PRIOR * angles[:, FREE]], axis=1)

    fits = []
    step = 1e-3 * np.eye(len(LIMITS))[FREE]
    for person in range(PEOPLE):
        best = np.zeros(len(LIMITS))
        best[FREE] = np.radians(10.0)
        here, damping = residual(best[None], person)[0], 1e-2
        for _ in range(40):
            slope = ((residual(best + step, person) - here) / 1e-3).T
            normal = slope.T @ slope + damping * np.eye(len(FREE))
            trial = best.copy()
            trial[FREE] -= np.linalg.solve(normal, slope.T @ here)
            trial = clamp(trial[None])[0]
            there = residual(trial[None], person)[0]
            better = there @ there < here @ here
            best, here = (trial, there) if better else (best, here)
            damping *= 0.4 if better else 4.0
        fits.append(best)
    return np.mean(fits, axis=0)


def main(handy: Path, iwer: Path, out: Path) -> None:
    hands: dict[str, np.ndarray] = {}
    for path in sorted((handy / "poses").glob("*.handpose")):
        hands |= read_handy(path)
    for name in ("relaxed", "pinch", "point"):
        hands |= read_iwer(iwer / f"lib/device/configs/hand/{name}.js")
    poses = {}
    for name, matrices in hands.items():
        local = np.linalg.inv(matrices[0]) @ matrices
        points = KEYPOINT_SETS["webxr-25"].to_canonical(local[None, :, :3, 3])
        angles = np.degrees(fit(directions(points)[0])).round(1) + 0.0
        poses[name] = {
            "palm_arch": angles[DOF["palm_arch"]],
            "thumb": [angles[DOF[f"thumb_{n}"]] for n in THUMB],
            **{f: [angles[DOF[f"{f}_{n}"]] for n in FINGER] for f in FINGERS},
        }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(pose)}" for name, pose in poses.items())
    out.write_text("{\n" + lines + "\n}\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*(Path(p) for p in sys.argv[1:]))
