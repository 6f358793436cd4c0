import socket
import urllib.request

import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.serving.prometheus import Metrics


def page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = [line for line in response.read().decode().splitlines() if not line.startswith("#")]
    return {
        name.removeprefix("unseen_pose_serving_"): float(value) for name, value in (li.rsplit(" ", 1) for li in lines)
    }


def test_the_page_counts_what_happened(start, rows, refused, folder):
    served = start(metrics_port=0)
    for count in (1, 2):
        served.client.predict("mix", rows(count))
    refused(served.client.predict, "mix", {})
    refused(served.client.predict, "made up", rows(1))
    values = page(served.server.metrics_port)
    assert values['requests_total{code="OK",method="Predict",signature="mix"}'] == 2
    assert values['requests_total{code="INVALID_ARGUMENT",method="Predict",signature="mix"}'] == 1
    # A name that a client made up is no label.
    assert values['requests_total{code="INVALID_ARGUMENT",method="Predict",signature=""}'] == 1
    assert not [name for name in values if "made up" in name]
    assert values['request_seconds_count{method="Predict",signature="mix"}'] == 3
    assert values["batch_rows_sum"] == 3 and values["batch_rows_count"] == 2
    assert values["queue_length"] == 0 and values["versions_loaded"] == 1
    assert values["received_bytes_total"] > 3 * 48 and values["sent_bytes_total"] > 3 * 48
    assert values["process_resident_memory_bytes"] > 2**20


def test_there_is_no_page_unless_it_was_asked_for(start):
    assert start().server.metrics_port == 0


def test_a_taken_port_is_the_users_to_change():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} of 127.0.0.1 is not available for metrics"):
            Metrics().serve("127.0.0.1", port)
