local shop = import 'shop.libsonnet';

local images = {
  digests: import '../images/production/digests.json',
  tags: import '../images/production/tags.json',
  release: importstr '../images/production/release',
};

shop.wave('production', ['prod-1', 'prod-2'], images, replicas=3)
