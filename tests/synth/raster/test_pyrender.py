"""pyrender's exact pass as a witness: the same depth, coverage and codes as the raster."""

import subprocess
import sys

import numpy as np
import pytest
from scenes import articulated_body, icosphere, room_planes

from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from synth.raster import Canvas
from synth.raster.pyrender_canvas import PyrenderCanvas
from synth.raster.pyrender_pass import PyrenderPass, Surface

CAMERA = Camera("pinhole", 320, 240, 168.5, 171.0, 161.3, 117.8)

pytestmark = pytest.mark.egl


@pytest.fixture(scope="module")
def renderer() -> PyrenderPass:
    pytest.importorskip("pyrender")
    return PyrenderPass(CAMERA)


def surfaces(seed: int) -> list[Surface]:
    rng = np.random.default_rng(seed)
    found = []
    for slot, x in enumerate((-0.1, 0.1)):
        vertices, faces, codes = articulated_body(rng, np.array([x, 0.0, 0.35]))
        found.append(Surface(vertices.astype(np.float32), faces, codes + np.uint8(32 * slot)))
    vertices, faces, _ = icosphere(np.array([0.0, 0.05, 0.3]), 0.04, 2)
    found.append(
        Surface(
            vertices.astype(np.float32), faces, np.full(len(faces), 224, np.uint8), closed=False
        )
    )
    return found


def test_depth_coverage_and_codes_agree(renderer: PyrenderPass) -> None:
    canvas = Canvas(CAMERA, layers=1)
    for seed in range(6):
        meshes = surfaces(seed)
        canvas.begin()
        for mesh in meshes:
            canvas.draw(0, mesh.vertices, mesh.faces, mesh.codes, closed=mesh.closed)
        codes, depth = canvas.layer(0)
        other_depth, other_codes = renderer.render(meshes)
        both = (depth > 0) & (other_depth > 0)
        assert both.sum() > 3000
        assert np.median(np.abs(depth - other_depth)[both]) <= 1e-5
        assert ((depth > 0) != (other_depth > 0)).mean() <= 5e-4
        assert (codes != other_codes).mean() <= 5e-4


def test_kept_buffers_draw_what_new_ones_do(renderer: PyrenderPass) -> None:
    meshes = surfaces(0)
    moved = [Surface(m.vertices + np.float32(0.03), m.faces, m.codes, m.closed) for m in meshes]
    renderer.render(meshes)
    kept = renderer.render(moved)
    renderer.render(surfaces(1)[:1])
    for a, b in zip(kept, renderer.render(moved), strict=True):
        assert np.array_equal(a, b)


def test_an_empty_scene_reads_nothing(renderer: PyrenderPass) -> None:
    depth, codes = renderer.render([])
    assert depth.shape == codes.shape == (240, 320)
    assert not depth.any() and not codes.any()


def test_a_canvas_of_pyrender_equals_ours() -> None:
    pytest.importorskip("pyrender")
    ours, theirs = Canvas(CAMERA, layers=4), PyrenderCanvas(CAMERA, layers=4)
    for seed in range(3):
        images = []
        for canvas in (ours, theirs):
            canvas.begin()
            for slot, mesh in enumerate(surfaces(seed)):
                canvas.draw(slot, mesh.vertices, mesh.faces, mesh.codes, closed=mesh.closed)
            box = icosphere(np.array([0.3, 0.2, 1.0]), 0.3, 1)
            canvas.draw_background(box[0], box[1])
            canvas.draw_room(room_planes(np.random.default_rng(seed)))
            depth = np.zeros((240, 320), np.uint16)
            codes = np.zeros((240, 320), np.uint8)
            images.append((depth, codes, canvas.composite(depth, codes)))
        (depth, codes, layers), (other_depth, other_codes, other_layers) = images
        assert (codes != other_codes).mean() <= 5e-4
        assert np.median(np.abs(depth.astype(int) - other_depth)) == 0
        for name in ("amodal_pixels", "visible_pixels", "amodal_box", "visible_box"):
            difference = getattr(layers, name) - getattr(other_layers, name)
            assert np.abs(difference).max() <= 3, name


def test_only_pinhole_cameras_are_taken() -> None:
    with pytest.raises(BadInput, match="kannala-brandt: use --renderer raster"):
        PyrenderPass(CAMERAS["ahat"])


@pytest.mark.parametrize(
    ("missing", "mend"), [("pyrender", "pip install"), ("OpenGL", "apt-get install")]
)
def test_missing_software_is_named_with_its_mend(missing: str, mend: str) -> None:
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from frames.camera import CAMERAS\n"
        "from frames.errors import BadInput\n"
        "from synth.raster.pyrender_pass import PyrenderPass\n"
        "try:\n    PyrenderPass(CAMERAS['ego'])\n"
        "except BadInput as error:\n    sys.exit(str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, missing], capture_output=True, text=True)
    assert done.returncode == 1
    assert mend in done.stderr and "\n" not in done.stderr.strip()
