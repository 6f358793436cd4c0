"""The manifests of `serving/kubernetes/` follow Kubernetes' schemas and agree with the other files of `serving/`."""

import copy
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

validator = pytest.importorskip(
    "kubernetes_validate", reason="needs kubernetes-validate: pip install -r requirements-dev.txt"
)

ROOT = Path(__file__).parents[3]
SERVING = ROOT / "serving"
# The oldest version whose fields the manifests use, and the newest that the package knows.
VERSIONS = ("1.27", validator.latest_version())
# The deployment's own flag, and those of compose.yaml that start.sh lacks.
OWN, OF_CONTAINERS = {"grpc_channel_arguments"}, {"model_config_file_poll_wait_seconds", "grpc_max_threads"}
QUEUE = ":tensorflow:serving:batching_session:queuing_latency_sum"


def read(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


MANIFESTS = [
    pytest.param(document, id=f"{document['kind']}-{document['metadata']['name']}")
    for path in sorted((SERVING / "kubernetes").glob("*.yaml"))
    for document in read(path)
]
DOCUMENTS = [manifest.values[0] for manifest in MANIFESTS]


def of_kind(kind):
    return [document for document in DOCUMENTS if document["kind"] == kind]


@pytest.fixture
def deployment():
    (found,) = of_kind("Deployment")
    return copy.deepcopy(found)


@pytest.fixture
def pod(deployment):
    return deployment["spec"]["template"]


@pytest.fixture
def container(pod):
    (found,) = pod["spec"]["containers"]
    return found


@pytest.fixture
def kustomization():
    (found,) = read(SERVING / "kustomization.yaml")
    return found


def flags(words):
    """Name and value of each flag; the folder of the configuration is left out."""
    found = (re.fullmatch(r'--(\w+)="?(.*?)"?', word) for word in words)
    return {match[1]: re.sub(r"^(/config|\$here)/", "", match[2]) for match in found if match}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_manifests_follow_the_schemas(manifest, version):
    validator.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("place", "value"), [(("replicaCount",), 2), (("template", "spec", "terminationGrace"), 3), (("replicas",), "two")]
)
def test_wrong_manifests_are_rejected(deployment, place, value):
    inner = deployment["spec"]
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(validator.ValidationError, match=str(value) if value == "two" else place[-1]):
        validator.validate(deployment, VERSIONS[-1], strict=True)


def test_flags_and_image_are_those_of_compose(container):
    (service,) = yaml.safe_load((SERVING / "compose.yaml").read_text())["services"].values()
    assert container["image"] == service["image"]
    assert container["command"] == service["entrypoint"]
    ours = flags(container["args"])
    assert {name: value for name, value in ours.items() if name not in OWN} == flags(service["command"])
    assert set(ours) >= OWN
    assert {entry["name"]: entry["value"] for entry in container["env"]} == service["environment"]


def test_flags_are_those_of_the_script(container):
    script = (SERVING / "start.sh").read_text().replace("$config", "$here/models.config")
    theirs = flags(re.findall(r"--\S+", script.partition('"$server" --port')[2]))
    ours = flags([*container["command"], *container["args"]])
    ports = {
        re.search(r"\$\{(\w+)_PORT:-(\d+)\}", line).groups() for line in re.findall(r"\$\{\w+_PORT:-\d+\}", script)
    }
    assert ports == {("GRPC", ours.pop("port")), ("REST", ours.pop("rest_api_port"))}
    theirs = {name: value for name, value in theirs.items() if not name.endswith("port")}
    assert {name: value for name, value in ours.items() if name not in OWN | OF_CONTAINERS} == theirs


def test_ports_agree(container, pod):
    numbers = {port["name"]: port["containerPort"] for port in container["ports"]}
    served = flags(container["command"])
    assert numbers == {"grpc": int(served["port"]), "rest": int(served["rest_api_port"])}
    for service in of_kind("Service"):
        for port in service["spec"]["ports"]:
            assert port["port"] == numbers[port["targetPort"]] and port["name"] == port["targetPort"]
    notes = pod["metadata"]["annotations"]
    assert notes["prometheus.io/port"] == str(numbers["rest"])
    assert f'path: "{notes["prometheus.io/path"]}"' in (SERVING / "monitoring.config").read_text()


def test_probes_ask_for_the_served_model(container):
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((SERVING / "models.config").read_text(), config)
    (model,) = config.model_config_list.config
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {get["port"] for get in asked.values()} == {"rest"}
    # The status is 200 in every state; the metadata need a version that is available.
    available = f"/v1/models/{model.name}/metadata"
    assert asked["startup"]["path"] == asked["readiness"]["path"] == available
    assert asked["liveness"]["path"] == f"/v1/models/{model.name}"
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert model.base_path == f"{mounts['models']}/{model.name}"


def test_configuration_comes_from_the_files_of_this_folder(container, pod, kustomization):
    (generated,) = kustomization["configMapGenerator"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(volumes) == set(mounts) and mounts["config"] == "/config"
    assert volumes["config"]["configMap"]["name"] == generated["name"]
    used = [word.rpartition("/config/")[2] for word in container["args"] if "/config/" in word]
    assert sorted(used) == sorted(generated["files"])
    assert all((SERVING / name).is_file() for name in [*used, *kustomization["resources"]])
    (claim,) = of_kind("PersistentVolumeClaim")
    assert volumes["models"]["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"], "readOnly": True}
    assert claim["spec"]["accessModes"] == ["ReadOnlyMany"]
    listed = {path.name for path in (SERVING / "kubernetes").glob("*.yaml")} - {"prometheus_adapter.yaml"}
    assert {Path(name).name for name in kustomization["resources"]} == listed


def test_selectors_match_the_pod(deployment, pod):
    labels = pod["metadata"]["labels"].items()
    (budget,), (scaler,) = of_kind("PodDisruptionBudget"), of_kind("HorizontalPodAutoscaler")
    chosen = [owner["spec"]["selector"]["matchLabels"] for owner in (deployment, budget)]
    chosen += [service["spec"]["selector"] for service in of_kind("Service")]
    chosen += [entry["labelSelector"]["matchLabels"] for entry in pod["spec"]["topologySpreadConstraints"]]
    assert all(selector and selector.items() <= labels for selector in chosen)
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]


def test_the_autoscaler_asks_for_the_metric_of_the_adapter():
    (scaler,), (adapter,) = of_kind("HorizontalPodAutoscaler"), of_kind("ConfigMap")
    (rule,) = yaml.safe_load(adapter["data"]["config.yaml"])["rules"]
    names = [entry["pods"]["metric"]["name"] for entry in scaler["spec"]["metrics"] if entry["type"] == "Pods"]
    assert names == [rule["name"]["as"]]
    assert f'__name__="{QUEUE}"' in rule["seriesQuery"] and rule["metricsQuery"].endswith("/ 1e6")


def test_pods_are_not_privileged_and_outlive_running_requests(container, pod):
    assert pod["spec"]["securityContext"]["runAsNonRoot"] and pod["spec"]["securityContext"]["runAsUser"] > 0
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    waited = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = int(re.search(r"age_grace_ms=(\d+)", flags(container["args"])["grpc_channel_arguments"])[1]) / 1000
    # The longest deadline that the README advises.
    deadline = int(re.search(r"\| deadline \|.*?(\d+) s for parts", (SERVING / "README.md").read_text())[1])
    assert deadline <= min(waited, grace) and waited < pod["spec"]["terminationGracePeriodSeconds"]


def test_the_sizing_sheet_follows_from_the_measurements():
    page, measured = (SERVING / "README.md").read_text(), (ROOT / "benchmarks" / "README.md").read_text()
    section = page.partition("### Replicas")[2].partition("\n#")[0]
    rate = float(re.search(r"^\| 8 \| ([\d.]+) \| 331 \|", measured, re.MULTILINE)[1])
    small, large = (int(re.search(rf"to (\d+) (?:ms )?for {size}", page)[1]) for size in ("540 x 630", "2 million"))
    rates = [0.8 * rate, 0.8 * 1000 / small, 0.8 * 1000 / large]
    rows = [list(map(int, re.findall(r"\d+", line))) for line in section.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 4
    for wanted, *replicas in rows:
        assert replicas == [math.ceil(wanted / rate) for rate in rates]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
def test_kustomize_builds_valid_manifests():
    done = subprocess.run(["kubectl", "kustomize", SERVING], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(DOCUMENTS)  # The generated ConfigMap is there, the adapter's is not.
    for document in built:
        validator.validate(document, VERSIONS[-1], strict=True)
    (config,) = [document for document in built if document["kind"] == "ConfigMap"]
    assert config["data"] == {name: (SERVING / name).read_text() for name in config["data"]}
