# An image that starts at once: the program is built, the parts are fetched and Python
# is compiled here, for the baseline processor (x86-64-v2 on x86_64), so that the image
# runs on other machines than the one that made it. Compiling takes 2.2 GB of memory.

FROM node:20-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

FROM golang:1.26-bookworm AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/web/dist web/dist
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -o /storeroom ./server/cmd/storeroom

# Python with pip is needed to fetch the parts, and not to run them.
FROM python:3.11-slim-bookworm AS prepared
RUN useradd --uid 10001 --no-create-home storeroom \
 && install -d -o storeroom -g storeroom /var/cache/storeroom /var/lib/storeroom
COPY --from=program /storeroom /usr/local/bin/storeroom
USER storeroom
ENV STOREROOM_CACHE=/var/cache/storeroom XDG_DATA_HOME=/var/lib
RUN storeroom prepare

FROM debian:bookworm-slim
RUN useradd --uid 10001 --no-create-home storeroom \
 && install -d -o storeroom -g storeroom /var/lib/storeroom
COPY LICENSE NOTICE /usr/share/doc/storeroom/
COPY --from=program /storeroom /usr/local/bin/storeroom
COPY --from=prepared --chown=storeroom:storeroom /var/cache/storeroom /var/cache/storeroom
USER storeroom
ENV STOREROOM_CACHE=/var/cache/storeroom XDG_DATA_HOME=/var/lib
VOLUME /var/lib/storeroom
EXPOSE 7070
ENTRYPOINT ["storeroom"]
# All addresses of the container: compose publishes the port on this machine alone.
CMD ["serve", "--listen", "0.0.0.0:7070"]
