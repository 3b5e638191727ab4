# syntax=docker/dockerfile:1
# One image for everything that runs: API, workers and jobs share all their code, so they are built, scanned, deployed and rolled back as one.
# What it runs is the argument, such as `api/main.ts`; terraform/modules/platform/run.tf has them all. Workers that a runner of Beam starts in
# containers have a target of their own, which differs in its last lines only.

# The same Node as everywhere else: `node` in package.json, which test/deploy/dockerfile.test.ts compares. A tag can be moved, so a build that
# has to be the same for ever names `node@sha256:…` instead: `docker buildx imagetools inspect node:24.21.0-bookworm-slim` tells it.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# No package needs its install scripts at run time, and the package `node` would only bring a second Node.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node node_modules/.bin/node

FROM ${NODE_IMAGE} AS program
# Only Node is needed, and nothing that could install more.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* /usr/local/bin/yarn /usr/local/bin/yarnpkg
ENV NODE_ENV=production \
    NODE_OPTIONS=--disable-warning=ExperimentalWarning
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
# What .dockerignore lets through. It belongs to root, and the users below can only read it.
COPY . .

# The same for workers of Dataflow and of other runners that start containers: `docker build --target beam-worker`. They start what is at this
# place, with arguments of their own, and expect that it becomes the worker.
FROM program AS beam-worker
RUN mkdir -p /opt/apache/beam \
 && ln -s /app/pipelines/beam/worker.sh /opt/apache/beam/boot
USER 1000:1000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM program
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
# For Docker alone: Cloud Run has probes of its own. The API and a worker listen on ports of their own; jobs, which listen to nobody, run
# with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "const { PORT = 8080, MILLRACE_HEALTH_PORT = 8081 } = process.env; Promise.any([PORT, MILLRACE_HEALTH_PORT].map(async (port) => { if (!(await fetch(`http://127.0.0.1:${port}/healthz`)).ok) throw port; })).then(() => process.exit(0), () => process.exit(1))"]
# Node is the process that gets the signals; a shell before it would keep them.
ENTRYPOINT ["node"]
CMD ["api/main.ts"]
