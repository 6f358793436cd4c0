"""A .tflite file of this project: its signatures as functions of arrays, and its description.

The description is JSON in the flatbuffer's metadata under the name `unseen_pose.json`:

    {"format": 3, "variant": "float16", "licence": ..., "project": ..., "git_revision": ..., "steps": ...,
     "height": 256, "width": 256, "crop_factor": 1.14, "alpha_steepness": 20.0,
     "skeleton": {"name", "joints", "limbs", "root", "held"},
     "signatures": {"render": {"inputs": {"image": {"shape", "dtype", "what"}, ...}, "outputs": {...}}, ...}}
"""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import Skeleton

METADATA, FORMAT = "unseen_pose.json", 3
_WAY_OUT = "name a .tflite file that 'export --tflite' wrote"


class LiteFile:
    """An open file. Calls from several threads are serialised.

    Args:
        content: of the file.
        threads: number of threads for LiteRT and XNNPACK.
        name: the file's name in messages.
        described: whether it must have a description, which files in the making lack.

    Attributes:
        about: the JSON.

    Raises:
        UserError: LiteRT is not installed, or the content is not such a file.
    """

    def __init__(self, content: bytes, threads: int = 2, name: str = "the model", described: bool = True):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise UserError(
                "Running .tflite files needs the package 'ai-edge-litert', which is not installed; install it with pip."
            ) from error
        if threads < 1:
            raise UserError(f"A model cannot run on {threads} threads; give 1 or more.")
        try:
            # LiteRT verifies the flatbuffer before Python reads it.
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
        except (ValueError, RuntimeError) as error:
            raise UserError(f"LiteRT cannot read {name}, which is damaged or no model; {_WAY_OUT}.") from error
        self.about = _about(content, name) if described else {}
        self._runners: dict[str, Any] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path, threads: int = 2) -> "LiteFile":
        """Opens a file; see the class.

        Raises:
            UserError: it is missing or not of this project.
        """
        if not path.is_file():
            raise UserError(f"There is no file {path}; {_WAY_OUT}.")
        return cls(path.read_bytes(), threads, str(path))

    @property
    def skeleton(self) -> Skeleton:
        """The model's skeleton."""
        return Skeleton.from_dict(self.about["skeleton"])

    @property
    def signatures(self) -> list[str]:
        """The names of the signatures."""
        return list(self._interpreter.get_signature_list())

    def inputs(self, signature: str) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and type of every input of a signature, by name."""
        return _details(self._runner(signature).get_input_details())

    def outputs(self, signature: str) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and type of every output of a signature, by name."""
        return _details(self._runner(signature).get_output_details())

    def _runner(self, signature: str) -> Any:
        if signature not in self._runners:
            self._runners[signature] = self._interpreter.get_signature_runner(signature)
        return self._runners[signature]

    def __getitem__(self, signature: str) -> Callable[..., dict[str, np.ndarray]]:
        """A signature as a function of named arrays that returns named arrays."""

        def call(**inputs):
            with self._lock:
                return self._runner(signature)(**inputs)

        return call


def _details(details: dict) -> dict[str, tuple[tuple[int, ...], str]]:
    return {
        name: (tuple(map(int, detail["shape"])), np.dtype(detail["dtype"]).name) for name, detail in details.items()
    }


def _about(content: bytes, name: str) -> dict:
    stored = metadata(content)
    if stored is None:
        raise UserError(f"{name} is not a model of this project: it has no metadata; {_WAY_OUT}.")
    try:
        about = json.loads(stored)
        known = about["format"]
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"The metadata of {name} are damaged; {_WAY_OUT}.") from error
    if known != FORMAT:
        raise UserError(f"{name} is of format {known}, this program reads {FORMAT}; export the model again.")
    return about


def metadata(content: bytes) -> bytes | None:
    """The content of the metadata entry `unseen_pose.json` of a model; None without one."""
    from ai_edge_litert.schema_py_generated import Model

    model = Model.GetRootAs(content, 0)
    for i in range(model.MetadataLength()):
        entry = model.Metadata(i)
        if entry.Name() == METADATA.encode():
            return bytes(model.Buffers(entry.Buffer()).DataAsNumpy())
    return None
