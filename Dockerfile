# poeflask in a container. Its state lies in /data; settings are the environment variables of the
# README. Behind a proxy with TLS, or on this machine alone:
#
#   docker build -t poeflask .
#   docker run -p 127.0.0.1:8080:8080 -v poeflask:/data -e POE_API_KEY=... poeflask

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/poeflask
COPY requirements.lock ./
RUN /opt/poeflask/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY setup.cfg pyproject.toml README.md LICENSE wsgi.py ./
COPY poeflask poeflask
RUN /opt/poeflask/bin/pip install --no-cache-dir --no-deps . \
 && /opt/poeflask/bin/python -m compileall -q /opt/poeflask/lib

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin poeflask \
 && install -d -o poeflask -g poeflask -m 0700 /data \
 # Where compose.yaml has its socket; 101 is the group of nginx in nginx's own image.
 && install -d -o poeflask -g 101 -m 0750 /run/poeflask
COPY --from=build /opt/poeflask /opt/poeflask
ENV PATH=/opt/poeflask/bin:$PATH \
    HOST=0.0.0.0 \
    CONFIG_DIR=/data \
    POEFLASK_SIMULATOR=off \
    POEFLASK_LOG_FORMAT=json
USER poeflask
VOLUME /data
EXPOSE 8080
# Longer than POEFLASK_DRAIN_S, or running answers are cut off: docker stop --time 90
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["poeflask", "health"]
CMD ["poeflask", "serve"]
