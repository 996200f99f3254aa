local shop = import 'shop.libsonnet';

local images = {
  digests: import '../images/staging/digests.json',
  tags: import '../images/staging/tags.json',
  release: importstr '../images/staging/release',
};

shop.wave('staging', ['staging-1', 'staging-2'], images, replicas=1)
