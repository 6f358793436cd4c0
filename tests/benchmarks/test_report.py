import json

from benchmarks.report import option_parser, publish, table


def test_table_is_aligned_markdown():
    text = table([{"name": "a", "ms": 1234.5}, {"name": "longer", "ms": 0.12345, "count": 7}])
    assert text.splitlines() == [
        "| name   |    ms | count |",
        "|--------|------:|------:|",
        "| a      |  1234 |       |",
        "| longer | 0.123 |     7 |",
    ]


def test_publishes_what_it_prints_with_the_machines_facts(tmp_path, capsys):
    options = option_parser("forward", "Idea.").parse_args(["--preset", "tiny", "-o", str(tmp_path / "new" / "f.json")])
    publish("forward", options, [{"ms": 1.5}], {"TensorFlow, GFLOP/s": 200.0}, extra_fact=3)
    written = json.loads((tmp_path / "new" / "f.json").read_text())
    assert written["rows"] == [{"ms": 1.5}] and written["extra_fact"] == 3 and not written["quick"]
    assert written["ceiling"] == {"TensorFlow, GFLOP/s": 200.0}
    assert written["machine"]["cores"] >= 1 and written["machine"]["cpu"] and written["machine"]["tensorflow"][0] == "2"
    printed = capsys.readouterr().out
    assert "| 1.5 |" in printed and "extra fact: 3" in printed
