# The HTTP service, for the service of the same name in docker-compose.yml.
FROM python:3.13-slim

RUN useradd --create-home --uid 10001 service
WORKDIR /app
COPY requirements/service.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: --requirement service.lock
COPY . ./
# The project runs from /app; dbt writes to a temporary folder.
ENV PYTHONPATH=/app/src PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    DBT_PROFILES_DIR=/app/profiles DBT_TARGET_PATH=/tmp/target DBT_LOG_PATH=/tmp/logs
USER service
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
CMD ["python", "-m", "experiment_features.service"]
