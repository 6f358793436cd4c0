import subprocess

import pytest

from tf_unseen_pose import shipped
from tf_unseen_pose.errors import UserError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "parts" / "weights").write_bytes(b"\x01\x02\x03")
    shipped.write_sums(tmp_path)
    return tmp_path


def test_sums_are_those_of_the_common_tool(folder):
    check = subprocess.run(["sha256sum", "-c", shipped.SUMS], cwd=folder, capture_output=True, text=True)
    assert check.returncode == 0 and check.stdout.splitlines() == ["config.json: OK", "parts/weights: OK"]
    assert shipped.model_folder(folder) == folder


@pytest.mark.parametrize("spoil", ["change", "truncate", "remove"])
def test_a_file_that_is_not_what_it_was_is_named(folder, spoil):
    path = folder / "parts" / "weights"
    if spoil == "remove":
        path.unlink()
    else:
        path.write_bytes(b"\x01\x02\x04" if spoil == "change" else b"\x01\x02")
    with pytest.raises(UserError, match="parts/weights is .*(missing|damaged).*git checkout"):
        shipped.model_folder(folder)


def test_a_name_means_the_newest_version_unless_there_is_such_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "installed", tmp_path / "saved_models"))
    monkeypatch.chdir(tmp_path)
    for version in ("2", "10", "notes"):
        (tmp_path / "saved_models" / "lite" / version).mkdir(parents=True)
    assert shipped.model_folder("lite") == tmp_path / "saved_models" / "lite" / "10"
    assert shipped.model_folder("other") == shipped.Path("other")
    (tmp_path / "lite").mkdir()
    assert shipped.model_folder("lite") == shipped.Path("lite")
