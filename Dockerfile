# One image for every process of the service: web, worker, beat and one-time jobs. The command says which.
# The same commit and base give the same files, whenever and wherever they are built: packages come by their hashes,
# bytecode carries no times, and BuildKit sets file times to SOURCE_DATE_EPOCH (--output type=...,rewrite-timestamp=true).
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

FROM ${PYTHON_IMAGE} AS build
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONHASHSEED=0
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
# Wheels only: nothing is compiled here, so no compiler is needed and nothing depends on the machine that builds.
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install \
        --no-compile --only-binary :all: --require-hashes -r requirements/base.txt
COPY . .
# The root file system is read-only when this runs, so static files and bytecode are made now.
RUN DATA_DIR=/tmp/build STATIC_ROOT=/app/static /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app \
    && install -d -m 0700 -o 10001 -g 10001 /data
# By hand, because useradd writes the day into /etc/shadow. Celery takes an account without a name for root.
RUN echo 'crm:x:10001:10001::/data:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'crm:x:10001:' >>/etc/group

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    DATA_DIR=/data \
    STATIC_ROOT=/app/static \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
COPY --from=build /etc/passwd /etc/group /etc/
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
# Of the web server; workers and beat are asked by "python config/alive.py NAME", see compose.yaml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-I", "config/probe.py"]
CMD ["gunicorn", "-c", "config/gunicorn.py"]
