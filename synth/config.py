"""The configuration of a synthetic dataset: everything that decides its bytes.

Only dataclasses: the command line reads their docstrings as help, and loads nothing else for it.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class BodyConfig:
    """Where hands are seen and how the head looks."""

    distance_m: tuple[float, float] = (0.15, 0.8)
    """Nearest and farthest distance of a hand from the camera, metres."""
    distance_mean_m: float = 0.46
    """Most likely distance, metres."""
    distance_sd_m: float = 0.14
    """Spread of the distance, metres."""
    offset: tuple[float, float] = (0.2, 0.15)
    """Mean direction of a hand, to its own side and below the middle of the image, as shares of
    half the field of view."""
    pitch_deg: tuple[float, float] = (22.0, 14.0)
    """Mean and standard deviation of how far the camera looks down, degrees."""
    work_pitch_deg: tuple[float, float] = (38.0, 12.0)
    """The same while hands are on a surface."""
    sway_sd_m: float = 0.02
    """Standard deviation of the head's place against the torso, along each axis, metres."""
    other_distance_m: tuple[float, float] = (0.6, 1.1)
    """Nearest and farthest distance of another person's head, metres."""
    roll_sd_deg: float = 5.0
    """Standard deviation of the head's roll, degrees."""
    yaw_sd_deg: float = 14.0
    """Standard deviation of the head's turn against the torso, degrees."""
    spread: float = 0.4
    """Standard deviation of a hand's direction, as a share of half the field of view: larger values
    put more hands partly out of view."""


@dataclass(frozen=True)
class PoseConfig:
    """Where poses come from."""

    key_share: float = 0.24
    """Share of poses that show one of the eight key poses."""
    gesture_share: float = 0.1
    """Share that show an everyday gesture or a resting hand."""
    number_share: float = 0.04
    """Share that show a number from one to ten."""
    asl_share: float = 0.04
    """Share that show a letter of American Sign Language."""
    grasp_share: float = 0.05
    """Share that show one of 33 grasps with nothing held."""
    recorded_share: float = 0.08
    """Share that show a recorded pose."""
    between_share: float = 0.33
    """Share on the way between two named poses. The rest are synergies."""
    jitter_deg: float = 4.0
    """Standard deviation of each angle about a named pose, degrees."""
    max_penetration_mm: float = 3.0
    """Deepest overlap of the flesh of one hand that is accepted, millimetres."""


@dataclass(frozen=True)
class GraspConfig:
    """How hands hold and touch things."""

    favour: str = ""
    """Grasp classes to favour or leave out, as "medium wrap:3,lateral:0": factors on how common
    each class is in daily life. Names as in docs/grasps.md; empty for daily life as it is."""
    jitter_deg: float = 4.0
    """Standard deviation of each angle about a grasp's prototype, degrees."""
    press_mm: float = 0.6
    """How deep the skin is pressed in where it touches, millimetres."""
    hover_m: tuple[float, float] = (0.0, 0.05)
    """Nearest and farthest distance of a hand that is over a surface or beside a thing, metres."""


@dataclass(frozen=True)
class RoomConfig:
    """What stands around and behind the hands."""

    close_share: float = 0.12
    """Share of frames in which a surface is close behind the hands, of those with neither a table
    in use nor a background."""
    close_m: tuple[float, float] = (0.03, 0.3)
    """Nearest and farthest of these surfaces, metres behind the hands."""
    empty_share: float = 0.1
    """Share of the others without a room (outdoors, beyond the sensor's range); half of these have
    flat ground, and a table may stand."""
    table_share: float = 0.5
    """Share of the others with a table below the hands, besides those on which hands rest."""
    shelves_share: float = 0.3
    """Share of the rooms without a table that have shelves ahead."""
    furniture_share: float = 0.55
    """Chance of each of four pieces of furniture in a room, two with a table."""
    clutter_share: float = 0.8
    """Share of desks and worktops with what belongs there: screens, laptops, lamps, appliances."""
    max_clutter: int = 10
    """At most so many other things on a table, 0 to 12."""
    soft_share: float = 0.65
    """Share of rooms and tables with soft and irregular things: cloth, bags, cushions, cables,
    plants, piles of paper, curtains."""
    max_soft: int = 14
    """At most so many of these on a table, 0 to 24; most tables have far fewer."""
    wall_m: tuple[float, float] = (0.6, 5.0)
    """Nearest and farthest wall ahead of the head, metres."""
    backgrounds_share: float = 0.7
    """Share of frames before a background, where a folder of them is given."""


@dataclass(frozen=True)
class TogetherConfig:
    """How a person's two hands meet."""

    apart_share: float = 0.3
    """Share of pairs that keep a distance from each other; the others touch."""
    apart_mm: tuple[float, float] = (5.0, 150.0)
    """Smallest and largest distance of hands that do not touch, millimetres."""
    jitter_deg: float = 4.0
    """Standard deviation of each angle about a pair's prototype, degrees."""
    turn_deg: float = 6.0
    """Standard deviation of the turn of one hand against the other, degrees."""
    max_penetration_mm: float = 2.0
    """Deepest overlap of flesh that is accepted, millimetres; the skin shows 1 mm more."""


@dataclass(frozen=True)
class SituationConfig:
    """What the wearer's hands do. What is left of the first three shares are hands in the air."""

    grasp_share: float = 0.28
    """Share of frames in which the first hand holds a thing."""
    touch_share: float = 0.22
    """Share in which it is on or up to 5 cm over a surface, or beside a thing."""
    together_share: float = 0.05
    """Share in which both hands do something with each other."""
    shared_share: float = 0.08
    """Of the pairs of hands, how many hold one thing with both."""
    surface_share: float = 0.8
    """Of the touches, how many are of a surface; the others are of a thing."""
    level_share: float = 0.9
    """Of the surfaces, how many are table tops; the others lean any way."""
    standing_share: float = 0.6
    """Of the things held or touched from above, how many stand on a table."""
    upright_share: float = 0.5
    """Of the others with a natural up (a mug), how many are held that way."""


@dataclass(frozen=True)
class MotionConfig:
    """How things move in sequences: deviations of smooth noise about where they are."""

    travel_m: float = 0.05
    """Standard deviation of a wrist's place along each axis, metres."""
    turn_deg: float = 14.0
    """Standard deviation of a wrist's turn about each axis, degrees."""
    pose_s: float = 0.9
    """Seconds from one pose of a free hand to the next."""
    head_travel_m: float = 0.012
    """Standard deviation of the head's place, metres."""
    head_turn_deg: float = 2.5
    """Standard deviation of the head's turn, degrees."""


@dataclass(frozen=True)
class OutfitConfig:
    """What people wear on their arms, and how the wearer's own body is held."""

    sleeve_share: float = 0.5
    """Share of people with sleeves, long, pushed up or short; both arms wear the same."""
    watch_share: float = 0.15
    """Share of people with a watch or a band on one wrist, mostly the left one."""
    ring_share: float = 0.15
    """Share of people with a ring on a finger of one hand."""
    glove_share: float = 0.04
    """Share of people with thin gloves on both hands: then no rings."""
    seated_share: float = 0.45
    """Share of scenes in which the wearer sits: hands keep out of the lap."""


@dataclass(frozen=True)
class SceneConfig:
    """What a frame shows."""

    two_hands_share: float = 0.55
    """Share of frames with both hands; the others show one."""
    others_share: float = 0.06
    """Share of frames into which somebody else reaches."""
    object_share: float = 0.35
    """Chance of each loose object near the hands."""
    max_objects: int = 2
    """At most so many loose objects in a frame, 0 to 2."""
    situation: SituationConfig = field(default_factory=SituationConfig)
    """What hands do."""
    body: BodyConfig = field(default_factory=BodyConfig)
    """Head and arms."""
    pose: PoseConfig = field(default_factory=PoseConfig)
    """Hand poses."""
    grasp: GraspConfig = field(default_factory=GraspConfig)
    """Hands on things."""
    together: TogetherConfig = field(default_factory=TogetherConfig)
    """Hands on each other."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    """How sequences move."""
    outfit: OutfitConfig = field(default_factory=OutfitConfig)
    """Clothes, and whether the wearer sits."""
    room: RoomConfig = field(default_factory=RoomConfig)
    """Surroundings."""


@dataclass(frozen=True)
class SynthConfig:
    """What decides the bytes of a dataset. Workers, shard ranges and restarts do not."""

    frames: int = 1024
    """Number of frames."""
    seed: int = 0
    """Seed of all random streams."""
    camera: str = "ego"
    """Camera preset (ego, ego-small, ahat, d435, azure-nfov) or a camera file."""
    hand: str = "builtin"
    """Hand model: builtin, webxr, or mano:DIR with a folder that holds MANO_RIGHT.pkl."""
    identities: int = 256
    """Number of different people."""
    objects: str = ""
    """Folder of closed triangle meshes in metres to use as objects; empty for things of our own."""
    variants: int = 3
    """Number of different things of each kind, where they are our own."""
    favour: str = ""
    """Kinds of things to favour or leave out, as "bottle:4,key:0": factors on how often each is
    held, touched or lies about. Kinds as in docs/objects.md; with `objects`, names of its files."""
    backgrounds: str = ""
    """Folder of depth images of real rooms with their camera; empty for rooms of our own."""
    split: str = ""
    """Disjoint parts as NAME:SHARE,... (train:0.9,val:0.05,test:0.05): no person, thing, background
    or sequence is in two of them. Empty for one part."""
    sequence_length: int = 1
    """Frames of a sequence; 1 for single frames."""
    fps: float = 30.0
    """Frames per second of a sequence."""
    sensor: str = ""
    """Sensor that reads the frames: ideal, kinect-v1, sr300, d435, zed, azure-kinect, ahat, random
    for one of these each frame, d435-matched, zed-matched, random-matched, or a TOML file; none or
    empty for clean depth. Its depth is made on loading."""
    bake: bool = False
    """Also store the sensor's depth."""
    sensor_seed: int = -1
    """Seed of the sensor's noise; -1 for the dataset's own."""
    renderer: Literal["raster", "pyrender"] = "raster"
    """What draws: the built-in rasteriser, or pyrender for comparison."""
    frames_per_shard: int = 2048
    """Frames in one Parquet shard: what a killed worker has to do again."""
    scene: SceneConfig = field(default_factory=SceneConfig)
    """What a frame shows."""
