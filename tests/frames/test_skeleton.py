"""The skeleton is a tree, and the maps agree with the other conventions joint by joint."""

import numpy as np
import pytest

from frames.errors import BadInput
from frames.parts import FOREARM, PART_NAMES
from frames.skeleton import (
    BONES,
    FINGERS,
    KEYPOINT_COLORS,
    KEYPOINT_NAMES,
    KEYPOINT_PARTS,
    KEYPOINT_SETS,
    PARENTS,
    TIPS,
)


def test_names_are_openpose_21() -> None:
    assert len(set(KEYPOINT_NAMES)) == len(KEYPOINT_NAMES) == 21
    assert KEYPOINT_NAMES[:6] == (
        "wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip", "index_mcp",
    )  # fmt: skip
    assert [KEYPOINT_NAMES[t] for t in TIPS] == [f"{f}_tip" for f in FINGERS]
    assert KEYPOINT_NAMES[20] == "pinky_tip"


def test_bones_are_a_tree_along_the_fingers() -> None:
    assert len(BONES) == 20
    assert {child for _, child in BONES} == set(range(1, 21))
    for parent, child in BONES:
        assert PARENTS[child] == parent < child
        same_finger = KEYPOINT_NAMES[parent].split("_")[0] == KEYPOINT_NAMES[child].split("_")[0]
        assert same_finger != (parent == 0)
    assert sorted(k for keypoints in FINGERS.values() for k in keypoints) == list(range(1, 21))
    assert len(KEYPOINT_COLORS) == 21


def test_the_parts_of_a_keypoint_belong_to_its_finger() -> None:
    assert KEYPOINT_PARTS[0] == (1, FOREARM)
    for k, parts in enumerate(KEYPOINT_PARTS[1:], 1):
        finger, joint = KEYPOINT_NAMES[k].split("_")
        names = [PART_NAMES[p] for p in parts]
        wanted = {
            "cmc": ["palm", "thumb_metacarpal"],
            "mcp": ["palm", f"{finger}_proximal"],
            "pip": [f"{finger}_proximal", f"{finger}_middle"],
            "dip": [f"{finger}_middle", f"{finger}_distal"],
            "ip": ["thumb_proximal", "thumb_distal"],
            "tip": [f"{finger}_distal"],
        }[joint]
        if (finger, joint) == ("thumb", "mcp"):
            wanted = ["thumb_metacarpal", "thumb_proximal"]
        assert names == wanted


@pytest.mark.parametrize("name", KEYPOINT_SETS)
def test_maps_agree_by_joint_name(name: str) -> None:
    other = KEYPOINT_SETS[name]
    assert len(set(other.joint_names)) == len(other.joint_names)
    side = name.rsplit("-", 1)[1] + "_" if name.endswith(("left", "right")) else ""
    found = [other.joint_names[i].removeprefix(side) for i in other.source]
    assert found == list(KEYPOINT_NAMES)


@pytest.mark.parametrize("name", KEYPOINT_SETS)
def test_maps_are_one_to_one_and_inverse(name: str) -> None:
    other = KEYPOINT_SETS[name]
    assert len(set(other.source)) == 21
    ours = np.random.default_rng(1).normal(size=(4, 21, 3))
    theirs = other.from_canonical(ours)
    assert theirs.shape == (4, len(other.joint_names), 3)
    np.testing.assert_array_equal(other.to_canonical(theirs), ours)
    absent = np.isnan(theirs).all((0, 2))
    assert absent.sum() == len(other.joint_names) - 21
    assert not absent[list(other.source)].any()


def test_sizes_of_the_sets() -> None:
    sizes = {name: len(s.joint_names) for name, s in KEYPOINT_SETS.items()}
    assert sizes == {
        "webxr-25": 25,
        "openxr-26": 26,
        "interhand-right": 42,
        "interhand-left": 42,
        "msra-21": 21,
        "mano-21": 21,
        "coco-wholebody-left": 133,
        "coco-wholebody-right": 133,
    }


def test_the_specifications_own_indices() -> None:
    # WebXR Hand Input: 9 index tip, 10 middle metacarpal; OpenXR: 0 palm, 1 wrist, 5 thumb tip.
    assert KEYPOINT_SETS["webxr-25"].joint_names[9:11] == ("index_tip", "middle_metacarpal")
    assert KEYPOINT_SETS["openxr-26"].joint_names[:2] == ("palm", "wrist")
    assert KEYPOINT_SETS["openxr-26"].joint_names[5] == "thumb_tip"
    # InterHand2.6M skeleton.txt: 0 is the right thumb's tip, 20 the right wrist, 41 the left one.
    assert KEYPOINT_SETS["interhand-right"].joint_names[0] == "right_thumb_tip"
    assert KEYPOINT_SETS["interhand-left"].joint_names[41] == "left_wrist"
    # MANO: 7..9 are the pinky's joints, 10..12 the ring's.
    assert KEYPOINT_SETS["mano-21"].joint_names[7] == "pinky_mcp"
    assert KEYPOINT_SETS["mano-21"].joint_names[10] == "ring_mcp"


def test_a_wrong_number_of_keypoints_is_told() -> None:
    with pytest.raises(BadInput, match=r"webxr-25 has \(\.\.\., 25, d\)"):
        KEYPOINT_SETS["webxr-25"].to_canonical(np.zeros((21, 3)))
    with pytest.raises(BadInput, match="21"):
        KEYPOINT_SETS["webxr-25"].from_canonical(np.zeros((25, 3)))
