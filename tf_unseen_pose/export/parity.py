"""Compares every signature of a SavedModel with the Python model on a real photo.

The photo is the bundled one as JPEG and PNG, whole and cut, with poses from the same video.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.signatures import EXPLAINED
from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.crop import common_crop, whole_crop
from tf_unseen_pose.imaging.image_files import from_uint8, to_uint8
from tf_unseen_pose.inference.bundled import bundled
from tf_unseen_pose.inference.person_crop import Canvas
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import BODY, PERSON, is_person, person_joints
from tf_unseen_pose.skeleton import Skeleton

# Rounding to 8 bits may differ by a level, floats in their last digits. Pictures of photos come from another
# engine than Python's, which samples at 1/32 of a pixel.
_LEVELS, _TOLERANCE, _LEAST_PSNR = 1, 1e-3, 50.0
_NUMBERS = ("encode_source", "explain", "sequence_crop")
_PHOTOS = ("repose_photo", "serving_default", "render_sequence", "render_sequence_in_crop")
_POSES = 6


def parity(version: Path, reposer: Reposer) -> dict[str, dict[str, float]]:
    """Compares all signatures of a version with a model.

    Returns:
        By signature: `largest`, the largest difference, for pictures in 8-bit levels; `equal`, the fraction of equal
        values; `psnr`, the least of its pictures in dB, 100 for equal ones.

    Raises:
        UserError: a difference beyond rounding; the message names the signature.
    """
    signatures = tf.saved_model.load(str(version)).signatures
    report: dict[str, dict[str, float]] = {}
    for name, inputs, expected in _cases(reposer):
        found = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        for output, value in expected.items():
            _note(report.setdefault(name, {}), _decoded(found[output].numpy()), value)
        _require_near(name, report[name])
    return report


def _require_near(name: str, measured: dict[str, float]) -> None:
    near = measured["largest"] <= (_TOLERANCE if name in _NUMBERS else _LEVELS)
    if not (measured["psnr"] >= _LEAST_PSNR if name in _PHOTOS else near):
        raise UserError(
            f"The exported signature '{name}' differs from the run by {measured['largest']:.3g}; nothing was exported: "
            "try the other TensorFlow stack, and report this."
        )


def _cases(reposer: Reposer) -> Iterator[tuple[str, dict, dict]]:
    """Signature, inputs and expected outputs."""
    networks, skeleton = reposer.networks, reposer.skeleton
    size = networks.height, networks.width
    for photo, source, poses in _photos(skeleton):
        for encoded in (_file(photo, "PNG"), _file(photo, "JPEG", quality=90)):
            image = np.asarray(Image.open(io.BytesIO(encoded)))
            yield from _photo_cases(reposer, image, encoded, source, poses)
        pair = [person_joints(joints[:, :3], skeleton) for joints in (source, poses[0])]
        crop = common_crop(pair, skeleton, *size, networks.crop_factor)
        pixels = to_uint8(reposer.canvas(photo, source, poses[0]).image)
        on_canvas = [transform_joints(invert(crop), joints) for joints in (source, poses[0])]
        yield from _canvas_cases(reposer, pixels, *on_canvas)


def _photo_cases(
    reposer: Reposer, image: np.ndarray, encoded: bytes, source: np.ndarray, poses: np.ndarray
) -> Iterator[tuple[str, dict, dict]]:
    joints = {"source_joints": source, "target_joints": poses}
    single = {"source_joints": source[None], "target_joints": poses[:1]}
    picture = reposer.synthesize(image, poses[0], source, crop=True)
    yield "serving_default", {"image_bytes": [encoded], **single}, {"image_bytes": picture[None]}
    whole = reposer.synthesize(image, poses[0], source)
    yield "repose_photo", {"image_bytes": [encoded], **single, "image_format": ["png"]}, {"image_bytes": whole[None]}
    frames = np.stack(list(reposer.animate(image, poses, source, crop=True)))
    yield "render_sequence", {"image_bytes": encoded, **joints}, {"image_bytes": frames}
    networks, skeleton, size = reposer.networks, reposer.skeleton, image.shape[:2]
    whole = person_joints(source, skeleton), person_joints(poses, skeleton)
    crop = whole_crop(*whole, size, skeleton, networks.height, networks.width, networks.crop_factor)
    yield (
        "sequence_crop",
        {"source_joints": source[None], "target_joints": poses[None], "image_size": np.int32([size])},
        {"canvas_to_image": crop[None]},
    )
    part = {"image_bytes": encoded, "source_joints": source, "target_joints": poses[4:], "canvas_to_image": crop}
    yield "render_sequence_in_crop", part, {"image_bytes": frames[4:]}


def _canvas_cases(
    reposer: Reposer, pixels: np.ndarray, source: np.ndarray, target: np.ndarray
) -> Iterator[tuple[str, dict, dict]]:
    canvas = {"image": pixels[None], "source_joints": source[None]}
    target_joints = {"target_joints": target[None]}
    state = reposer.encode(pixels, source)
    picture = {"image": reposer.render(state, target)[None]}
    parts = {name: part.numpy() for name, part in state._asdict().items()}
    yield "synthesize", canvas | target_joints, picture
    yield "encode_source", canvas, parts
    yield "render", parts | target_joints, picture
    stages = reposer.explain(Canvas(from_uint8(pixels), source, target, np.eye(2, 3, dtype=np.float32)))
    yield "explain", canvas | target_joints, {name: stages[name][None] for name in EXPLAINED if name in stages}


def _photos(skeleton: Skeleton) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Photo uint8 [H, W, 3], source pose [J, 3], poses [T, J, 3 or 4]."""
    image, source, motion = bundled()
    poses = motion.joints[:: len(motion.joints) // _POSES]
    person, motion = source[:, :3], poses[..., :3]
    # With depth, where the other photo's poses have none.
    source, poses = as_skeleton(skeleton, person), as_skeleton(skeleton, poses)
    yield image, source, poses
    poses = poses[..., :3]
    # Another photo of odd size, its person elsewhere, with the fewest joints that a request may have.
    if is_person(skeleton):
        source, poses = person_joints(person, PERSON), person_joints(motion, PERSON)
    left, top = np.floor(source[:, :2].min(axis=0)).astype(int) // 2
    shift = np.float32([left, top, 0])
    yield np.ascontiguousarray(image[top:-1, left:]), source - shift, poses - shift


def as_skeleton(skeleton: Skeleton, joints: np.ndarray) -> np.ndarray:
    """Joints [..., 23, C] of `BODY` as another skeleton's; its additional joints are placed near the wrist."""
    wrist = joints[..., BODY.joint_index("right_wrist")[0], :]
    step = np.float32([3, -2, 0, 0])[: joints.shape[-1]]
    parts = [
        joints[..., BODY.joints.index(name), :] if name in BODY.joints else wrist + i * step
        for i, name in enumerate(skeleton.joints)
    ]
    return np.stack(parts, axis=-2).astype(np.float32)


def _file(image: np.ndarray, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def _decoded(value: np.ndarray) -> np.ndarray:
    """PNG files as pictures, numbers unchanged."""
    if value.dtype != object:
        return value
    return np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in value])


def _note(measured: dict[str, float], found: np.ndarray, expected: np.ndarray) -> None:
    difference = np.abs(np.float64(found) - np.float64(expected))
    error = (difference**2).mean(axis=tuple(range(1, difference.ndim)))
    measured["largest"] = max(measured.get("largest", 0.0), float(difference.max()))
    measured["equal"] = min(measured.get("equal", 1.0), float((difference == 0).mean()))
    measured["psnr"] = min(measured.get("psnr", 100.0), float(10 * np.log10(255**2 / np.maximum(error.max(), 1e-10))))
