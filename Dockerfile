# Node 20 and npm only install; what runs is the Node that package-lock.json pins, so the second stage needs neither.
FROM node:20-bookworm-slim AS install
WORKDIR /lyceum
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM debian:bookworm-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin lyceum \
 && install -d -o lyceum -g lyceum -m 0700 /data
WORKDIR /lyceum
COPY --from=install /lyceum/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY machines machines
COPY projections projections
COPY src src
USER lyceum
ENV HOST=0.0.0.0 PORT=3000 LYCEUM_DATA=/data
VOLUME /data
EXPOSE 3000
# The image has no curl: the server's own Node asks.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node_modules/.bin/node", "-e", "fetch('http://127.0.0.1:3000/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["bin/lyceum", "start"]
