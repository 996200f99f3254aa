#!/bin/sh
# What this repository requires of every commit: run by the service on each commit of `auto`.
set -eu
failed=0
complain() { echo "FAILED: $*"; failed=1; }

services() { sed -n 's/^  "\([^"]*\)": .*/\1/p' "$1"; }

for wave in images/*/; do
  [ -d "$wave" ] || continue
  tags=$wave/tags.json digests=$wave/digests.json
  [ "$(services "$tags")" = "$(services "$digests")" ] || complain "$wave: tags and digests name other services"
  for service in $(services "$digests"); do
    [ -f "services/$service/deployment.yaml" ] || complain "$wave: there is no service $service"
  done
  while read -r digest reason; do
    grep -q "$digest" "$digests" && complain "$wave: $(grep "$digest" "$digests" | cut -d'"' -f2) is denied: $reason"
  done < checks/denied.txt
done
[ $failed = 0 ] && echo "all images are known and allowed"
exit $failed
