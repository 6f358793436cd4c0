import pytest


@pytest.fixture(scope="session")
def lite_contents(lite_files):
    """The files' contents by variant."""
    return {path.stem: path.read_bytes() for path in lite_files[1].glob("*.tflite")}
