"""The whole way round: a known device records, is calibrated, and its parameters come back."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from wall_captures import SMALL, make_capture, make_wall

from augment.calibrate.capture import Capture, Clip
from augment.calibrate.choice import BASES, choose_base, guess_model
from augment.calibrate.fit import Fit, fit_profile
from augment.calibrate.link import LINKS, UNKNOWABLE
from augment.calibrate.measurement import measure_capture
from augment.calibrate.plots import draw_report
from augment.calibrate.report import format_report, list_values
from augment.calibrate.resimulation import sense_depth
from augment.calibrate.toml_text import format_profile
from augment.parameter import Given
from augment.profile import MODELS, Profile, load_profile
from augment.shot import Keys
from console.calibrate import run_calibrate
from frames.camera import Camera
from frames.errors import BadInput


def change(profile: Profile, **values: float) -> Profile:
    given = dict(profile.given)
    for name, value in values.items():
        given[name] = Given(value, given[name].unit, "known", None)
    return replace(profile, name="known", given=given)


def load(name: str) -> Profile:
    found = load_profile(name)
    assert isinstance(found, Profile)
    return found


def record(
    device: Profile, camera: Camera, distances: tuple[float, ...], frames: int, hands: int = 0
) -> Capture:
    """Tilted walls, and a disc with fingers' width of bars before a wall, by a device."""
    rays = camera.ray_table()
    blank = Capture("known", camera, 10_000.0, ())
    clips = []
    for k, distance in enumerate(distances):
        depth_m = distance / (1 + 0.12 * rays[..., 0] + 0.07 * rays[..., 1])
        read = [
            sense_depth(blank, depth_m, None, device, Keys(1000 * k + i, k, 7), i / 30)
            for i in range(frames)
        ]
        lights = [r[1] for r in read if r[1] is not None]
        light = np.stack(lights) if lights else None
        times = np.arange(frames) / 30
        clips.append(Clip(f"w{k}", np.stack([r[0] for r in read]), None, light, None, times))
    if hands:
        v, u = np.mgrid[: camera.height, : camera.width]
        depths, masks = [], []
        for i in range(hands):
            hand = np.hypot(u - camera.cx, v - camera.cy) < 0.28 * camera.height
            depth_m = np.where(hand, 0.45 + 0.008 * i, 0.85 + 0.02 * i)
            keys = Keys(90_000 + i, 90_000 + i, 7)
            depths.append(sense_depth(blank, depth_m, hand, device, keys, 0.0)[0])
            masks.append(hand)
        clips.append(Clip("hands", np.stack(depths), np.stack(masks)))
    return replace(blank, clips=tuple(clips))


def check_scores(fit: Fit, device: Profile, *names: str) -> None:
    """Each parameter is fitted, and within 3.5 standard errors of what is known."""
    found = {o.parameter: o for o in fit.outcomes}
    for name in names:
        one = found[name]
        assert one.error is not None, one
        truth = device.given[name].value
        assert abs(one.value - truth) < 3.5 * one.error, (one, truth)
        # And an error that says something.
        assert one.error < 0.25 * abs(truth) + 1e-9, (one, truth)


def test_a_stereo_device_comes_back() -> None:
    base = load("d435")
    device = change(
        base, noise_px=0.12, noise_length_px=4.5, slow_share=0.25, patch_length_px=11.0,
        quantum_px=0.0625, hole_share=0.015, baseline_m=0.075,
    )  # fmt: skip
    camera = Camera("pinhole", 212, 160, 216.5, 216.5, 105.5, 79.5)
    capture = record(device, camera, (0.4, 0.8, 1.4), 12, hands=12)
    measured = measure_capture(capture)
    fit = fit_profile(capture, measured, base, "fitted")
    check_scores(
        fit, device, "noise_px", "noise_length_px", "slow_share", "patch_length_px", "quantum_px",
        "hole_share", "baseline_m",
    )  # fmt: skip
    assert guess_model(measured)[0] == "stereo"
    written = load_profile_text(format_profile(fit.profile))
    assert written.given["noise_px"].value == pytest.approx(
        fit.profile.given["noise_px"].value, rel=1e-6
    )
    assert "fitted from known" in written.given["noise_px"].source
    assert "needs a wall at known distances" in written.given["locking_px"].source
    text = format_report(capture, measured, fit)
    assert "plane RMS" in text and "baseline that the shadow implies" in text
    json.dumps(list_values(capture, measured, fit), allow_nan=False)
    picture = draw_report(capture, measured, fit)
    assert picture.ndim == 3 and picture.dtype == np.uint8 and picture.std() > 10


def load_profile_text(text: str) -> Profile:
    from augment.profile import build_profile

    found = build_profile(tomllib.loads(text), "test")
    assert isinstance(found, Profile)
    return found


def test_a_structured_light_device_comes_back() -> None:
    base = load("sr300")
    device = change(
        base, axial_floor_m=0.0009, axial_growth_per_m=0.0006, fine_px=2.8, step_m=0.0005,
        dropout_share=0.02, baseline_m=-0.055,
    )  # fmt: skip
    camera = Camera("pinhole", 212, 160, 216.5, 216.5, 105.5, 79.5)
    capture = record(device, camera, (0.35, 0.6, 1.0), 10, hands=12)
    fit = fit_profile(capture, measure_capture(capture), base, "fitted")
    check_scores(fit, device, "axial_floor_m", "fine_px", "step_m", "dropout_share", "baseline_m")


def test_a_time_of_flight_device_comes_back() -> None:
    base = load("azure-kinect")
    device = change(base, signal_e=base.given["signal_e"].value * 0.4, step_m=0.002)
    camera = Camera("pinhole", 212, 160, 216.5, 216.5, 105.5, 79.5)
    capture = record(device, camera, (0.6, 1.2), 12)
    measured = measure_capture(capture)
    slope = measured.estimates["amplitude_slope"]
    assert slope.value == pytest.approx(-2.0, abs=0.02)
    assert guess_model(measured)[0] == "time-of-flight"
    fit = fit_profile(capture, measured, base, "fitted", rounds=3)
    check_scores(fit, device, "signal_e", "step_m")


def test_every_link_names_a_parameter_and_a_quantity() -> None:
    measured = measure_capture(make_capture(camera=SMALL))
    for model, links in LINKS.items():
        fields = MODELS[model].__dataclass_fields__
        for link in links:
            assert link.parameter in fields and link.measure in measured.estimates
        assert set(UNKNOWABLE[model]) <= set(fields)
        assert load(BASES[model]).model == model


def test_nothing_determined_is_one_line() -> None:
    flat = Clip("nothing", np.zeros((2, SMALL.height, SMALL.width), np.uint16))
    capture = make_capture(flat, camera=SMALL)
    with pytest.raises(BadInput, match=r"nothing can be determined from made: .*no wall was found"):
        fit_profile(capture, measure_capture(capture), load("d435"), "x")


def test_a_base_that_cannot_be_is_refused() -> None:
    measured = measure_capture(make_capture(camera=SMALL))
    with pytest.raises(BadInput, match="base random is a mixture"):
        choose_base("", "random", measured)
    with pytest.raises(BadInput, match="base ideal is of model ideal"):
        choose_base("", "ideal", measured)
    with pytest.raises(BadInput, match="base sr300 is of model structured-light, not stereo"):
        choose_base("stereo", "sr300", measured)
    assert choose_base("", "zed", measured)[1] == ""
    assert "does not tell" in choose_base("", "", measured)[1]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "capture"
    folder.mkdir()
    (folder / "camera.json").write_text(
        json.dumps({**SMALL.to_dict(), "depth_scale_per_m": 10_000})
    )
    for distance in (0.5, 1.0):
        clip = make_wall(1, distance, 3, 0.0074, 3.0, camera=SMALL)
        for i, depth in enumerate(clip.depth):
            cv2.imwrite(str(folder / f"wall_{round(distance * 100)}_{i}.png"), depth)
    out, plot = tmp_path / "mine.toml", tmp_path / "mine.png"
    arguments = [str(folder), str(out), "--base", "d435", "--plot", str(plot)]
    assert run_calibrate(arguments) == 0
    said = capsys.readouterr().out
    assert "real" in said and "noise_px" in said and "the frame rate is unknown" not in said
    profile = load_profile(out)
    assert isinstance(profile, Profile) and profile.name == "mine"
    assert "fitted from" in profile.given["noise_px"].source
    assert "8 are needed" in profile.given["memory_s"].source
    assert cv2.imread(str(plot)) is not None
    assert run_calibrate([*arguments, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["model"] == "stereo" and len(values["walls"]) == 2
    first = out.read_bytes()
    assert run_calibrate(arguments) == 0
    assert out.read_bytes() == first
    for bad, why in (
        ([str(folder), str(tmp_path / "x.txt")], "out must end in .toml"),
        ([str(folder), str(out), "--plot", "x.jpg"], "plot must end in .png"),
        ([str(tmp_path / "no"), str(out)], "does not exist"),
    ):
        with pytest.raises(BadInput, match=why):
            run_calibrate(bad)
