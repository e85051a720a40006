# The image of every Job, of hub and clinics. Its torch is Debian's: built for CPUs, a sixth of the size of the one on
# PyPI, which carries CUDA.
#
#   docker build --file images/training.Dockerfile --tag fedround-training .
#   buildah bud --layers --file images/training.Dockerfile --tag fedround-training .
#
# BASE is any Debian trixie; it is used for building only. Its apt sources go to APT_MIRROR where one is given, and pip
# to PIP_INDEX_URL. The secret `ca` is a file of CA certificates for an index with a certificate of its own.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS build
ARG APT_MIRROR=
# Without OpenBLAS (multi-threaded by pthreads) a product of matrices takes 20 times as long.
# Debian packages follow the security updates of their release; what PyPI gives is fixed by version and hash.
RUN { [ -z "${APT_MIRROR}" ] || find /etc/apt -name '*.list' -o -name '*.sources' | xargs sed -i -E "s|https?://[^/ ]+|${APT_MIRROR}|"; } \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get upgrade --yes \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      python3 python3-venv python3-torch libopenblas0-pthread \
 && rm -rf /var/lib/apt/lists/*

ARG PIP_INDEX_URL=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY images/build-constraints.txt images/training-constraints.txt ./
# First what Debian gives: it has to be what the constraints say. The rest, whether Debian has some of it or not, is PyPI's.
RUN --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi \
 && python3.13 -m venv tools \
 && tools/bin/pip install --no-deps --only-binary :all: --require-hashes --requirement build-constraints.txt \
 && python3.13 -m venv --without-pip --system-site-packages /opt/fedround \
 && grep -E '^(numpy|torch)==' training-constraints.txt > debian.txt \
 && grep -vE '^(numpy|torch)==' training-constraints.txt > pypi.txt \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-index --requirement debian.txt \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --only-binary :all: --require-hashes \
      --ignore-installed --requirement pypi.txt

# In a read-only root file system nothing that is missing can be compiled later: every module gets its bytecode here.
COPY images/assemble.py ./
RUN find /opt/fedround/bin ! -type d ! -name 'python*' -delete \
 && python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/fedround/lib \
 && python3.13 assemble.py /image --tree /opt/fedround --package \
      python3.13-minimal libpython3.13-minimal libpython3.13-stdlib libgcc-s1 python3-torch python3-numpy \
      python3-filelock python3-fsspec python3-mpmath python3-networkx python3-sympy

# The program is a layer of its own: a new version of it is a few megabytes to pull.
# Debian's torch works with Debian's sympy, whatever its metadata say: of torch no complaint is taken.
FROM build AS program
COPY pyproject.toml README.md LICENSE source/
COPY crds/ source/crds/
COPY operator/ source/operator/
COPY training/ source/training/
COPY local/ source/local/
COPY charts/ source/charts/
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels ./source \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --no-index wheels/*.whl \
 && ! tools/bin/pip --python /opt/fedround/bin/python check | grep -vE '^(torch|No broken) ' \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --no-index --root /program \
      --ignore-installed wheels/*.whl \
 && rm -rf /program/opt/fedround/bin \
 && python3.13 -m compileall -q -s /program -p / --invalidation-mode unchecked-hash /program

FROM scratch
COPY --from=build /image/ /
COPY --from=program /program/ /
ENV PATH=/opt/fedround/bin HOME=/tmp LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1
USER 65532:65532
WORKDIR /
# The import smoke test: as the image's user, with all that the image has.
RUN ["/opt/fedround/bin/python", "-c", "import pkgutil, fedround_api, fedround_training; [__import__(found.name) for package in (fedround_api, fedround_training) for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]"]
ARG VERSION=0.0.0
ARG REVISION=
ARG BASE
LABEL org.opencontainers.image.title="fedround-training" \
      org.opencontainers.image.description="The Jobs of a fedround round: init, fetch, train, submit, aggregate, validate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
# Say which: init, fetch, train, submit, aggregate or validate.
ENTRYPOINT ["/opt/fedround/bin/python", "-m", "fedround_training"]
