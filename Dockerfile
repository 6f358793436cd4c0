# Training on NVIDIA GPUs, and every other command:
#
#   docker build -t unseen-pose .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/work" -v unseen-pose:/cache unseen-pose \
#       train --data data/me --run runs/me --config configs/clip-256.yaml --init lite
#
# Of the machine it needs NVIDIA's driver and container toolkit alone. The volume keeps what is fetched once.
FROM python:3.12.12-slim-bookworm AS package
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.12.12-slim-bookworm
# What OpenCV and MediaPipe load. Debian keeps one version of each; which Debian, the image's name says.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libegl1 libgl1 libgles2 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/
# The extra brings CUDA and cuDNN.
RUN pip install --no-cache-dir -r /tmp/requirements.txt "tensorflow[and-cuda]==2.21.0"
COPY --from=package /dist /tmp/dist
# Any user may be asked for, who has no home then.
RUN pip install --no-cache-dir --no-deps /tmp/dist/*.whl \
    && mkdir --mode=1777 /cache /work
ENV XDG_CACHE_HOME=/cache KERAS_HOME=/cache/keras MPLCONFIGDIR=/cache/matplotlib
WORKDIR /work
USER 1000:1000
ENTRYPOINT ["unseen-pose"]
CMD ["--help"]
