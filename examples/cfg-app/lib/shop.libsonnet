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

// Who the report job is in the cluster: nobody, since it asks nothing of Kubernetes.
local reporter = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'report' },
  automountServiceAccountToken: false,
};

// Tells cfgupdater what runs, once Argo CD has synced it and it is healthy. A job can't know the commit it belongs to, where
// YAML is committed; the release beside the images says what that commit runs.
local report(wave, target, release) = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    generateName: 'report-%s-' % target,
    annotations: {
      'argocd.argoproj.io/hook': 'PostSync',
      'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
    },
  },
  spec: {
    backoffLimit: 6,
    activeDeadlineSeconds: 900,
    ttlSecondsAfterFinished: 86400,
    template: {
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: 'report',
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 100, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{
          name: 'report',
          image: 'docker.io/curlimages/curl:8.16.0',
          command: ['sh', '-euc', importstr 'report.sh'],
          env: [
            { name: 'WAVE', value: wave },
            { name: 'TARGET', value: target },
            { name: 'RELEASE', value: release },
            { name: 'CFGUPDATER', value: 'https://cfgupdater.example.com/v1/repos/cfg-app' },
            // One line, `Authorization: Bearer …`: curl reads it from the file, so no process list shows it.
            { name: 'HEADER_FILE', value: '/token/authorization' },
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'token', mountPath: '/token', readOnly: true }],
        }],
        volumes: [{ name: 'token', secret: { secretName: 'cfgupdater-report' } }],
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
    ['%s-report.yml' % target]: kube.file([reporter, report(name, target, std.stripChars(images.release, '\n'))])
    for target in targets
  },
}
