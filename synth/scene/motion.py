"""Sequences: a scene set in motion, smoothly, and as a function of time alone.

Everything that moves drifts about the place that the scene gives it, by a sum of three sines with
slow, incommensurate frequencies; free hands go from pose to pose besides. A hand keeps hold of what
it holds, slides along what it rests on, and stays with the hand that it meets. A scene in which
something would run through something is played with half the amplitude, or a quarter, or stands
still but for the head (`synth.scene.rehearsal`).
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import MotionConfig, SceneConfig
from synth.hand.angles import rotation
from synth.pose.sampler import Poses, sample_poses
from synth.pose.transition import path_angles
from synth.rigid import dot, invert_rigid, multiply, rotate
from synth.scene.arm import reach
from synth.scene.composition import Composition
from synth.scene.hands import Hands
from synth.scene.placement import Objects, hold_objects
from synth.scene.situation import FREE, SLOTS, TOGETHER
from synth.scene.studio import Studio

SINES: Final = 3
REST: Final = 0.3
"""Share of the time from one pose to the next in which the hand stays in it."""
FREQUENCY_HZ: Final = (0.12, 1.1)
"""Slowest and fastest sine of a drift: gestures take about a second."""


@dataclass(frozen=True)
class Clip:
    """Which scene each of B frames shows, and when."""

    scene: np.ndarray
    """(B,) index into the scenes."""
    time_s: np.ndarray
    """(B,) seconds since the scene's first frame."""


def drift(seed: int, ids: np.ndarray, stage: str, axes: int, t: np.ndarray) -> np.ndarray:
    """(N, axes) smooth noise of unit variance at times t (N,) s; ids (N,) name the streams."""
    u = uniform(seed, ids, stage, 3 * SINES * axes).reshape(len(ids), 3, SINES, axes)
    low, high = FREQUENCY_HZ
    frequency = low * (high / low) ** u[:, 0]
    # A share for each sine that falls with its frequency: slow sways are wide, quick ones small.
    weight = (0.3 + u[:, 1]) * np.sqrt(low / frequency)
    size = np.sqrt(((weight[:, 0] ** 2 + weight[:, 1] ** 2) + weight[:, 2] ** 2) / 2)
    wave = weight * np.sin(2 * np.pi * (frequency * t[:, None, None] + u[:, 2]))
    return np.asarray(((wave[:, 0] + wave[:, 1]) + wave[:, 2]) / size)


def play(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    scene: Composition,
    amplitude: np.ndarray,
    clip: Clip,
) -> tuple[Composition, np.ndarray]:
    """The scenes as they are in each frame of a clip; amplitude (U,) of all but the head.

    The second array (N,) bool tells which of the hands' arms reach.
    """
    at = clip.scene
    rows, frame = _expand(scene.hands.frame, len(scene.ids), at)
    hands = Hands(**{f.name: getattr(scene.hands, f.name)[rows] for f in fields(Hands)})
    hands = replace(hands, frame=frame)
    t = clip.time_s[frame]
    pose = _carry(config.motion, seed, scene, hands, amplitude, at, t)
    angles, preset = _change_pose(config, studio, seed, scene, hands, amplitude, at, t)
    body = invert_rigid(hands.T_world_from_body)
    arms = reach(
        multiply(body, pose), hands.left, studio.rig.hand_length[hands.identity],
        studio.elbows[hands.identity], hands.swivel,
    )  # fmt: skip
    angles[:, :2] = arms.wrist_angles
    turn, shift = hands.T_world_from_body[:, :3, :3], hands.T_world_from_body[:, :3, 3]
    hands = replace(
        hands,
        angles=angles,
        preset=preset,
        T_world_from_wrist=pose,
        elbow=rotate(turn, arms.elbow) + shift,
        shoulder=rotate(turn, arms.shoulder) + shift,
    )
    played = replace(
        scene,
        ids=scene.ids[at],
        split=scene.split[at],
        situation=scene.situation[at],
        T_world_from_camera=_sway(config.motion, seed, scene, clip),
        hands=hands,
        objects=_carry_objects(scene.objects, hands, at),
        boards=scene.boards[rows],
        table=scene.table[at],
        table_point=scene.table_point[at],
        seated=scene.seated[at],
        spans=(scene.spans[0][at], scene.spans[1][at], scene.spans[2][at]),
    )
    return played, arms.fits


def _expand(frame: np.ndarray, count: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a table sorted by `frame` for each scene of `at` (B,), and which of these it is."""
    first = np.searchsorted(frame, np.arange(count + 1))
    sizes = (first[1:] - first[:-1])[at]
    owner = np.repeat(np.arange(len(at)), sizes)
    begin = np.cumsum(sizes) - sizes
    return first[at][owner] + np.arange(len(owner)) - begin[owner], owner


def _carry_objects(objects: Objects, hands: Hands, at: np.ndarray) -> Objects:
    """Loose things stay; the others go with their hands."""
    carried = hold_objects(hands, len(at))
    pose = objects.T_world_from_object[at].copy()
    pose[carried.present] = carried.T_world_from_object[carried.present]
    return Objects(objects.present[at], objects.solid[at], pose)


def _sway(config: MotionConfig, seed: int, scene: Composition, clip: Clip) -> np.ndarray:
    """(B, 4, 4) the camera on a head that is never quite still."""
    n = drift(seed, scene.ids[clip.scene], "motion/head", 6, clip.time_s)
    out = scene.T_world_from_camera[clip.scene].copy()
    turn = np.radians(config.head_turn_deg) * n[:, :3]
    small = multiply(
        rotation("y", turn[:, 0]), rotation("x", turn[:, 1]), rotation("z", turn[:, 2])
    )
    out[:, :3, :3] = multiply(out[:, :3, :3], small)
    out[:, :3, 3] += config.head_travel_m * n[:, 3:]
    return out


def _carry(
    config: MotionConfig,
    seed: int,
    scene: Composition,
    hands: Hands,
    amplitude: np.ndarray,
    at: np.ndarray,
    t: np.ndarray,
) -> np.ndarray:
    """(N, 4, 4) where the wrists are: drifting, within the plane where hands touch one."""
    ids, size = scene.ids[at][hands.frame], amplitude[at][hands.frame]
    # Hands that meet move as one: by the stream, and about the point, of the first.
    together = hands.action == TOGETHER
    lead = np.where(together, 0, hands.slot)
    n = np.zeros((len(ids), 6))
    for slot in range(SLOTS):
        rows = np.flatnonzero(lead == slot)
        n[rows] = drift(seed, ids[rows], f"motion/hand{slot}", 6, t[rows])
    normal_w = np.stack(
        [dot(hands.T_world_from_wrist[:, i, :3], hands.plane[:, :3]) for i in range(3)], axis=1
    )
    flat = ~np.isnan(normal_w[:, 0])
    stands = ~flat & hands.stands
    normal_w = np.where(stands[:, None], [0.0, 0.0, 1.0], normal_w)
    bound = flat | stands
    safe = np.where(bound[:, None], normal_w, 0.0)
    shift = (config.travel_m * size)[:, None] * n[:, :3]
    shift = shift - dot(shift, safe)[:, None] * safe
    shift = np.where(bound[:, None], 0.5 * shift, shift)
    angle = np.radians(config.turn_deg) * size[:, None] * n[:, 3:]
    angle = np.where(bound[:, None], 0.0, angle)
    turn = multiply(
        rotation("z", angle[:, 0]), rotation("y", angle[:, 1]), rotation("x", angle[:, 2])
    )
    pivot = hands.T_world_from_wrist[:, :3, 3].copy()
    first = np.flatnonzero(hands.slot == 0)
    about = np.zeros((len(at), 3))
    about[hands.frame[first]] = pivot[first]
    pivot = np.where(together[:, None], about[hands.frame], pivot)
    out = hands.T_world_from_wrist.copy()
    out[:, :3, :3] = multiply(turn, out[:, :3, :3])
    out[:, :3, 3] = rotate(turn, out[:, :3, 3] - pivot) + pivot + shift
    return out


def _change_pose(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    scene: Composition,
    hands: Hands,
    amplitude: np.ndarray,
    at: np.ndarray,
    t: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Free hands go from pose to pose, with a rest at each; the others keep theirs.

    Returns the angles (N, 29) and the named pose that each shows (N,): none on its way.
    """
    angles, preset = hands.angles.copy(), hands.preset.copy()
    ids, size = scene.ids[at][hands.frame], amplitude[at][hands.frame]
    beat = t / config.motion.pose_s
    key = np.floor(beat).astype(np.int64)
    way = np.clip((beat - key - REST / 2) / (1 - REST), 0.0, 1.0)
    for slot in range(SLOTS):
        rows = np.flatnonzero((hands.slot == slot) & (hands.action == FREE) & (size > 0))
        for k in np.unique(key[rows]):
            now = rows[key[rows] == k]
            ends = [
                Poses(hands.angles[now], hands.preset[now])
                if j == 0
                else _key_poses(config, studio, seed, ids[now], slot, j, hands.identity[now])
                for j in (int(k), int(k) + 1)
            ]
            path = path_angles(ends[0].angles, ends[1].angles, way[now])
            angles[now] += size[now, None] * (path - hands.angles[now])
            shown = np.where(way[now] <= 0, ends[0].preset, ends[1].preset)
            # A smaller motion comes only part of the way to the poses after the first.
            whole = (size[now] == 1) | ((k == 0) & (way[now] <= 0))
            rests = ((way[now] <= 0) | (way[now] >= 1)) & whole
            preset[now] = np.where(rests, shown, -1)
    return angles, preset


def _key_poses(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    slot: int,
    key: int,
    identity: np.ndarray,
) -> Poses:
    """Pose number `key` of each scene's hand: one for all its frames."""
    unique, index, back = np.unique(ids, return_index=True, return_inverse=True)
    poses = sample_poses(
        config.pose, seed, unique, f"motion/hand{slot}/pose{key}", studio.fingers, identity[index]
    )
    return Poses(poses.angles[back], poses.preset[back])
