# Prepares the worktree that introduce.sh keeps: the whole repository, as the reference flow clones it when it starts.
# Arguments: URL of the bare repository, directory of the worktree.
set -eu
url=$1 worktree=$2

git clone --quiet "$url" "$worktree"
cd "$worktree"
# `auto` starts where stable is, unless somebody made it before.
if ! git rev-parse --quiet --verify origin/auto >/dev/null; then
    git push --quiet origin HEAD:refs/heads/auto
fi
