// The Kubernetes objects that the shop is made of.
{
  local kube = self,

  labels(service, target):: {
    'app.kubernetes.io/name': service,
    'app.kubernetes.io/part-of': 'shop',
    'shop.example.com/target': target,
  },

  configMap(name, labels, data):: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: name, labels: labels },
    data: data,
  },

  service(name, labels, port):: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: name, labels: labels },
    spec: { selector: labels, ports: [{ name: 'http', port: port, targetPort: 'http' }] },
  },

  // The digest decides what runs; the tag says for people which build that is.
  deployment(name, labels, image, tag, spec):: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: name, labels: labels, annotations: { 'shop.example.com/build': tag } },
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: labels },
        spec: {
          containers: [{
            name: name,
            image: image,
            args: spec.args,
            ports: [{ name: 'http', containerPort: spec.port }],
            envFrom: [{ configMapRef: { name: name } }],
            resources: { requests: { cpu: spec.cpu, memory: spec.memory }, limits: {} },
          }],
        },
      },
    },
  },

  // One file: its documents in order.
  file(documents):: '---\n' + std.join('\n---\n', [std.manifestYamlDoc(document) for document in documents]),
}
