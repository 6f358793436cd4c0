import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.serving.model_list import read_model_list


def test_several_models_are_served_from_a_file(start, folder, made_versions, rows, tmp_path):
    folder.add(2)
    path = tmp_path / "models.config"
    path.write_text(
        f"""model_config_list {{
          config {{ name: "made" base_path: "{made_versions}" model_version_policy {{ specific {{ versions: 3 }} }} }}
          config {{ name: "tiny" base_path: "{folder.path}" model_version_policy {{ all {{}} }}
                    version_labels {{ key: "stable" value: 1 }} }}
        }}"""
    )
    client, inputs = start(path=None, model_list=path).client, rows(1)
    found = [client.predict("mix", inputs, **spec) for spec in ({"model": "made"}, {}, {"label": "stable"})]
    assert [answer["version"].item() for answer in found] == [3, 2, 1]


def test_a_file_that_is_no_list_is_named(tmp_path):
    path = tmp_path / "models.config"
    with pytest.raises(UserError, match="There is no file"):
        read_model_list(path)
    for content, sentence in {
        "model_config_list { config { nam": "is not a model configuration",
        "": "holds no model_config_list",
        'model_config_list { config { name: "a" base_path: "models/a" } }': "must be an absolute path",
    }.items():
        path.write_text(content)
        with pytest.raises(UserError, match=sentence) as caught:
            read_model_list(path)
        assert "\n" not in str(caught.value)
