#!/bin/sh
# Starts the whole picture of compose.yaml anew, with a new token for the page. Arguments go to `docker compose`, before `up`:
# up.sh --profile look --profile push. What an earlier start has left in Kafka is deleted.
set -eu
cd "$(dirname "$0")"
docker compose "$@" down --volumes
docker compose build topics
echo "up: the token for the page at http://127.0.0.1:8081/ is:" >&2
docker compose run --rm --no-deps -T topics token new --name page --scope profile --scope audience --scope write --scope catalog >tokens
echo "whsec_$(head -c 32 /dev/urandom | base64)" >push-secret
exec docker compose "$@" up
