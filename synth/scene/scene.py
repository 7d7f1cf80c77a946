"""A scene: hands and what they do, things and surroundings, for a batch of frames at once."""

from dataclasses import dataclass, fields

import numpy as np

from frames.parts import OBJECT_BASE
from synth.config import SceneConfig
from synth.scene.composition import Composition, compose, occupied
from synth.scene.hands import Hands
from synth.scene.lap import place_lap
from synth.scene.outfit import dress
from synth.scene.placement import OBJECTS, Objects
from synth.scene.props import Props, join_props
from synth.scene.situation import SLOTS
from synth.scene.studio import Studio
from synth.scene.surroundings import (
    MODELS,
    Surroundings,
    build_surroundings,
    take_surroundings,
)

LAYERS = SLOTS + OBJECTS
"""A layer for every hand and labelled thing of a frame; `LAYERS` itself is the background."""


@dataclass(frozen=True)
class Scenes:
    """B scenes in their world frames."""

    frame_ids: np.ndarray
    """(B,) int64"""
    split: np.ndarray
    """(B,) index of the split each frame belongs to."""
    situation: np.ndarray
    """(B,) index into `synth.scene.situation.SITUATIONS`."""
    T_world_from_camera: np.ndarray
    """(B, 4, 4)"""
    hands: Hands
    """All hands."""
    objects: Objects
    """All labelled things."""
    surroundings: Surroundings
    """Walls, and whether there are any."""
    props: Props
    """All models: upper arms, what is worn, things, furniture."""
    worn: np.ndarray
    """(N,) what each hand wears, a sum of `synth.scene.outfit` flags."""
    sequence: np.ndarray | None = None
    """(B,) int64 number of each frame's sequence; None for single frames."""
    time_s: np.ndarray | None = None
    """(B,) since its sequence began."""


def sample_scenes(config: SceneConfig, studio: Studio, seed: int, ids: np.ndarray) -> Scenes:
    """Draw a scene for every frame id; it depends on (seed, id) and the options only."""
    scene = compose(config, studio, seed, ids)
    points, radius = occupied(scene, studio.extents)
    around = surround(config, studio, seed, scene, points, radius)
    return assemble(config, studio, seed, ids, scene, around)


def surround(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    scene: Composition,
    points: np.ndarray,
    radius: np.ndarray,
) -> Surroundings:
    """What stands around and behind the scenes; points (U, P, 3), radius (U, P) stay free."""
    return build_surroundings(
        config.room, seed, scene.ids, points, radius, scene.table, scene.table_point,
        scene.T_world_from_camera, studio.stock.solids, studio.camera, studio.backgrounds,
        studio.pools, scene.split, scene.seated,
    )  # fmt: skip


def assemble(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    frame_ids: np.ndarray,
    scene: Composition,
    around: Surroundings,
) -> Scenes:
    """Scenes with all that is drawn; one a frame."""
    worn, clothes = dress(config.outfit, studio, seed, scene)
    props = join_props(
        [
            _list_surroundings(studio, around),
            _list_boards(studio, scene),
            clothes,
            place_lap(config.outfit, studio, seed, scene, LAYERS),
            _list_objects(studio, scene.objects),
        ]
    )
    return Scenes(
        frame_ids,
        scene.split,
        scene.situation,
        scene.T_world_from_camera,
        scene.hands,
        scene.objects,
        around,
        props,
        worn,
    )


def _list_objects(studio: Studio, objects: Objects) -> Props:
    frame, place = np.nonzero(objects.present)
    number = (objects.present.cumsum(1) - 1)[frame, place]
    return Props(
        frame,
        studio.stock.first["solids"] + objects.solid[frame, place],
        objects.T_world_from_object[frame, place],
        SLOTS + number,
        OBJECT_BASE + number,
    )


def _list_boards(studio: Studio, scene: Composition) -> Props:
    row = np.flatnonzero(~np.isnan(scene.boards[:, 0, 0]))
    none = np.zeros(len(row), np.int64)
    return Props(
        scene.hands.frame[row],
        none + studio.stock.first["board"],
        scene.boards[row],
        none + LAYERS,
        none,
    )


def _list_surroundings(studio: Studio, around: Surroundings) -> Props:
    none, first = np.zeros(len(around.frame), np.int64), studio.stock.first
    own = around.model < len(MODELS)
    model = around.model + np.where(own, first["surroundings"], first["solids"] - len(MODELS))
    return Props(around.frame, model, around.T, none + LAYERS, none)


def slice_scenes(scenes: Scenes, first: int, stop: int) -> Scenes:
    """Frames first <= b < stop of the batch."""
    frames = slice(first, stop)
    rows = slice(*np.searchsorted(scenes.hands.frame, [first, stop]))
    pieces = slice(*np.searchsorted(scenes.props.frame, [first, stop]))
    hands = {f.name: getattr(scenes.hands, f.name)[rows] for f in fields(Hands)}
    props = {f.name: getattr(scenes.props, f.name)[pieces] for f in fields(Props)}
    objects = scenes.objects
    return Scenes(
        frame_ids=scenes.frame_ids[frames],
        split=scenes.split[frames],
        situation=scenes.situation[frames],
        T_world_from_camera=scenes.T_world_from_camera[frames],
        hands=Hands(**{**hands, "frame": hands["frame"] - first}),
        objects=Objects(
            objects.present[frames], objects.solid[frames], objects.T_world_from_object[frames]
        ),
        surroundings=take_surroundings(scenes.surroundings, np.arange(first, stop)),
        props=Props(**{**props, "frame": props["frame"] - first}),
        worn=scenes.worn[rows],
        sequence=None if scenes.sequence is None else scenes.sequence[frames],
        time_s=None if scenes.time_s is None else scenes.time_s[frames],
    )
