import json
import subprocess
from pathlib import Path

import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.about import write_about
from tf_unseen_pose.known_skeletons import PERSON


def test_a_version_says_where_it_comes_from(exported, tmp_path):
    run, *_ = exported
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"within": {"count": 7, "clips": 5, "all": {"pckh": {"model": {"mean": 0.5}}}}}))
    write_about(run, report, tmp_path)
    about = json.loads((tmp_path / "assets.extra" / "about.json").read_text())
    assert about["metrics"] == {"pairs": 7, "clips": 5, "pckh": {"model": {"mean": 0.5}}}
    root = Path(__file__).parents[2]
    commit = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    assert (about["git_revision"] or "").removesuffix("-dirty") == commit
    skeleton = json.loads((tmp_path / "assets.extra" / "skeleton.json").read_text())
    assert tuple(skeleton["joints"]) == PERSON.joints and len(skeleton["limbs"]) == PERSON.limb_count


@pytest.mark.parametrize("content", [None, "{", '{"within": []}'], ids=["missing", "damaged", "other"])
def test_a_report_that_is_none_is_named(exported, tmp_path, content):
    report = tmp_path / "report.json"
    if content is not None:
        report.write_text(content)
    with pytest.raises(UserError, match="report.json.*evaluate"):
        write_about(exported[0], report, tmp_path)
