"""What every file of the package and of its tests keeps to; imports between rooms are held by `lint-imports`."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "tf_unseen_pose"


def test_only_compat_knows_the_stack():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if path.name != "compat.py":
            assert "tensorflow_addons" not in text and "keras.__version__" not in text, path
        assert "tf.keras" not in text, f"{path}: import keras itself"


def test_every_directory_of_tests_mirrors_one_of_the_package():
    rooms = [init.parent.relative_to(PACKAGE) for init in PACKAGE.rglob("*/__init__.py")]
    tests = [test for room in rooms for test in (PACKAGE.parent / "tests" / room).glob("test_*.py")]
    assert len(tests) > 100
    for test in tests:
        room = PACKAGE / test.parent.relative_to(PACKAGE.parent / "tests")
        words = test.stem.split("_")[1:]
        # A long one has several files: test_pose_maps.py and test_pose_maps_depths.py.
        names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
        assert any((room / f"{name}.py").exists() or (room / name).is_dir() for name in names), test
