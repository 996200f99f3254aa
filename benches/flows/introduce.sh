# Introduces images by the git command line in a worktree that is kept between announcements: the reference flow, with
# a fetch in front, since others push too. The image definitions come ready made; no YAML is generated.
# Arguments: directory of the worktree, tags.json, digests.json, application SHA.
set -eu
worktree=$1 tags=$2 digests=$3 app_sha=$4
short=${app_sha%"${app_sha#??????????}"}

cd "$worktree"
git fetch --quiet origin

# Align auto with stable: nothing to do, follow, or rebase.
stable=$(git rev-parse origin/master)
auto=$(git rev-parse origin/auto)
base=$auto
if [ "$stable" != "$auto" ] && ! git merge-base --is-ancestor "$stable" "$auto"; then
    if git merge-base --is-ancestor "$auto" "$stable"; then
        base=$stable
    else
        git checkout --quiet -B auto "$auto"
        git rebase --quiet "$stable" auto
        git push --quiet --force-with-lease=auto:"$auto" origin auto:auto
        base=$(git rev-parse auto)
    fi
fi

# Detached, so that nothing stays on the branch unless all of it is done.
git checkout --quiet --detach "$base"
cp "$tags" images/staging/tags.json
cp "$digests" images/staging/digests.json
git commit --quiet --all -m "chore: update app to $short

Autocommit-App-SHA: $app_sha
Autocommit-Target: staging
Autocommit-Reason: new images published
"
git checkout --quiet -B auto HEAD
git push --quiet origin auto:auto
