// What the release of announced images is the SHA-256 of: their canonical JSON.
function(images) std.manifestJsonMinified(images)
