"""handloom calibrate: a sensor profile fitted to real captures."""

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from console.arguments import Json, parse_call
from console.output import print_note, print_result
from frames.errors import BadInput

Model = Literal["", "stereo", "structured-light", "time-of-flight"]


def run_calibrate(arguments: list[str]) -> int:
    """handloom calibrate CAPTURE OUT.toml [--base d435]"""

    def calibrate(
        capture: Annotated[Path, tyro.conf.Positional],
        out: Annotated[Path, tyro.conf.Positional],
        model: Model = "",
        base: str = "",
        camera: str = "",
        depth_scale: float = 0.0,
        fps: float = 0.0,
        plot: Path | None = None,
        json: Json = False,
    ) -> int:
        """Fit a sensor profile to recordings of a wall and of hands (docs/calibrate.md).

        Args:
            capture: Folder of 16-bit depth images (.png, .tiff, .npy), or a dataset.
            out: Profile to write (.toml).
            model: Model of the device; guessed from the capture if left out.
            base: Profile to start from: what the capture cannot tell stays as it says.
            camera: Camera preset or file, if the capture has no camera.json.
            depth_scale: Steps a metre of the images, if the camera file does not say.
            fps: Frames a second, for what changes over time.
            plot: Draw the measurements as a picture (.png).
        """
        from augment.calibrate.choice import choose_base
        from augment.calibrate.fit import fit_profile
        from augment.calibrate.measurement import measure_capture
        from augment.calibrate.plots import draw_report, write_report
        from augment.calibrate.reading import read_capture
        from augment.calibrate.report import format_report, list_values
        from augment.calibrate.toml_text import format_profile
        from frames.store.disk import write_file

        if out.suffix != ".toml":
            raise BadInput(f"out must end in .toml, got {out}")
        if plot is not None and plot.suffix != ".png":
            raise BadInput(f"plot must end in .png, got {plot}")
        read = read_capture(capture, camera, depth_scale, fps)
        measured = measure_capture(read)
        start, reason = choose_base(model, base, measured)
        if reason and not json:
            print_note(reason)
        fit = fit_profile(read, measured, start, out.stem)
        if plot is not None:
            write_report(draw_report(read, measured, fit), plot)
        write_file(out, format_profile(fit.profile).encode())
        values: dict[str, Any] = {"out": str(out), **list_values(read, measured, fit)}
        print_result(json, format_report(read, measured, fit) + f"\n\n{out} written", values)
        return 0

    return int(parse_call(calibrate, "handloom calibrate", arguments)())
