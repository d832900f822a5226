# One image for every target: docker build -t plumbline . && docker run plumbline --target=ingest
# `deploy/image/build-local.sh` builds it without a registry of images, starts it and talks to it.
ARG BASE_IMAGE=node:24.21.0-bookworm-slim

FROM ${BASE_IMAGE} AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Packages of the lock file, without those of development and without running their scripts. A registry of one's own comes
# with `--secret id=npmrc,src=...`, and stays out of the image. The base image has the Node that runs; the one among the
# packages serves working copies.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc,required=false \
    npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund \
    && npm sbom --omit=dev --package-lock-only --sbom-format=cyclonedx > sbom.cdx.json \
    && dpkg-query --show --showformat='${Package} ${Version}\n' > sbom.debian.txt \
    && rm -rf node_modules/node node_modules/.bin/node

FROM ${BASE_IMAGE}
WORKDIR /app
COPY --from=install /app ./
COPY main.ts targets.ts ./
COPY schemas schemas
COPY lib lib
COPY services services
COPY console console
COPY scripts/import.ts scripts/redrive.ts scripts/
COPY deploy/image/healthy.mjs deploy/image/healthy.mjs
# A number, so that `runAsNonRoot` can be checked. The folder's owner is taken over by a new volume.
RUN mkdir -p /data /models /sources && chown 10001:10001 /data && chmod 0700 /data
USER 10001:10001
# The flags below and the thread pool are those of `deploy/local/run.mjs`, which says why.
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=24 \
    PLUMBLINE_HTTP_HOST=0.0.0.0 \
    PLUMBLINE_DATA_DIR=/data \
    PLUMBLINE_MODELS_DIR=/models \
    PLUMBLINE_SOURCES_DIR=/sources
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["node", "deploy/image/healthy.mjs"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--external-memory-accounted-in-global-limit", "--heap-growing-percent=50", "main.ts"]
CMD ["--target=all"]
