"""Prediction of single frames: the same as evaluation's, equivariant, and true where truth is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from augment.geometry.crop import target_box  # noqa: E402
from augment.geometry.labels import apply_to_pixels, apply_to_points  # noqa: E402
from frames.camera import Camera  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from frames.parts import VISIBILITY_OUTSIDE  # noqa: E402
from frames.store.dataset import open_dataset  # noqa: E402
from tests.train_tiny.coded_hands import (  # noqa: E402
    CAMERA,
    CodedFinder,
    CodedNet,
    bound,
    draw_hands,
    place_hand,
)
from tests.train_tiny.real_frames import write_real  # noqa: E402
from train_tiny import HandPose  # noqa: E402
from train_tiny.evaluation.crop_evaluation import score_batch  # noqa: E402
from train_tiny.loading.crop_loading import open_sources  # noqa: E402
from train_tiny.loading.eval_loading import EVALUATION, make_eval_loader  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.prediction.depth_image import read_depth  # noqa: E402
from train_tiny.prediction.hand import (  # noqa: E402
    SAME,
    Hand,
    choose_hands,
    drop_duplicates,
    is_plausible,
    measure_gap,
)
from train_tiny.prediction.views import aim_at_points, view_hand  # noqa: E402
from train_tiny.training.subject import load_subject  # noqa: E402
from train_tiny.weights import deploy, save_weights  # noqa: E402

SMALL = {"stem": 8, "tiers": [8, 12, 16], "blocks": [1, 1, 1], "decoder": 8, "input_px": 64}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a small network that has learnt nothing."""
    model = build_model("handlite", SMALL, seed=3)
    path = tmp_path_factory.mktemp("weights") / "hand.safetensors"
    save_weights(path, deploy(model, model.net, {}))
    return path


@pytest.fixture
def coded() -> HandPose:
    """Knows every keypoint."""
    return HandPose(CodedNet(), 128, CodedFinder())


@pytest.mark.parametrize("kind", ["boxes", "full"])
def test_the_same_as_evaluation(weights: Path, tmp_path: Path, kind: str) -> None:
    """Around labelled boxes or keypoints: the same crops, so the same keypoints."""
    data = write_real(tmp_path / "data", kind)
    frames = {f.frame_id: f for f in open_dataset(data)}
    subject, pose = load_subject(weights), HandPose.load(weights, looks=1, mirror=False)
    count = 0
    for images, targets, facts in make_eval_loader(
        open_sources([data]), replace(EVALUATION, split=None, size_px=64)
    ):
        # One by one: what has learnt nothing has equal peaks, which a batch's last bits decide.
        with torch.no_grad():
            outs = [subject.net(image[None]) for image in images]
        out = {name: torch.cat([o[name] for o in outs]) for name in outs[0]}
        scores = score_batch(out, images, targets, facts)
        for row in range(len(images)):
            frame = frames[int(facts.frame_id[row])]
            label = frame.hands[facts.hand[row]]
            assert frame.depth is not None
            image = read_depth(frame.depth, frame.camera, frame.depth_scale)
            if kind == "boxes":
                target = target_box(frame.camera, label.box_px)
                hand = pose(frame.depth, frame.camera, [label.box_px], frame.depth_scale)[0]
            else:
                seen = label.visibility != VISIBILITY_OUTSIDE
                found = aim_at_points(label.keypoints_cam_m[seen])
                assert found is not None
                target = found
                hand = pose.refine(image, [target], "box")[0]
            view = view_hand(frame.depth, frame.depth_scale, frame.camera, target, 64)
            assert view is not None and np.array_equal(view.image, images[row, 0].numpy())
            assert view.reference_m == facts.reference_m[row]
            px = apply_to_pixels(view.geometry, hand.keypoints_px)
            assert np.abs(px - scores.found_px[row]).max() < 1e-3
            points = apply_to_points(view.geometry, hand.keypoints_cam_m)
            assert np.abs(points - scores.found_m[row]).max() < 1e-5
            assert hand.right == pytest.approx(scores.likely_right[row], abs=1e-5)
            assert np.allclose(hand.visible, scores.likely_seen[row], atol=1e-5)
            count += 1
    assert count > 10


@pytest.mark.parametrize("middle", [(239.5, 159.5), (110.0, 90.0), (390.0, 230.0)])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_true_places(coded: HandPose, middle: tuple[float, float], left: bool, given: bool) -> None:
    points = place_hand(middle, left, 0.3)
    depth = draw_hands(points)
    (hand,) = coded(depth, CAMERA, [bound(points)] if given else None)
    assert np.abs(hand.keypoints_px - CAMERA.project(points)).max() < 2
    # Two pixels are 2.5 mm at half a metre.
    assert np.linalg.norm(hand.keypoints_cam_m - points, axis=1).max() < 4e-3
    assert hand.side == ("left" if left else "right")
    assert hand.score > 0.9 and hand.confidence.min() > 0.9 and (hand.visible > 0.9).all()
    assert np.abs(CAMERA.project(hand.keypoints_cam_m) - hand.keypoints_px).max() < 1e-3
    # The box has the beads in it, and 8 mm of flesh about them.
    low, high = CAMERA.project(points).min(0), CAMERA.project(points).max(0)
    assert (hand.box_px[:2] < low).all() and (hand.box_px[2:] > high).all()
    assert np.abs(hand.box_px - [*low, *high]).max() < 2 + 0.008 / 0.48 * CAMERA.fx
    assert hand.found_by == ("box" if given else "finder") and hand.track == -1


def test_a_shifted_frame_gives_shifted_hands(coded: HandPose, weights: Path) -> None:
    """With its camera's principal point: the same rays, so the same places."""
    points = place_hand((200, 150))
    depth = draw_hands(points)
    right, down = 37, 21
    moved = np.zeros_like(depth)
    moved[down:, right:] = depth[:-down, :-right]
    camera = replace(CAMERA, cx=CAMERA.cx + right, cy=CAMERA.cy + down)
    box = np.array(bound(points))
    for pose in (coded, HandPose.load(weights)):
        (here,) = pose(depth, CAMERA, [box])
        (there,) = pose(moved, camera, [box + np.array([right, down, right, down])])
        assert np.abs(there.keypoints_px - here.keypoints_px - (right, down)).max() < 1e-3
        assert np.abs(there.keypoints_cam_m - here.keypoints_cam_m).max() < 1e-6


def test_a_mirrored_frame_gives_mirrored_hands(coded: HandPose) -> None:
    points = place_hand((200, 150), roll=0.2)
    depth, box = draw_hands(points), np.array(bound(points))
    width = CAMERA.width - 1
    flipped = np.ascontiguousarray(depth[:, ::-1])
    camera = replace(CAMERA, cx=width - CAMERA.cx)
    (here,) = coded(depth, CAMERA, [box])
    (there,) = coded(flipped, camera, [[width - box[2], box[1], width - box[0], box[3]]])
    assert np.abs(there.keypoints_px - (width, 0) - here.keypoints_px * (-1, 1)).max() < 1e-2
    assert np.abs(there.keypoints_cam_m - here.keypoints_cam_m * (-1, 1, 1)).max() < 3e-4
    assert (here.side, there.side) == ("right", "left")
    # A mirror does not change which depth is read, so what is sure stays so.
    assert there.score == pytest.approx(here.score, abs=1e-3)


def test_metres_and_steps_are_alike(coded: HandPose) -> None:
    points = place_hand((200, 150))
    depth = draw_hands(points)
    box = [bound(points)]
    (steps,) = coded(depth, CAMERA, box)
    metres = depth.astype(np.float64) / 1e4
    metres[0, :3] = np.nan, np.inf, -1
    (floats,) = coded(metres, CAMERA, box)
    assert np.abs(floats.keypoints_cam_m - steps.keypoints_cam_m).max() < 2e-4
    (millimetres,) = coded((depth // 10).astype(np.uint16), CAMERA, box, depth_scale=1000)
    assert np.abs(millimetres.keypoints_cam_m - steps.keypoints_cam_m).max() < 3e-3


def test_a_bent_lens(coded: HandPose) -> None:
    """A fisheye's frame of the same scene: 3D places do not know the lens."""
    fisheye = Camera(
        "kannala-brandt", 480, 320, 400.0, 400.0, 239.5, 159.5, (0.02, -0.01, 0.0, 0.0), 1.2
    )
    points = place_hand((150, 110))
    depth = draw_hands(points, camera=fisheye)
    px = fisheye.project(points)
    (hand,) = coded(depth, fisheye, [[*(px.min(0) - 4), *(px.max(0) + 4)]])
    assert np.abs(hand.keypoints_px - px).max() < 2
    assert np.linalg.norm(hand.keypoints_cam_m - points, axis=1).max() < 4e-3


def test_two_hands_in_the_order_of_their_boxes(coded: HandPose) -> None:
    one, two = place_hand((130, 160)), place_hand((350, 160), left=True)
    depth = draw_hands(one, two)
    hands = coded(depth, CAMERA, [bound(two), bound(one), [5, 5, 40, 40]])
    assert [h.side for h in hands[:2]] == ["left", "right"]
    assert np.abs(hands[1].keypoints_px - CAMERA.project(one)).max() < 2
    # Nothing is there: it is told by the score, not left out.
    assert len(hands) == 3 and hands[2].score < 0.1
    assert {h.side for h in coded(depth, CAMERA)} == {"left", "right"}
    assert len(coded(depth, CAMERA, [])) == 0


def test_no_reading_no_hand(coded: HandPose) -> None:
    empty = np.zeros((320, 480), np.uint16)
    (hand,) = coded(empty, CAMERA, [[100, 100, 200, 200]])
    assert hand.score == 0 and np.isnan(hand.keypoints_px).all() and hand.side == ""
    assert not is_plausible(hand)
    assert coded(empty, CAMERA) == () and coded(draw_hands(), CAMERA) == ()


def test_a_second_look_mends_a_poor_box(coded: HandPose) -> None:
    points = place_hand((200, 150))
    depth = draw_hands(points)
    x0, y0, x1, y1 = bound(points)
    poor = [[x0 + 20, y0, x1 + 20, y1]]
    truth = CAMERA.project(points)
    once = HandPose(CodedNet(), 128, looks=1)
    off = [np.abs(p(depth, CAMERA, poor)[0].keypoints_px - truth).mean() for p in (once, coded)]
    assert off[1] < 0.5 * off[0] and off[1] < 1


def test_the_same_bytes_again(weights: Path) -> None:
    depth, box = draw_hands(place_hand((200, 150))), [[150, 100, 250, 200]]
    first, second = (HandPose.load(weights)(depth, CAMERA, box)[0] for _ in range(2))
    assert first.keypoints_cam_m.tobytes() == second.keypoints_cam_m.tobytes()


def shift(hand: Hand, x: float, score: float | None = None) -> Hand:
    """A hand so many pixels to the right."""
    moved = hand.keypoints_px + np.array([x, 0], np.float32)
    return replace(hand, keypoints_px=moved, score=hand.score if score is None else score)


def test_duplicates_go(coded: HandPose) -> None:
    points = place_hand((200, 150))
    (hand,) = coded(draw_hands(points), CAMERA, [bound(points)])
    size = float(np.hypot(*np.ptp(hand.keypoints_px, axis=0)))
    near, far = shift(hand, 0.9 * SAME * size, 0.5), shift(hand, 1.1 * SAME * size, 0.4)
    assert measure_gap(hand, near) == pytest.approx(0.9 * SAME, rel=1e-3)
    assert drop_duplicates([near, hand]) == [near]
    assert choose_hands([near, far, hand]) == [hand, far]
    assert choose_hands([near, far, hand], most=1) == [hand]
    assert choose_hands([replace(hand, score=0.1)]) == []


@pytest.mark.parametrize(("factor", "good"), [(1.0, True), (0.4, False), (4.0, False)])
def test_implausible_hands_go(coded: HandPose, factor: float, good: bool) -> None:
    points = place_hand((200, 150))
    (hand,) = coded(draw_hands(points), CAMERA, [bound(points)])
    root = hand.keypoints_cam_m[:1]
    grown = replace(hand, keypoints_cam_m=root + factor * (hand.keypoints_cam_m - root))
    assert is_plausible(grown) == good
    behind = replace(hand, keypoints_cam_m=hand.keypoints_cam_m * (1, 1, -1))
    assert not is_plausible(behind)
    outside = replace(hand, box_px=np.array([-0.5, 10, -0.5, 90], np.float32))
    assert not is_plausible(outside)


@pytest.mark.parametrize(
    ("depth", "scale", "said"),
    [
        (
            np.zeros((320, 480), np.uint8),
            None,
            "depth must be uint16 in steps or float32 in metres",
        ),
        (np.zeros((320, 480, 3), np.uint16), None, "depth has 3 x 480 x 320 pixels"),
        (np.zeros((480, 320), np.uint16), None, "depth has 320 x 480 pixels, its camera 480 x 320"),
        (np.zeros((320, 480), np.uint16), 0, "depth_scale must be > 0 steps a metre, got 0"),
        (np.zeros((320, 480), np.float32), 1000, "in floats is in metres: depth_scale must be 1"),
    ],
)
def test_bad_images(coded: HandPose, depth: np.ndarray, scale: float | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        coded(depth, CAMERA, [[0, 0, 9, 9]], scale)


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([[9, 9, 3, 20]], "a box must be x0 < x1"),
        ([1, 2, 3, 4], r"boxes must be \(N, 4\)"),
        ([["a", 1, 2, 3]], r"boxes must be \(N, 4\) numbers"),
        ([[0, 0, np.nan, 9]], "a box must be x0 < x1"),
    ],
)
def test_bad_boxes(coded: HandPose, boxes: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        coded(draw_hands(), CAMERA, boxes)  # type: ignore[arg-type]


def test_weights_that_are_none(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there are no weights nowhere"):
        HandPose.load("nowhere")
    with pytest.raises(BadInput, match=r"is no run: it has no config\.json"):
        HandPose.load(tmp_path)
    with pytest.raises(BadInput, match="looks must be 1 or 2"):
        HandPose.load(weights, looks=3)
    with pytest.raises(BadInput, match="nothing says where hands are"):
        HandPose(CodedNet(), 128)(draw_hands(), CAMERA)
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(BadInput, match="is no file of weights"):
        HandPose.load(tmp_path / "text")


def test_shipped_weights_or_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import train_tiny.shipped as shipped

    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(BadInput, match="no weights come along with this handloom"):
        HandPose.load()
    model = build_model("mobilenetv2", {"input_px": 64})
    save_weights(tmp_path / shipped.HAND_FILE, deploy(model, model.net, {}))
    # A network of keypoints alone: no side, nothing known of what is seen, depth of the skin.
    (hand,) = HandPose.load()(draw_hands(place_hand((200, 150))), CAMERA, [[150, 100, 250, 200]])
    assert np.isnan(hand.right) and hand.side == "" and np.isnan(hand.visible).all()
    assert np.isfinite(hand.keypoints_cam_m).all()
