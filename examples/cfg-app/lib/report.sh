printf '{"wave": "%s", "target": "%s", "status": "succeeded", "release": "%s"}' "$WAVE" "$TARGET" "$RELEASE" |
  curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-all-errors \
    --header @"$HEADER_FILE" --header 'Content-Type: application/json' \
    --data-binary @- "$CFGUPDATER/deployments"
