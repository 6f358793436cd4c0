"""Runs notebooks as they are run on Colab: cell by cell, in a kernel of their own."""

import json
import os
import signal
from pathlib import Path

import pytest

from tf_unseen_pose.compat import KERAS_3
from tf_unseen_pose.pose.landmarker_model import VARIABLE, wheel_has_networks

ROOT = Path(__file__).parents[2]


class Session:
    """A notebook in a kernel.

    Args:
        name: of the notebook's file.
        folder: the kernel's current one.
        settings: what replaces variables of the cell that is tagged "parameters".
    """

    def __init__(self, name: str, folder: Path, **settings):
        import nbclient
        import nbformat

        self.folder = folder
        self.notebook = nbformat.read(ROOT / "colab" / name, as_version=4)
        (cell,) = (cell for cell in self.notebook.cells if "parameters" in cell.metadata.get("tags", ()))
        cell.source += "\n" + "\n".join(f"{name} = {value!r}" for name, value in settings.items())
        resources = {"metadata": {"path": str(folder)}}
        self._client = nbclient.NotebookClient(self.notebook, timeout=300, kernel_name="python3", resources=resources)

    def __enter__(self):
        self._kernel = self._client.setup_kernel()
        self._kernel.__enter__()
        return self

    def __exit__(self, *error):
        return self._kernel.__exit__(*error)

    @property
    def kernel_pid(self) -> int:
        return self._client.km.provisioner.pid

    def run(self, *names: str) -> None:
        """Executes cells by their ids, all when none is named; raises what a cell raises."""
        for position, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code" and (not names or cell.id in names):
                self._client.execute_cell(cell, position)

    def said(self, name: str) -> str:
        """What a cell wrote."""
        return "".join(output.text for output in self._outputs(name) if output.output_type == "stream")

    def shown(self, name: str, kind: str) -> list[str]:
        """What a cell shows of a MIME type."""
        data = [output.data for output in self._outputs(name) if output.output_type == "display_data"]
        return [each[kind] for each in data if kind in each]

    def _outputs(self, name):
        (cell,) = (cell for cell in self.notebook.cells if cell.id == name)
        return cell.outputs


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Opens a notebook of `colab/` in the module's folder: `with notebook(NAME, SETTING=value) as session`."""
    if not KERAS_3:
        pytest.skip("the notebooks are tested on the newer stack, which Colab has")
    if not (wheel_has_networks() or os.environ.get(VARIABLE)):
        pytest.skip(f"this MediaPipe wheel holds no pose model, and {VARIABLE} names none")
    folder = tmp_path_factory.mktemp("notebook")
    temporary, work = folder / "temporary", folder / "work"
    temporary.mkdir()
    work.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        # The kernel finds the package here, and the servers that it starts leave their notes in a folder of their own.
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TMPDIR", str(temporary))
        yield lambda name, **settings: Session(name, work, **settings)
    for note in temporary.glob(".tensorboard-info/*.info"):
        os.kill(json.loads(note.read_text())["pid"], signal.SIGTERM)
