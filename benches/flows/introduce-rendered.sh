# Introduces images by the git command line where YAML is generated: the reference flow without fetch and push.
# Arguments: directory of the worktree, images.json, application SHA.
set -eu
worktree=$1 images=$2 app_sha=$3

cd "$worktree"
git checkout --quiet --detach auto
make --silent introduce_images IMAGE_FILE="$images"
git commit --quiet --all -m "chore: update app to $app_sha"
git checkout --quiet -B auto HEAD
