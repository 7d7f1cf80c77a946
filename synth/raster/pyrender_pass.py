"""A second renderer for the same meshes: pyrender 0.1.45 through EGL, in an exact single pass.

pyrender's stock offscreen depth is taken from a multisampled buffer whose samples lie off the pixel
centre, so it is biased; here its multisampled storage is replaced by a plain one, after which depth
is exact. Its own shaders draw one colour a mesh; ours colours each triangle by its number, so that
one pass yields depth and codes. All meshes of a frame share one buffer, kept while the topology
stays.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.camera import Camera
from frames.errors import BadInput

_PIP: Final = "pip install 'handloom[pyrender]'"
_APT: Final = "apt-get install --no-install-recommends libegl1 libgl1 libgl1-mesa-dri"

FAR_M: Final = 256.0

_VERTEX_SHADER: Final = """#version 330 core
layout(location = 0) in vec3 position;
layout(location = INST_M_LOC) in mat4 inst_m;
uniform mat4 P;
uniform mat4 V;
uniform mat4 M;
void main() { gl_Position = P * V * M * inst_m * vec4(position, 1.0); }
"""
_FRAGMENT_SHADER: Final = """#version 330 core
uniform vec3 color;
out vec4 frag_color;
void main() {
    int id = gl_PrimitiveID + 1;
    frag_color = vec4(id & 255, (id >> 8) & 255, (id >> 16) & 255, 255) / 255.0;
}
"""


@dataclass(frozen=True)
class Surface:
    """One mesh of a frame."""

    vertices: np.ndarray
    """(V, 3) float, camera frame, metres."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise from outside."""
    codes: np.ndarray
    """(F,) uint8 part codes."""
    closed: bool = True
    """Whether back faces may be skipped; open meshes are drawn from both sides."""


@dataclass(frozen=True)
class _Buffers:
    """What one scene keeps in the OpenGL context."""

    node: Any
    primitive: Any
    codes: np.ndarray
    """Code of every triangle number; 0 is the background."""
    surfaces: tuple[Surface, ...]
    vertices: int

    def fits(self, surfaces: Sequence[Surface], vertices: int) -> bool:
        """Whether these surfaces differ from the kept ones in their vertices only."""
        return (
            vertices == self.vertices
            and len(surfaces) == len(self.surfaces)
            and all(
                old.closed == new.closed
                and _is_same(old.faces, new.faces)
                and _is_same(old.codes, new.codes)
                and len(old.vertices) == len(new.vertices)
                for old, new in zip(self.surfaces, surfaces, strict=True)
            )
        )


class PyrenderPass:
    """Renders meshes of one pinhole camera with pyrender; one instance at a time in a process.

    Raises BadInput for other camera models, and when pyrender or EGL is missing.
    """

    def __init__(self, camera: Camera, near_m: float = 0.02) -> None:
        if camera.model != "pinhole":
            raise BadInput(
                f"--renderer pyrender draws pinhole cameras only, got {camera.model}: "
                "use --renderer raster for this camera"
            )
        self.camera = camera
        self._kept: dict[int, _Buffers] = {}
        self._pyrender, self._gl = load_pyrender()
        try:
            self._renderer = self._pyrender.OffscreenRenderer(camera.width, camera.height)
        except Exception as error:  # EGL fails with whatever its loader happened to meet
            raise BadInput(f"pyrender found no EGL ({error}): install it with {_APT}") from error
        self._shaders = tempfile.TemporaryDirectory(prefix="handloom-shaders-")
        folder = Path(self._shaders.name)
        (folder / "segmentation.vert").write_text(_VERTEX_SHADER)
        (folder / "segmentation.frag").write_text(_FRAGMENT_SHADER)
        from pyrender.shader_program import ShaderProgramCache

        self._renderer._renderer._program_cache = ShaderProgramCache(str(folder))
        self._scene = self._pyrender.Scene()
        # OpenGL looks along -z with y up, and has its pixel centres at one half.
        lens = self._pyrender.IntrinsicsCamera(
            camera.fx, camera.fy, camera.cx + 0.5, camera.cy + 0.5, znear=near_m, zfar=FAR_M
        )
        self._scene.add(lens, pose=np.diag([1.0, -1.0, -1.0, 1.0]))

    def render(self, surfaces: Sequence[Surface], key: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Depth (H, W) float32 in metres, 0 where nothing is, and codes (H, W) uint8.

        Buffers are kept per `key`: scenes drawn in turn with the same topology each have their own.
        """
        surfaces = [surface for surface in surfaces if len(surface.faces)]
        if not surfaces:
            shape = (self.camera.height, self.camera.width)
            return np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
        vertices = np.concatenate([surface.vertices for surface in surfaces], dtype=np.float32)
        kept = self._kept.get(key)
        if kept is not None and kept.fits(surfaces, len(vertices)):
            gl = self._gl
            self._renderer._platform.make_current()
            gl.glBindBuffer(gl.GL_ARRAY_BUFFER, kept.primitive._buffers[0])
            gl.glBufferSubData(gl.GL_ARRAY_BUFFER, 0, vertices.nbytes, vertices)
        else:
            if kept is not None:
                self._scene.remove_node(kept.node)
            kept = self._kept[key] = self._build(surfaces, vertices)
        # Four bytes a pixel: read back without a conversion, and a triangle number as they stand.
        flags = self._pyrender.RenderFlags.SEG | self._pyrender.RenderFlags.RGBA
        colours, depth = self._renderer.render(self._scene, flags, {kept.node: 0})
        number = colours.view("<u4")[..., 0] & np.uint32(0xFFFFFF)
        return depth, np.take(kept.codes, number)

    def _build(self, surfaces: Sequence[Surface], vertices: np.ndarray) -> "_Buffers":
        indices, codes, start = [], [np.zeros(1, np.uint8)], 0
        for surface in surfaces:
            shifted = surface.faces + np.uint32(start)
            for side in (shifted,) if surface.closed else (shifted, shifted[:, ::-1]):
                indices.append(side)
                codes.append(surface.codes)
            start += len(surface.vertices)
        primitive = self._pyrender.Primitive(
            positions=vertices, indices=np.concatenate(indices), mode=4
        )
        node = self._scene.add(self._pyrender.Mesh([primitive]))
        return _Buffers(node, primitive, np.concatenate(codes), tuple(surfaces), len(vertices))

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.delete()
        self._shaders.cleanup()


def load_pyrender() -> tuple[Any, Any]:
    """Modules pyrender and OpenGL.GL, set up for EGL on one core, with the exact pass patched in.

    Raises BadInput with the line that installs what is missing.
    """
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    os.environ.setdefault("PYGLET_HEADLESS", "1")
    os.environ.setdefault("LP_NUM_THREADS", "0")
    try:
        import pyrender
    except ImportError as error:
        if error.name == "pyrender":
            raise BadInput(f"--renderer pyrender needs the package: {_PIP}") from error
        raise BadInput(f"pyrender found no OpenGL ({error}): install it with {_APT}") from error
    except Exception as error:  # PyOpenGL raises AttributeError and others without libEGL
        raise BadInput(f"pyrender found no EGL ({error}): install it with {_APT}") from error
    from OpenGL import GL

    def store_single(target: Any, samples: Any, kind: Any, width: Any, height: Any) -> None:
        GL.glRenderbufferStorage(target, kind, width, height)

    pyrender.renderer.glRenderbufferStorageMultisample = store_single
    return pyrender, GL


def _is_same(a: np.ndarray, b: np.ndarray) -> bool:
    return a is b or (a.shape == b.shape and bool(np.array_equal(a, b)))
