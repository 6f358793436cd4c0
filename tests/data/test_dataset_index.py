import json
import tracemalloc

from tf_unseen_pose.data.dataset_index import read_index


def test_a_frame_takes_few_bytes_of_the_index(sharded, tmp_path):
    content = json.loads((sharded.path / "dataset.json").read_text())
    kept = []
    for count in (1000, 3000):
        frame = content["clips"][0]["frames"][0]
        content["clips"][0]["frames"] = [frame | {"number": 1000 + number} for number in range(count)]
        (tmp_path / "dataset.json").write_text(json.dumps(content))
        tracemalloc.start()
        index = read_index(tmp_path)
        kept.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(index.clips[0].frames) == count
    # An object with slots has some 90, its four large numbers 32 each.
    assert (kept[1] - kept[0]) / 2000 < 300
