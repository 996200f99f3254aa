// The shop: which services there are, and what a wave runs of them.
local kube = import 'kube.libsonnet';

local services = {
  api: { port: 8080, cpu: '200m', memory: '256Mi', args: ['--listen', ':8080'], data: { LOG_LEVEL: 'info' } },
  mailer: {
    port: 8081,
    cpu: '100m',
    memory: '64Mi',
    args: [],
    data: { GREETING: 'Grüße aus dem Laden,\n"deine" Mannschaft\n', RETRIES: '5', ENABLED: 'yes' },
  },
  search: { port: 9200, cpu: 1, memory: '2Gi', args: ['--cluster=shop', '--seeds=[]'], data: {} },
  web: {
    port: 80,
    cpu: '100m',
    memory: '128Mi',
    args: ['--upstream', 'http://api:8080'],
    data: { BANNER: '{{ .Sale }}: up to 50 % off # today', EMPTY: '' },
  },
  worker: { port: 8082, cpu: '500m', memory: '512Mi', args: ['--queue=orders'], data: { BATCH: '100' } },
};

// Tells cfgupdater what runs, after Argo CD has synced it.
local report(wave, target) = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    generateName: 'report-%s-' % target,
    annotations: {
      'argocd.argoproj.io/hook': 'PostSync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    },
  },
  spec: {
    backoffLimit: 5,
    template: {
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: 'report',
        containers: [{
          name: 'report',
          image: 'docker.io/alpine/k8s:1.31.0',
          command: ['sh', '-euc', importstr 'report.sh'],
          env: [
            { name: 'APPLICATION', value: 'shop-' + target },
            { name: 'WAVE', value: wave },
            { name: 'TARGET', value: target },
            { name: 'CFGUPDATER', value: 'https://cfgupdater.example.com/v1/repos/cfg-app' },
            { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'cfgupdater', key: 'token' } } },
          ],
        }],
      },
    },
  },
};

{
  // The files of a wave: one for each service of each target, and one for its report.
  wave(name, targets, images, replicas):: {
    ['%s-%s.yml' % [target, service]]:
      local labels = kube.labels(service, target);
      local settings = services[service] { replicas: replicas };
      kube.file([
        kube.configMap(service, labels, settings.data),
        kube.service(service, labels, settings.port),
        kube.deployment(service, labels, images.digests[service], images.tags[service], settings),
      ])
    for target in targets
    for service in std.objectFields(services)
  } + {
    ['%s-report.yml' % target]: kube.file([report(name, target)])
    for target in targets
  },
}
