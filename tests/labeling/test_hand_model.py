"""The model in torch is the model of synth; its closed-form slopes are its derivatives."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from labeling.refinement.hand_model import (  # noqa: E402
    find_keypoints,
    load_model,
    pose_hands,
    shape_hands,
    skin,
)
from labeling.refinement.prior import (  # noqa: E402
    bound_angles,
    load_pose_prior,
    load_shape_prior,
    load_shape_slopes,
)
from labeling.refinement.slopes import (  # noqa: E402
    ANGLE,
    FORM,
    PARAMETERS,
    SHIFT,
    TURN,
    slope_affine,
    slope_points,
)
from labeling.refinement.state import State, retract, turn_about  # noqa: E402
from synth.hand import kinematics  # noqa: E402
from synth.hand.angles import LIMITS, clamp  # noqa: E402
from synth.hand.builtin import builtin_rig  # noqa: E402
from synth.hand.shape import sample_bodies  # noqa: E402

PEOPLE, SEED = 24, 3


def draw_roots(rng: np.random.Generator, count: int) -> np.ndarray:
    turn, _ = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    turn *= np.linalg.det(turn)[:, None, None]
    out = np.tile(np.eye(4), (count, 1, 1))
    out[:, :3, :3], out[:, :3, 3] = turn, rng.normal(0, 0.3, (count, 3))
    return out


def test_same_hands_as_synth() -> None:
    rig, model = builtin_rig(SEED, PEOPLE), load_model()
    bodies = sample_bodies(SEED, PEOPLE, 10)
    rest = shape_hands(
        model, torch.tensor(rig.shape.astype(np.float64)), torch.tensor(bodies.forearm_m)
    )
    assert np.abs(rest.vertices.numpy() - rig.rest_vertices).max() < 1e-6
    assert np.abs(rest.joints.numpy() - rig.rest_joints).max() < 1e-6
    rng = np.random.default_rng(0)
    angles = rng.uniform(LIMITS[:, 0], LIMITS[:, 1], (PEOPLE, 29))
    roots, left = draw_roots(rng, PEOPLE), np.arange(PEOPLE) % 2 == 1
    vertices, keypoints = kinematics.pose_hands(rig, np.arange(PEOPLE), angles, roots, left)
    posed = pose_hands(
        model,
        rest.joints,
        torch.tensor(angles),
        torch.tensor(roots[:, :3]),
        torch.tensor(np.where(left, -1.0, 1.0)),
    )
    skinned = skin(model.weights, posed.affine, rest.vertices)
    found = find_keypoints(model, posed.joints, skinned)
    assert np.abs(skinned.numpy() - vertices).max() < 1e-6
    assert np.abs(found.numpy() - keypoints).max() < 1e-6


def test_some_vertices_are_those_of_all() -> None:
    model = load_model()
    shape = load_shape_prior().to_shape(torch.linspace(-1, 1, 17, dtype=torch.float64)[None])
    some = (3, 900, 17)
    whole = shape_hands(model, shape).vertices[:, list(some)]
    assert torch.allclose(shape_hands(model, shape, only=some).vertices, whole, atol=1e-12)


def test_slopes_are_derivatives() -> None:
    model, prior, slopes = load_model(), load_shape_prior(), load_shape_slopes(load_model())
    rng = np.random.default_rng(1)
    count = 4
    angles = load_pose_prior().bank[:count].clone()
    angles[:, :2] = 0.2
    state = State(
        torch.tensor(draw_roots(rng, count)[:, :3]),
        angles,
        torch.zeros(count, 17, dtype=torch.float64),
        torch.tensor([1.0, -1, 1, -1], dtype=torch.float64),
    )
    some = tuple(range(0, 1652, 83))

    def place(one: State) -> "torch.Tensor":
        rest = shape_hands(model, prior.to_shape(one.z), only=some)
        posed = pose_hands(model, rest.joints, one.angles, one.root, one.mirror)
        return skin(model.weights[list(some)], posed.affine, rest.vertices)

    rest = shape_hands(model, prior.to_shape(state.z), only=some)
    posed = pose_hands(model, rest.joints, state.angles, state.root, state.mirror)
    found = slope_points(
        model.weights[list(some)],
        rest.vertices,
        posed.affine,
        slope_affine(model, posed, state.root, slopes.joints),
        slopes.vertices[list(some)],
    )
    step = 1e-5
    for k in range(PARAMETERS):
        move = torch.zeros(count, PARAMETERS, dtype=torch.float64)
        move[:, k] = step
        numeric = (place(retract(state, move)) - place(retract(state, -move))) / (2 * step)
        assert (found[..., k] - numeric).abs().max() < 1e-8, k


def test_model_is_differentiable() -> None:
    model, prior = load_model(), load_shape_prior()
    z = torch.zeros(1, 17, dtype=torch.float64, requires_grad=True)
    angles = torch.zeros(1, 29, dtype=torch.float64, requires_grad=True)
    rest = shape_hands(model, prior.to_shape(z), only=(100,))
    root = torch.eye(3, 4, dtype=torch.float64)[None]
    posed = pose_hands(model, rest.joints, angles, root, torch.ones(1, dtype=torch.float64))
    skin(model.weights[[100]], posed.affine, rest.vertices).sum().backward()
    assert z.grad is not None and torch.isfinite(z.grad).all() and (z.grad != 0).any()
    assert angles.grad is not None and torch.isfinite(angles.grad).all()


def test_turns_are_rotations_near_and_far() -> None:
    vectors = torch.tensor([[0.0, 0, 0], [1e-9, 0, 0], [0.3, -2, 1]], dtype=torch.float64)
    turns = turn_about(vectors)
    assert torch.allclose(turns @ turns.mT, torch.eye(3, dtype=torch.float64).expand(3, 3, 3))
    assert torch.allclose((turns @ vectors[..., None])[..., 0], vectors, atol=1e-15)


def test_bounds_are_those_of_synth() -> None:
    rng = np.random.default_rng(2)
    angles = rng.uniform(-3, 3, (50, 29))
    wanted = clamp(angles)
    limited = torch.tensor(np.clip(angles, LIMITS[:, 0], LIMITS[:, 1]))
    low, high = bound_angles(limited)
    assert torch.allclose(limited.clamp(low, high), torch.tensor(wanted), atol=1e-12)


def test_parameters_do_not_overlap() -> None:
    spans = [range(PARAMETERS)[s] for s in (TURN, SHIFT, ANGLE, FORM)]
    assert sorted(k for span in spans for k in span) == list(range(PARAMETERS))


def test_shape_prior_is_the_sampler() -> None:
    prior = load_shape_prior()
    bodies = sample_bodies(7, 20_000, 10)
    cov = (prior.scale @ prior.scale.T).numpy()
    sizes = np.stack([bodies.length_m, bodies.breadth_m])
    # The mean's standard error is 0.0118 / sqrt(20,000) = 0.08 mm, a deviation's 0.5 %.
    assert np.abs(sizes.mean(1) - prior.mean[:2].numpy()).max() < 4e-4
    assert np.allclose(np.sqrt(np.diag(cov)[:2]), sizes.std(1), rtol=0.02)
    assert np.isclose(
        np.corrcoef(sizes)[0, 1], cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]), atol=0.02
    )
