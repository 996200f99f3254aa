// From the images that an application's CI announces to the two files of a wave.
function(images) {
  'tags.json': std.manifestJsonEx(std.mapWithKey(function(_, image) image.Tag, images), '  '),
  'digests.json': std.manifestJsonEx(std.mapWithKey(function(_, image) image.Digest, images), '  '),
}
