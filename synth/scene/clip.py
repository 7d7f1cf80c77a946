"""Frames of sequences: scenes in motion, each frame at its own moment, with its velocities."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from synth.config import SceneConfig
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.rigid import invert_rigid, multiply, rotate
from synth.scene.composition import Composition, compose, occupied
from synth.scene.hands import Hands
from synth.scene.motion import Clip, play
from synth.scene.rehearsal import plan_motion, scene_spans
from synth.scene.scene import Scenes, assemble, surround
from synth.scene.studio import Studio
from synth.scene.surroundings import take_surroundings

REHEARSED: Final = 48
"""Moments of a sequence at which it is looked at, at most."""

STEP_S: Final = 0.004
"""Velocities are central differences over twice this: 5e-8 m of rounding make 6e-6 m/s."""


@dataclass(frozen=True)
class Rates:
    """How things of B frames move."""

    camera: np.ndarray
    """(B, 6) m/s and rad/s of the camera, in its own axes."""
    keypoints: np.ndarray
    """(N, 21, 3) m/s in the camera's axes, as the moving camera sees them."""
    objects: np.ndarray
    """(B, OBJECTS, 6) the same of the things: m/s of their centres and rad/s."""


def sample_clips(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    frame_ids: np.ndarray,
    sequence_length: int,
    fps: float,
) -> tuple[Scenes, Rates]:
    """The scenes of frames that are numbered through sequences of `sequence_length` each."""
    sequence = frame_ids // sequence_length
    ids, index = np.unique(sequence, return_inverse=True)
    scene = compose(config, studio, seed, ids)
    count = min(sequence_length, REHEARSED)
    times = np.linspace(0.0, (sequence_length - 1) / fps, count)
    amplitude = plan_motion(config, studio, seed, scene, times)
    points, radius = _sweep(config, studio, seed, scene, amplitude, times)
    around = surround(config, studio, seed, scene, points, radius)
    time_s = (frame_ids - sequence * sequence_length) / fps

    def at(shift: float) -> Composition:
        clip = Clip(index, time_s + shift)
        return play(config, studio, seed, scene, amplitude, clip)[0]

    now = at(0.0)
    scenes = assemble(config, studio, seed, frame_ids, now, take_surroundings(around, index))
    scenes = replace(scenes, sequence=sequence, time_s=time_s)
    return scenes, _differ(studio, at(-STEP_S), now, at(STEP_S))


def slice_rates(rates: Rates, hands: Hands, first: int, stop: int) -> Rates:
    """Those of the frames first <= b < stop; hands of the whole batch."""
    rows = slice(*np.searchsorted(hands.frame, [first, stop]))
    return Rates(rates.camera[first:stop], rates.keypoints[rows], rates.objects[first:stop])


def _sweep(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    scene: Composition,
    amplitude: np.ndarray,
    times: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Balls that hold all that the scenes take up at some moments between first and last."""
    points, radii = [], []
    everyone = np.arange(len(scene.ids))
    for t in times[:: max(1, len(times) // 8)]:
        clip = Clip(everyone, np.full(len(scene.ids), t))
        moved = play(config, studio, seed, scene, amplitude, clip)[0]
        balls = occupied(replace(moved, spans=scene_spans(studio, moved)), studio.extents)
        points.append(balls[0])
        radii.append(balls[1])
    return np.concatenate(points, axis=1), np.concatenate(radii, axis=1)


def _differ(studio: Studio, before: Composition, now: Composition, after: Composition) -> Rates:
    span = 2 * STEP_S
    keypoints = [_keypoints(studio, scene) for scene in (before, after)]
    things = [
        multiply(
            invert_rigid(scene.T_world_from_camera)[:, None], scene.objects.T_world_from_object
        )
        for scene in (before, after)
    ]
    camera = multiply(invert_rigid(before.T_world_from_camera), after.T_world_from_camera)
    moved = rotate(
        np.swapaxes(now.T_world_from_camera[:, :3, :3], 1, 2),
        after.T_world_from_camera[:, :3, 3] - before.T_world_from_camera[:, :3, 3],
    )
    turned = multiply(things[1][..., :3, :3], np.swapaxes(things[0][..., :3, :3], -1, -2))
    return Rates(
        camera=np.concatenate([moved, _turn_vector(camera[:, :3, :3])], axis=1) / span,
        keypoints=(keypoints[1] - keypoints[0]) / span,
        objects=np.concatenate(
            [things[1][..., :3, 3] - things[0][..., :3, 3], _turn_vector(turned)], axis=-1
        )
        / span,
    )


def _keypoints(studio: Studio, scene: Composition) -> np.ndarray:
    """(N, 21, 3) keypoints in the moving camera's axes."""
    hands = scene.hands
    pose = multiply(invert_rigid(scene.T_world_from_camera)[hands.frame], hands.T_world_from_wrist)
    return pose_hands(only_tips(studio.rig), hands.identity, hands.angles, pose, hands.left)[1]


def only_tips(rig: Rig) -> Rig:
    """The rig without its skin but for the five tips: all that keypoints need."""
    tips = rig.tip_vertices
    return replace(
        rig,
        rest_vertices=np.ascontiguousarray(rig.rest_vertices[:, tips]),
        skin_bone=np.ascontiguousarray(rig.skin_bone[tips]),
        skin_weight=np.ascontiguousarray(rig.skin_weight[tips]),
        tip_vertices=np.arange(len(tips)),
        correctives=None if rig.correctives is None else rig.correctives[:, tips],
    )


def _turn_vector(turn: np.ndarray) -> np.ndarray:
    """(..., 3, 3) small rotations -> (..., 3) axis times angle, rad."""
    return (
        np.stack(
            [
                turn[..., 2, 1] - turn[..., 1, 2],
                turn[..., 0, 2] - turn[..., 2, 0],
                turn[..., 1, 0] - turn[..., 0, 1],
            ],
            axis=-1,
        )
        / 2
    )
