# Builds and pushes one image of all binaries and from it one image a service, as the reference flow does: the branch's
# image is pulled to be the cache, tags are the full commit and the branch.
# Arguments: registry's host, directory with out/ and one Dockerfile a service, commit, branch, address of the daemon.
set -eu
host=$1 directory=$2 sha=$3 branch=$4
export DOCKER_HOST=$5 DOCKER_BUILDKIT=0
image() {
    docker pull --quiet "$host/$1:$branch" >/dev/null 2>&1 || true
    docker build --quiet --cache-from "$host/$1:$branch" --build-arg "BIN_IMAGE=$host/app-bins:$sha" \
        --tag "$host/$1:$sha" --file "$2" "$directory" >/dev/null
    docker tag "$host/$1:$sha" "$host/$1:$branch"
    docker push --quiet "$host/$1:$sha" >/dev/null
    docker push --quiet "$host/$1:$branch" >/dev/null
}
image app-bins "$directory/Dockerfile.base"
for file in "$directory"/Dockerfile.svc-*; do
    image "${file##*/Dockerfile.}" "$file"
done
