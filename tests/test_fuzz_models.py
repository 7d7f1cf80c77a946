"""MANO's pickles, meshes, backgrounds and folders of depth images, broken: one clear line each."""

import json
import pickle
from functools import partial
from pathlib import Path
from random import Random

import cv2
import mano_format
import numpy as np
import pytest
import trimesh
from fuzzing import HOSTILE, SEEDS, Break, Target, few, harm_bytes, harm_json, meet, meets_refusals
from hypothesis import given

from augment.calibrate.capture_files import list_clips, read_images, read_masks
from augment.calibrate.reading import find_camera
from augment.occlusion.bodies import load_bodies
from synth.hand.mano import mano_rig
from synth.scene.background_folder import load_backgrounds
from synth.things.mesh_folder import load_objects

CAMERA = {
    "width": 24, "height": 16, "fx": 20.0, "fy": 20.0, "cx": 11.5, "cy": 7.5,
    "depth_scale_per_m": 1000,
}  # fmt: skip
DEPTH = np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) + 600


def write_mano(folder: Path) -> Path:
    path = folder / "MANO_RIGHT.pkl"
    with pytest.MonkeyPatch.context() as patch:
        path.write_bytes(mano_format.write_pickle(mano_format.make_fields(), patch))
    return path


def harm_fields(random: Random, data: bytes) -> bytes:
    """A sound pickle whose fields are wrong: other shapes, numbers, types."""
    fields = mano_format.make_fields()
    for _ in range(random.choice((1, 1, 3))):
        name = random.choice(list(fields))
        was, what = fields[name], random.randrange(6)
        if what == 0 or not isinstance(was, np.ndarray):
            fields[name] = random.choice(HOSTILE)
        elif what == 1:
            fields[name] = was[: random.randrange(len(was) + 1)]
        elif what == 2:
            fields[name] = was.reshape(-1)[: random.randrange(50)]
        elif what == 3:
            fields[name] = was.astype(random.choice(("<f2", ">f8", "u1", "i8", "c8", "S3", "O")))
        elif what == 4:
            fields[name] = was * np.array(random.choice((0, -1, 1e30, 1e200, np.nan)))
        else:
            fields[name] = was.copy()
            fields[name].reshape(-1)[random.randrange(was.size)] = random.choice((0, 1, 7, 2**31))
    try:
        return pickle.dumps(fields, protocol=random.choice((2, 4, 5)))
    except (ValueError, TypeError, OverflowError):
        return data


def write_mesh(suffix: str, folder: Path) -> Path:
    """A mug's worth of triangles."""
    mesh = trimesh.creation.icosphere(subdivisions=1, radius=0.04)
    path = folder / f"ball{suffix}"
    if suffix == ".ply-text":
        path = folder / "ball.ply"
        path.write_bytes(trimesh.exchange.ply.export_ply(mesh, encoding="ascii"))
    else:
        mesh.export(path)
    return path


def read_meshes(path: Path) -> None:
    load_objects(path.parent)


def read_bodies(path: Path) -> None:
    load_bodies(path.parent)


WORDS = (b"nan", b"-1", b"1e400", b"99999999999999999999", b"0", b"", b"x", b"1/1/1", b"//", b"inf")


def harm_words(random: Random, data: bytes) -> bytes:
    """Text whose words are others."""
    if random.randrange(4) == 0:
        return harm_bytes(random, data)
    words = data.split(b" ")
    for _ in range(random.choice((1, 1, 4))):
        words[random.randrange(len(words))] = random.choice(WORDS)
    return b" ".join(words)


def write_images(suffix: str, folder: Path) -> Path:
    """Two depth images and their camera."""
    for name in ("a_1", "a_2"):
        path = folder / f"{name}{suffix}"
        if suffix == ".npy":
            np.save(path, DEPTH)
        else:
            cv2.imwrite(str(path), DEPTH)
    (folder / "camera.json").write_text(json.dumps({"model": "pinhole", **CAMERA}))
    return path


def write_camera(folder: Path) -> Path:
    write_images(".png", folder)
    return folder / "camera.json"


def read_backgrounds(path: Path) -> None:
    load_backgrounds(path.parent)


def read_folder(path: Path) -> None:
    """As `calibrate` and `predict` read folders of pictures."""
    folder = path.parent
    find_camera(folder, "")
    for clip in list_clips(folder):
        read_images(clip.depth, 8)
        read_masks(clip.depth, 8)


MESHES: tuple[tuple[str, Break], ...] = (
    (".obj", harm_words),
    (".ply", harm_bytes),
    (".ply-text", harm_words),
    (".stl", harm_bytes),
    (".off", harm_words),
    (".glb", harm_bytes),
)

TARGETS = (
    Target("mano-bytes", write_mano, lambda p: mano_rig(p, 1, 2), harm_bytes),
    Target("mano-fields", write_mano, lambda p: mano_rig(p, 1, 2), harm_fields),
    *(Target(f"mesh{s}", partial(write_mesh, s), read_meshes, harm) for s, harm in MESHES),
    *(Target(f"body{s}", partial(write_mesh, s), read_bodies, harm) for s, harm in MESHES[:3]),
    Target("background.png", partial(write_images, ".png"), read_backgrounds, harm_bytes),
    Target("background.tiff", partial(write_images, ".tiff"), read_backgrounds, harm_bytes),
    Target("background.npy", partial(write_images, ".npy"), read_backgrounds, harm_bytes),
    Target("background-camera", write_camera, read_backgrounds, harm_json),
    Target("folder.png", partial(write_images, ".png"), read_folder, harm_bytes),
    Target("folder.tiff", partial(write_images, ".tiff"), read_folder, harm_bytes),
    Target("folder.npy", partial(write_images, ".npy"), read_folder, harm_bytes),
    Target("folder-camera", write_camera, read_folder, harm_json),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@few(25)
@given(seed=SEEDS)
def test_broken(target: Target, seed: int) -> None:
    meet(target, seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_what_is_broken_is_read(target: Target) -> None:
    """Else there would be nothing to refuse."""
    assert meets_refusals(target) != target.patient
