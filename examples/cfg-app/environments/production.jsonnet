local shop = import 'shop.libsonnet';

local images = {
  digests: import '../images/production/digests.json',
  tags: import '../images/production/tags.json',
};

shop.wave('production', ['prod-1', 'prod-2'], images, replicas=3)
