# The image of the hub's operator, the clinic's agent and the command line.
#
#   docker build --file images/operator.Dockerfile --tag fedround-operator .
#   buildah bud --layers --file images/operator.Dockerfile --tag fedround-operator .
#
# BASE is any Debian trixie; it is used for building only. Its apt sources go to APT_MIRROR where one is given, and pip
# to PIP_INDEX_URL. The secret `ca` is a file of CA certificates for an index with a certificate of its own.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS build
ARG APT_MIRROR=
# Debian packages follow the security updates of their release; what PyPI gives is fixed by version and hash.
RUN { [ -z "${APT_MIRROR}" ] || find /etc/apt -name '*.list' -o -name '*.sources' | xargs sed -i -E "s|https?://[^/ ]+|${APT_MIRROR}|"; } \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get upgrade --yes \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*

ARG PIP_INDEX_URL=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY images/build-constraints.txt images/operator-constraints.txt ./
RUN --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi \
 && python3.13 -m venv tools \
 && tools/bin/pip install --no-deps --only-binary :all: --require-hashes --requirement build-constraints.txt \
 && python3.13 -m venv --without-pip /opt/fedround \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --only-binary :all: --require-hashes \
      --requirement operator-constraints.txt

# In a read-only root file system nothing that is missing can be compiled later: every module gets its bytecode here.
COPY images/assemble.py ./
RUN find /opt/fedround/bin ! -type d ! -name 'python*' -delete \
 && python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/fedround/lib \
 && python3.13 assemble.py /image --tree /opt/fedround --package \
      python3.13-minimal libpython3.13-minimal libpython3.13-stdlib libgcc-s1

# The program is a layer of its own: a new version of it is a few megabytes to pull.
FROM build AS program
COPY pyproject.toml README.md LICENSE source/
COPY crds/ source/crds/
COPY operator/ source/operator/
COPY training/ source/training/
COPY local/ source/local/
COPY charts/ source/charts/
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels ./source \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --no-index wheels/*.whl \
 && tools/bin/pip --python /opt/fedround/bin/python check \
 && tools/bin/pip --python /opt/fedround/bin/python install --no-deps --no-compile --no-index --root /program \
      --ignore-installed wheels/*.whl \
 && rm /program/opt/fedround/bin/kubectl-fedround \
 && python3.13 -m compileall -q -s /program -p / --invalidation-mode unchecked-hash /program

FROM scratch
COPY --from=build /image/ /
COPY --from=program /program/ /
ENV PATH=/opt/fedround/bin HOME=/tmp LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1
USER 65532:65532
WORKDIR /
# The import smoke test: as the image's user, with all that the image has. Of the command line, what a clinic needs.
RUN ["/opt/fedround/bin/python", "-c", "import pkgutil, fedround_api, fedround_cli.main, fedround_operator; [__import__(found.name) for package in (fedround_api, fedround_operator, fedround_cli) for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.') if package is not fedround_cli or found.name.startswith('fedround_cli.clinic')]"]
ARG VERSION=0.0.0
ARG REVISION=
ARG BASE
LABEL org.opencontainers.image.title="fedround-operator" \
      org.opencontainers.image.description="Operator of a fedround hub, agent of a fedround clinic, and the command line" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
# Say which: `fedround_operator.hub`, `fedround_operator.agent`, `fedround_operator.revocations`, `fedround_cli.main`.
ENTRYPOINT ["/opt/fedround/bin/python", "-m"]
CMD ["fedround_cli.main", "--help"]
