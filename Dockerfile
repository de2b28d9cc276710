# The target by itself: no compiler, no root, nothing that requirements/*.lock do not name.
#
#   docker build --build-arg VERSION=0.1.0 --tag target-pinterest-capi .
#   tap-shop | docker run --rm --interactive --volume "$PWD:/data" --user "$(id -u)" target-pinterest-capi --config config.json
#
# How it is run, stopped and sized: docs/operations.md.

FROM python:3.13-slim-trixie AS base

FROM base AS build
WORKDIR /src
COPY requirements ./requirements
# Every version of the lock files, checked by its digest. What follows takes from here, and from no registry: of all these only
# what the target needs gets into the image.
RUN pip download --quiet --no-cache-dir --require-hashes --no-deps --only-binary :all: \
        --requirement requirements/runtime.lock --requirement requirements/sandbox.lock --requirement requirements/postgres.lock \
        --requirement requirements/install.lock --dest /wheels
COPY pyproject.toml README.md LICENSE ./
COPY target_pinterest_capi ./target_pinterest_capi
# There is no git in here to ask for the tag. Without it the version is the fallback in pyproject.toml.
ARG VERSION
# postgres: for a ledger that several containers share. With `postgres,sandbox` it can run the sandbox and the demo as well.
ARG EXTRAS=postgres
# What is installed is the wheel made here, and /wheels has one version of each package:
# hadolint ignore=DL3013
RUN export SETUPTOOLS_SCM_PRETEND_VERSION="${VERSION}" \
    && pip wheel --quiet --no-cache-dir --no-index --find-links /wheels --no-deps --wheel-dir /dist . \
    && python -m venv --without-pip /opt/target-pinterest-capi \
    && set -- /dist/*.whl \
    && pip --python /opt/target-pinterest-capi/bin/python install --quiet --no-cache-dir --no-index --find-links /wheels \
        "$1[${EXTRAS}]"

FROM base
ARG VERSION
LABEL org.opencontainers.image.title="target-pinterest-capi" \
      org.opencontainers.image.description="Singer target that loads records of any tap into Pinterest's Conversions API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# Configuration is read from here, and dead letters, report, ledger and rotated token are written here: mount it.
RUN useradd --no-log-init --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin target \
    && install --directory --owner=target --group=target /data
COPY --from=build /opt/target-pinterest-capi /opt/target-pinterest-capi
ENV PATH="/opt/target-pinterest-capi/bin:$PATH"
WORKDIR /data
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
# No shell in between: SIGTERM reaches the target, which settles what is in flight. Give it more than shutdown_grace_seconds.
ENTRYPOINT ["target-pinterest-capi"]
