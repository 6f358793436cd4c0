#!/bin/sh
# Starts tensorflow_model_server, where it is installed, on a folder of models, as compose.yaml does.
#
#   serving/start.sh [MODELS]     MODELS holds lite/1, lite/2, ...; by default the repository's saved_models
#
# GRPC_PORT (8500) and REST_PORT (8501) say where it listens.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
models=$(cd "${1:-$here/../saved_models}" && pwd) || { echo "There is no folder ${1:-$here/../saved_models}." >&2; exit 2; }
server=${UNSEEN_POSE_MODEL_SERVER:-tensorflow_model_server}
command -v "$server" > /dev/null || {
  echo "There is no $server: install it (Debian package tensorflow-model-server of storage.googleapis.com/tensorflow-serving-apt), use compose.yaml, or 'unseen-pose serve $models/lite'." >&2
  exit 2
}
config=$(mktemp)
trap 'rm -f "$config"' EXIT
sed "s#/models/#$models/#" "$here/models.config" > "$config"
export TF_ENABLE_ONEDNN_OPTS=${TF_ENABLE_ONEDNN_OPTS:-1}
"$server" --port="${GRPC_PORT:-8500}" --rest_api_port="${REST_PORT:-8501}" \
  --model_config_file="$config" --allow_version_labels_for_unavailable_models=true \
  --enable_batching=true --batching_parameters_file="$here/batching_parameters.txt" \
  --monitoring_config_file="$here/monitoring.config" --enable_model_warmup=true
