# Builds and pushes one image of all binaries and from it one image a service, as the reference flow does: the branch's
# image is pulled to be the cache, tags are the full commit and the branch. Docker's part is played by buildah, which
# needs no daemon. `--timestamp 0` is what gives it the same digest twice.
# Arguments: registry's host, directory with out/ and one Dockerfile a service, commit, branch, storage directory.
set -eu
host=$1 directory=$2 sha=$3 branch=$4 storage=$5
mkdir -p "$storage"
buildah() { command buildah --storage-driver vfs --root "$storage/root" --runroot "$storage/run" "$@"; }
image() {
    buildah pull --quiet --tls-verify=false "$host/$1:$branch" >/dev/null 2>&1 || true
    buildah build --quiet --isolation chroot --layers --timestamp 0 --tls-verify=false \
        --build-arg "BIN_IMAGE=$host/app-bins:$sha" --tag "$host/$1:$sha" --file "$2" "$directory" >/dev/null
    buildah tag "$host/$1:$sha" "$host/$1:$branch"
    buildah push --quiet --tls-verify=false "$host/$1:$sha"
    buildah push --quiet --tls-verify=false "$host/$1:$branch"
}
image app-bins "$directory/Dockerfile.base"
for file in "$directory"/Dockerfile.svc-*; do
    image "${file##*/Dockerfile.}" "$file"
done
