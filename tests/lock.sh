#!/bin/sh
# Write tests/requirements.txt anew: the newest versions, with their hashes, of all that tests, linters and fuzzers need.
# Needs uv: pip install uv
cd "$(dirname "$0")/.."
exec uv pip compile --quiet --upgrade --universal --python-version 3.10 --extra dev --extra fuzz --extra libvirt \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-build-options \
    --custom-compile-command tests/lock.sh --output-file tests/requirements.txt pyproject.toml
