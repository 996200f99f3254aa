# Introduces images as a CI job with an empty disk does: a shallow clone of auto, a commit, a push. Without history it
# can't compare auto with stable, so unlike introduce.sh it doesn't align them. The image definitions come ready made;
# no YAML is generated.
# Arguments: URL of the bare repository, directory of the worktree, tags.json, digests.json, application SHA.
set -eu
url=$1 worktree=$2 tags=$3 digests=$4 app_sha=$5
short=${app_sha%"${app_sha#??????????}"}

git clone --quiet --depth 1 --branch auto "$url" "$worktree"
cd "$worktree"
cp "$tags" images/staging/tags.json
cp "$digests" images/staging/digests.json
git commit --quiet --all -m "chore: update app to $short

Autocommit-App-SHA: $app_sha
Autocommit-Target: staging
Autocommit-Reason: new images published
"
git push --quiet origin HEAD:refs/heads/auto
