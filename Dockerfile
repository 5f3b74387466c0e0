# Tapewright with Debian's Chromium, as a user without rights and with the browser's sandbox on. compose.yaml runs it.
#
# docker build -t tapewright .
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python3 -m venv /opt/tapewright
# The packages first: they change seldom, and this layer is the slow one. Setuptools is there to build, and goes again.
COPY requirements.lock requirements-image.lock ./
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements.lock >build.lock \
    && /opt/tapewright/bin/pip install --no-cache-dir --require-hashes -r requirements-image.lock -r build.lock
COPY . .
RUN /opt/tapewright/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/tapewright/bin/pip uninstall --yes setuptools pip

FROM debian:bookworm-slim
# libatomic1 is for Playwright's driver, tini for the children of a browser that died, the fonts for pages of any script.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        python3 chromium libatomic1 tini fonts-liberation fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 tapewright \
    && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin tapewright \
    && install --directory --owner=tapewright --group=tapewright --mode=0700 /data
COPY --from=build /opt/tapewright /opt/tapewright
ENV PATH=/opt/tapewright/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TAPEWRIGHT_DATA_DIR=/data \
    TAPEWRIGHT_HOST=0.0.0.0
USER tapewright
VOLUME /data
EXPOSE 8000
# Ready means that it answers and that the tape can be written to.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--"]
CMD ["tapewright", "serve"]
