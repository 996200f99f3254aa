local shop = import 'shop.libsonnet';

local images = {
  digests: import '../images/internal/digests.json',
  tags: import '../images/internal/tags.json',
  release: importstr '../images/internal/release',
};

shop.wave('internal', ['internal-1', 'internal-2'], images, replicas=2)
