"""Hands in depth images: a few lines that need no dataset.

    from frames import load_camera
    from train_tiny import HandPose

    pose = HandPose.load()                        # the weights that come along
    for hand in pose(depth, load_camera("camera.json")):
        hand.side, hand.keypoints_px, hand.keypoints_cam_m

A finder says where hands are; a crop around each goes through the hand network. `pose.follow()` is
for the frames of a sequence: it looks where hands were (docs/prediction.md).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from augment.geometry.crop import Target, target_box
from frames.camera import Camera
from frames.errors import BadInput
from train_tiny.devices import choose_device
from train_tiny.prediction.both_ways import BothWays
from train_tiny.prediction.depth_image import DepthImage, read_boxes, read_depth
from train_tiny.prediction.finder import Finder, aim_at_found
from train_tiny.prediction.following import Follower
from train_tiny.prediction.hand import FOLLOWED, Hand, bound_hand, choose_hands
from train_tiny.prediction.outputs import read_outputs
from train_tiny.prediction.views import View, aim_at_points, bring_back, view_hand
from train_tiny.shipped import SHIPPED, load_finder, load_hand_net

LOOKS: Final = 2
"""A second look mends crops around boxes that are not the keypoints' (docs/prediction.md)."""


ASKED: Final = 0.8
"""The hand network is asked from this share of a finder's operating point on, for it judges, too:
of 387 hands 0.765 in place of 0.713 are found, 0.07 in place of 0.06 false ones a frame."""


class HandPose:
    """Predicts the hands of depth images. Keeps nothing from one image to the next."""

    def __init__(
        self,
        net: nn.Module,
        input_px: int,
        finder: Finder | None = None,
        device: torch.device | str = "cpu",
        looks: int = LOOKS,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """net: a hand network, ready for evaluation. looks: at a hand whose place is not known but
        by a box or a finder; the second is a crop around the keypoints that the first found, and
        the more certain one counts. about: the weights, for summaries."""
        if looks not in (1, 2):
            raise BadInput(f"looks must be 1 or 2, got {looks}")
        self.device = torch.device(device)
        self.net = net.to(self.device, memory_format=torch.channels_last).eval()
        self.input_px, self.finder, self.looks = input_px, finder, looks
        self.about = dict(about or {})

    @classmethod
    def load(
        cls,
        weights: str | Path = SHIPPED,
        finder: str | Path | Finder | None = None,
        device: str = "cpu",
        looks: int = LOOKS,
        mirror: bool = True,
    ) -> "HandPose":
        """weights: a file, a run's folder, or "shipped". finder: the same of a network that finds
        hands, or anything that does; None for the shipped one, where it is there. mirror: ask the
        network of each crop's mirror image too (`train_tiny.prediction.both_ways`).

        Raises BadInput for weights that are not there, damaged, or of another kind of network.
        """
        found = load_hand_net(weights)
        if finder is None or isinstance(finder, str | Path):
            judge = load_finder(finder)
            finds: Finder | None = judge and judge.lower(ASKED)
        else:
            finds = finder
        about: dict[str, Any] = {"name": found.name, "sha256": found.sha256}
        known = getattr(finds, "about", None)
        if known:
            about["finder"] = known
        net = BothWays(found.net) if mirror else found.net
        return cls(net, found.input_px, finds, choose_device(device), looks, about)

    def __call__(
        self,
        depth: Any,
        camera: Camera,
        boxes: ArrayLike | None = None,
        depth_scale: float | None = None,
    ) -> tuple[Hand, ...]:
        """The hands of a depth image.

        depth: (H, W) uint16 in steps of 1 / depth_scale metres (10,000 a metre if None), or float32
        in metres; 0 for no reading. boxes: (N, 4) x0, y0, x1, y1 in pixels: one hand for each, in
        their order, whatever its score. Without boxes the finder looks, and hands that are unlikely
        or no hands' shape are left out; the most certain comes first. Raises BadInput for an image
        that is not its camera's, a box that is none, and for no boxes and no finder.
        """
        image = read_depth(depth, camera, depth_scale)
        if boxes is not None:
            found = self.refine(image, [target_box(camera, b) for b in read_boxes(boxes)], "box")
            return tuple(found)
        return tuple(choose_hands(self.refine(image, self.find(image), "finder")))

    def follow(self, every: int = 10, hands: int = 2) -> Follower:
        """Predict the frames of a sequence: see `train_tiny.prediction.following.Follower`."""
        return Follower(self, every, hands)

    def find(self, image: DepthImage) -> list[Target]:
        """Where the finder sees hands. Raises BadInput if there is no finder."""
        if self.finder is None:
            raise BadInput(
                "nothing says where hands are: no finder's weights come along with this handloom;"
                " give boxes, or a finder's weights (--finder)"
            )
        targets = [aim_at_found(image.camera, found) for found in self.finder(image.depth_m)]
        return [t for t in targets if t is not None]

    def refine(
        self, image: DepthImage, targets: Sequence[Target | None], found_by: str
    ) -> list[Hand]:
        """The hand in the crop around each target, for better or worse.

        One without any reading, like a target that is None, has score 0 and NaN in all places.
        found_by: of what is followed, the place is known from the last frame: one look does.
        """
        hands = self._look(image, targets, found_by)
        for _ in range(0 if found_by == FOLLOWED else self.looks - 1):
            again = [aim_at_points(h.keypoints_cam_m) for h in hands]
            pairs = zip(hands, self._look(image, again, found_by), strict=True)
            hands = [max(pair, key=lambda hand: hand.score) for pair in pairs]
        return hands

    def _look(
        self, image: DepthImage, targets: Sequence[Target | None], found_by: str
    ) -> list[Hand]:
        views = [
            None
            if target is None
            else view_hand(image.depth, image.depth_scale, image.camera, target, self.input_px)
            for target in targets
        ]
        there = [v for v in views if v is not None]
        found = iter(self._read(there, found_by))
        return [_no_hand(found_by) if v is None else next(found) for v in views]

    def _read(self, views: Sequence[View], found_by: str) -> list[Hand]:
        if not views:
            return []
        camera = views[0].geometry.source
        images = torch.from_numpy(np.stack([v.image for v in views])[:, None]).to(self.device)
        with torch.inference_mode():
            out = self.net(images)
            said = read_outputs(
                out,
                self.input_px,
                np.stack([v.depth_m for v in views]),
                np.array([v.reference_m for v in views], np.float32),
                [v.geometry.camera for v in views],
            )
        places = bring_back(views, said)
        px, points = places.px.astype(np.float32), places.points_m.astype(np.float32)
        return [
            Hand(
                right=float(said.likely_right[k]),
                score=float(said.confidence[k].mean()),
                box_px=bound_hand(camera, px[k], points[k]),
                keypoints_px=px[k],
                keypoints_cam_m=points[k],
                visible=said.likely_seen[k],
                confidence=said.confidence[k],
                found_by=found_by,
            )
            for k in range(len(views))
        ]


def _no_hand(found_by: str) -> Hand:
    nothing = np.full((21, 3), np.nan, np.float32)
    return Hand(
        right=float("nan"),
        score=0.0,
        box_px=np.full(4, np.nan, np.float32),
        keypoints_px=nothing[:, :2].copy(),
        keypoints_cam_m=nothing,
        visible=nothing[:, 0].copy(),
        confidence=np.zeros(21, np.float32),
        found_by=found_by,
    )
