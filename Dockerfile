# Spotter in an image that holds the one static binary, the certificates it needs
# to reach a broker or a database over TLS, the time zones, and nothing else.
#
# Base images are pinned by version and not by digest, which nobody could check here
# without a registry.
FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# The cache outlives the layer: the next version compiles only what has changed.
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/spotter ./cmd/spotter
# A new volume takes the owner of the folder it is mounted on.
RUN mkdir -p /out/data

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Spotter" \
      org.opencontainers.image.description="Watches every rep over MQTT and steps in before it goes wrong" \
      org.opencontainers.image.source="https://github.com/spotterhq/spotter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/zoneinfo.zip
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/spotter /usr/local/bin/spotter
COPY --from=build --chown=65532:65532 --chmod=700 /out/data /data
ENV ZONEINFO=/usr/share/zoneinfo.zip
USER 65532:65532
VOLUME /data
EXPOSE 8080 1883
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/spotter", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/spotter"]
CMD ["--help"]
