# As clone.sh, but only images/ is laid out, and the index holds other directories as one entry each. Not part of the
# reference flow, whose make targets regenerate YAML all over the repository: the best that git alone can do for one
# who writes image definitions and nothing else.
# Arguments: URL of the bare repository, directory of the worktree.
set -eu
url=$1 worktree=$2

git clone --quiet --no-checkout "$url" "$worktree"
cd "$worktree"
git sparse-checkout set --cone --sparse-index images
git checkout --quiet
if ! git rev-parse --quiet --verify origin/auto >/dev/null; then
    git push --quiet origin HEAD:refs/heads/auto
fi
