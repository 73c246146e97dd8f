# maestro in a container, for CI that is not GitHub's and for machines without a Rust toolchain:
#
#   docker build -t maestro . && docker run --rm -v "$PWD:/work" maestro plan
#
# The program is static and would run on nothing at all, but it asks git for everything that it knows of a repository, over ssh where the remote says so:
# hence Debian's git, and no bare image. Nobody in it is root. For a build that repeats, pin both images by the digests that you have looked at.
ARG RUST=rust:1.95-slim-bookworm
ARG BASE=debian:bookworm-slim

FROM ${RUST} AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /source
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . .
RUN version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | sed -n 1p) \
    && .ci/dist "$version" linux-image /out \
    && tar -xzf "/out/maestro-$version-linux-image.tar.gz" -C /usr/local/bin

FROM ${BASE}
# Debian's own updates are what is wanted of these.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git openssh-client && rm -rf /var/lib/apt/lists/* \
    # The repository that is mounted belongs to somebody else, whom git would not trust.
    && git config --system --add safe.directory /work \
    && useradd --uid 1001 --create-home maestro
COPY --from=build /usr/local/bin/maestro /usr/local/bin/maestro
USER 1001
WORKDIR /work
ENTRYPOINT ["maestro"]
CMD ["--help"]
