"""The frame: the one record that every stage reads and writes (docs/conventions.md,
docs/dataset.md).

A field that a source does not have is None, or NaN within an array; nothing is made up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
DepthImage = NDArray[np.uint16]

DEPTH_SCALE = 10_000.0
"""Steps of a stored depth per metre, unless the data say otherwise: 0.1 mm, at most 6.5535 m."""


@dataclass(frozen=True)
class Hand:
    """One hand of a frame and everything known about it."""

    side: str
    """"left" or "right": the person's own."""

    wearer: bool
    """Whether it belongs to the person who wears the camera."""

    part_base: int
    """32 * k for the hand's place k in the frame: its codes in the part image start there."""

    keypoints_px: Floats
    """(21, 2) projections; NaN where a keypoint has none (behind the camera, beyond its field)."""

    keypoints_cam_m: Floats
    """(21, 3) in the camera's axes, metres."""

    surface_depth_m: Floats
    """(21,) what the clean image (a real frame's: the sensor's) has at the pixel nearest to each
    keypoint, metres; NaN for nothing."""

    visibility: Bytes
    """(21,) 0 outside the image or not labelled, 1 occluded, 2 visible."""

    occlusion: Bytes
    """(21,) cause, `frames.parts.CAUSE_NAMES`: 0 none .. 5 dropout."""

    visible_fraction: float
    """Share of the hand's own pixels in the image that nothing covers, forearm excluded; NaN for
    a hand with no pixel."""

    box_px: Floats
    """(4,) x0, y0, x1, y1 around the hand's visible pixels (forearm excluded), at their outer
    edges; NaN if none is visible."""

    box_amodal_px: Floats
    """(4,) the same around all its pixels in the image, covered or not."""

    key_pose: str | None
    """Name of the key pose the hand was made from, if any."""

    joint_angles_rad: Floats | None
    """(A,) anatomical joint angles; A and their order are constant in a dataset."""

    shape: Floats | None
    """(S,) coefficients of the hand model's shape space."""

    identity: int | None
    """Which person's hand: hands of one identity share their shape."""

    T_camera_from_wrist: Floats | None
    """(4, 4) pose of the wrist."""

    provenance: Bytes
    """(21,) where each label comes from: 0 exact, 1 human, 2 model, 3 lifted, 255 none."""

    keypoints_velocity_m_s: Floats | None = None
    """(21, 3) change of `keypoints_cam_m`: in camera axes, relative to the moving camera."""

    grasp: str | None = None
    """Name of its grasp class, if it holds something."""

    held: int | None = None
    """Place in the frame's `objects` of what it holds."""

    contact_gap_m: Floats | None = None
    """(17,) gap from each part 1..17 of `frames.parts` to what the hand touches (an object, a
    surface, another hand); negative where they overlap, NaN beyond 1 cm; None without contact."""

    worn: str | None = None
    """Any of sleeve, watch, ring, glove, joined by commas."""


@dataclass(frozen=True)
class SceneObject:
    """A labelled object of a frame."""

    kind: str
    part_code: int
    """Its code in the part image, 224 + its place in the frame."""

    T_camera_from_object: Floats
    """(4, 4)"""

    size_m: Floats
    """(3,) extents along its own axes."""

    name: str | None = None
    """Which one of its kind: equal in all frames that show the same thing."""

    velocity: Floats | None = None
    """(6,) change of its pose as the camera sees it, in camera axes: of its origin (m/s), and its
    rotation vector (rad/s)."""


@dataclass(frozen=True)
class Frame:
    """One depth image with its labels. An image not asked for, or not there, is None."""

    frame_id: int
    source: str
    """"synthetic" or "real"."""

    camera: Camera
    T_world_from_camera: Floats | None
    """(4, 4); the world has z up, x right and y forward, its origin below or at the head."""

    depth_scale: float
    """Steps per metre of both depth images."""

    depth: DepthImage | None
    """(H, W) uint16 as a sensor read it; 0 = no reading."""

    clean_depth: DepthImage | None
    """(H, W) uint16 without any sensor error; synthetic frames only."""

    parts: Bytes | None
    """(H, W) uint8 part codes, `frames/parts.py`."""

    invalid: Bytes | None
    """(H, W) uint8 why a pixel of `depth` has no reading."""

    sensor: str | None
    """Name of the sensor profile that made `depth`, or makes it on loading."""

    sensor_seed: int | None
    """Seed of its noise."""

    hands: tuple[Hand, ...]
    objects: tuple[SceneObject, ...]
    situation: str | None = None
    """What the hands do: free, grasp, touch, together ..."""

    split: str | None = None
    """Which part of the dataset it belongs to: train, val, test ..."""

    background: str | None = None
    """Name of the surroundings: a depth image's, or a kind."""

    sequence_id: int | None = None
    time_s: float | None = None
    """Since its sequence began."""

    camera_velocity: Floats | None = None
    """(6,) of the camera in the world, in the camera's own axes: linear (m/s), angular (rad/s)."""

    color: bytes | None = None
    """The colour picture beside it, a JPEG or PNG file: `frames.store.pictures.decode_picture`
    opens it. It has a camera and a size of its own. Captures only, as the next two."""

    infrared: bytes | None = None
    """The infrared picture, a PNG file of 8 or 16 bits, taken through the depth image's lens."""

    origin: str | None = None
    """Which file or message of the recording it comes from."""

    @property
    def reading(self) -> DepthImage | None:
        """The depth a network sees: the sensor's if there is one, else the clean one.

        Raises BadInput where a sensor belongs to the frame and its depth was not read or not
        stored: clean depth never passes for a sensor's.
        """
        if self.depth is None and self.clean_depth is not None and self.sensor is not None:
            raise BadInput(
                f"frame {self.frame_id} has clean depth, and its sensor {self.sensor} is applied on"
                f" loading: open the dataset with augment.open_sensed, ask for the column depth, or"
                f" take clean_depth itself"
            )
        return self.depth if self.depth is not None else self.clean_depth
