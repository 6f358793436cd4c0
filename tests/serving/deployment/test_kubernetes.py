"""The manifests of `serving/`: Kubernetes' schemas allow them, and they agree with one another and with start.sh."""

import copy
import http.server
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

validator = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate (requirements-dev.txt)")

SERVING = Path(__file__).parents[3] / "serving"
KUSTOMIZATION = yaml.safe_load((SERVING / "kustomization.yaml").read_text())
MANIFESTS = {
    f"{found['kind']}/{found['metadata']['name']}": found
    for file in KUSTOMIZATION["resources"]
    for found in yaml.safe_load_all((SERVING / file).read_text())
}
DEPLOYMENT = MANIFESTS["Deployment/unseen-pose"]
POD = DEPLOYMENT["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_schema_allows_what_stands_there_and_nothing_else(name):
    validator.validate(MANIFESTS[name], "1.34", strict=True)
    wrong = copy.deepcopy(MANIFESTS[name]) | {"specification": {}}
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, "1.34", strict=True)


def test_the_manifests_name_one_another():
    labels = POD["metadata"]["labels"]
    assert (
        DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels == MANIFESTS["Service/unseen-pose"]["spec"]["selector"]
    )
    assert MANIFESTS["PodDisruptionBudget/unseen-pose"]["spec"]["selector"]["matchLabels"] == labels
    scaled = MANIFESTS["HorizontalPodAutoscaler/unseen-pose"]["spec"]["scaleTargetRef"]
    assert f"{scaled['kind']}/{scaled['name']}" in MANIFESTS
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert all(ports[port["targetPort"]] == port["port"] for port in MANIFESTS["Service/unseen-pose"]["spec"]["ports"])
    models, config = (volume for volume in POD["spec"]["volumes"])
    assert f"PersistentVolumeClaim/{models['persistentVolumeClaim']['claimName']}" in MANIFESTS
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    assert config["configMap"]["name"] == generated["name"] and all(
        (SERVING / file).is_file() for file in generated["files"]
    )


def test_the_server_is_started_as_by_start_sh():
    script, arguments = (SERVING / "start.sh").read_text(), "\n".join(CONTAINER["args"])
    names, booleans = r"--(\w+)=", r"--(\w+=true)"
    more = {"model_config_file_poll_wait_seconds", "grpc_max_threads"}
    assert set(re.findall(names, arguments)) == set(re.findall(names, script)) | more
    assert set(re.findall(booleans, arguments)) == set(re.findall(booleans, script))
    mounted = {file for argument in CONTAINER["args"] for file in re.findall(r"=/config/(\S+)", argument)}
    assert mounted == set(KUSTOMIZATION["configMapGenerator"][0]["files"])
    compose = yaml.safe_load((SERVING / "compose.yaml").read_text())["services"]["unseen-pose"]
    assert CONTAINER["image"] == compose["image"]


@pytest.mark.parametrize(("state", "ready"), [("AVAILABLE", True), ("LOADING", False), ("END", False)])
def test_a_pod_is_ready_once_a_version_is_available(monkeypatch, state, ready):
    """The probe's own command, against the answer of TensorFlow Serving's REST API, which is 200 in any state."""
    if not shutil.which("bash"):
        pytest.skip("needs bash, as the image has it")

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/v1/models/lite"
            text = f'{{\n "model_version_status": [\n  {{\n   "version": "2",\n   "state": "{state}"\n  }}\n ]\n}}\n'
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *parts):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            word.replace("/8501", f"/{server.server_port}") for word in CONTAINER["readinessProbe"]["exec"]["command"]
        ]
        done = subprocess.run(command, timeout=30, capture_output=True)
        server.shutdown()
    assert (done.returncode == 0) == ready, done.stderr
    assert "lite" in (SERVING / "models.config").read_text()
