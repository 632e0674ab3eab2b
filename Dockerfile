# Spotter in an image that holds the one static binary, the certificates it needs
# to reach a broker or a database over TLS, the time zones, and nothing else.
FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/spotter ./cmd/spotter
# A new volume takes the owner of the folder it is mounted on.
RUN mkdir -p /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/zoneinfo.zip
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/spotter /usr/local/bin/spotter
COPY --from=build --chown=65532:65532 --chmod=700 /out/data /data
ENV ZONEINFO=/usr/share/zoneinfo.zip
USER 65532:65532
VOLUME /data
EXPOSE 8080 1883
ENTRYPOINT ["/usr/local/bin/spotter"]
CMD ["--help"]
