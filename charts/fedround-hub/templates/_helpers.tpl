{{/* What names begin with. That of a Service begins with a letter and has no dot; a release's may be otherwise. */}}
{{- define "fedround-hub.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- regexMatch "^[a-z]" $name | ternary $name (printf "fedround-%s" $name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels of a component: (dict "root" $ "component" "operator") */}}
{{- define "fedround-hub.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{ include "fedround-hub.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: fedround
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "fedround-hub.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* An image's reference: (dict "root" $ "image" .Values.image.operator) */}}
{{- define "fedround-hub.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "fedround-hub.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What holds for every pod of the chart: Pod Security `restricted`, as nobody in particular. */}}
{{- define "fedround-hub.podSecurity" -}}
runAsNonRoot: true
{{- range $field, $id := .Values.podSecurity }}
{{- with $id }}
{{ $field }}: {{ int64 . }}
{{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* The same for the program that makes Jobs: USER:GROUP:FSGROUP, and nothing where the cluster chooses. */}}
{{- define "fedround-hub.runAs" -}}
{{- with .Values.podSecurity.runAsUser }}{{ int64 . }}{{ end }}:
{{- with .Values.podSecurity.runAsGroup }}{{ int64 . }}{{ end }}:
{{- with .Values.podSecurity.fsGroup }}{{ int64 . }}{{ end }}
{{- end -}}

{{- define "fedround-hub.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "fedround-hub.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "fedround-hub.storeSecret" -}}
{{- .Values.store.existingSecret | default "fedround-store" -}}
{{- end -}}

{{- define "fedround-hub.storeEndpoint" -}}
{{- if .Values.store.endpoint -}}
{{ .Values.store.endpoint }}
{{- else if .Values.minio.enabled -}}
{{ include "fedround-hub.fullname" . }}-minio.{{ .Release.Namespace }}.svc:9000
{{- else -}}
{{ fail "store.endpoint: give host:port of an S3 server, or enable the trial store with minio.enabled" }}
{{- end -}}
{{- end -}}

{{- define "fedround-hub.ownStore" -}}
{{- if and .Values.minio.enabled (not .Values.store.endpoint) -}}true{{- end -}}
{{- end -}}

{{/* The port in host:port, or that of its scheme. */}}
{{- define "fedround-hub.storePort" -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" (include "fedround-hub.storeEndpoint" .)) | default (ternary "443" "80" .Values.store.https) -}}
{{- end -}}

{{/* The Host that URLs are signed for, where the store insists on its own. Clients name no port that is its scheme's. */}}
{{- define "fedround-hub.storeHost" -}}
{{- if .Values.store.ownHost }}{{ include "fedround-hub.storeEndpoint" . | trimSuffix (ternary ":443" ":80" .Values.store.https) }}{{ end -}}
{{- end -}}

{{/* Where the store is, for programs that take options from their environment. */}}
{{- define "fedround-hub.storeOptions" -}}
- name: FEDROUND_STORE_ENDPOINT
  value: {{ include "fedround-hub.storeEndpoint" . | quote }}
- name: FEDROUND_STORE_BUCKET
  value: {{ .Values.store.bucket | quote }}
- name: FEDROUND_STORE_REGION
  value: {{ .Values.store.region | quote }}
- name: FEDROUND_STORE_HTTPS
  value: {{ .Values.store.https | toString | quote }}
- name: FEDROUND_STORE_KEYS
  value: /store
{{- end -}}

{{/* Where the gateway is inside the cluster. */}}
{{- define "fedround-hub.gatewayService" -}}
{{ include "fedround-hub.fullname" . }}-gateway.{{ .Release.Namespace }}.svc:{{ .Values.gateway.service.port }}
{{- end -}}

{{/* A rule of a NetworkPolicy, to ports at CIDRs, or at any address without them: (dict "cidrs" list "ports" list) */}}
{{- define "fedround-hub.rule" -}}
ports:
  {{- range .ports }}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- with .cidrs }}
to:
  {{- range . }}
  - ipBlock: {cidr: {{ . | quote }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The rules by which names are asked for: one, or none where nobody answers them. */}}
{{- define "fedround-hub.dns" -}}
rules:
{{- with .Values.networkPolicy.dns }}
  - to: {{- toYaml . | nindent 6 }}
    ports:
      {{- range $.Values.networkPolicy.dnsPorts }}
      - {protocol: UDP, port: {{ . }}}
      - {protocol: TCP, port: {{ . }}}
      {{- end }}
{{- end }}
{{- end -}}

{{/* Python writes nothing but what is temporary. */}}
{{- define "fedround-hub.scratch" -}}
- name: HOME
  value: /tmp
- name: TMPDIR
  value: /tmp
{{- end -}}

{{- define "fedround-hub.federationCA" -}}
{{- if .Values.gateway.federationCA.existingConfigMap -}}
configMap:
  name: {{ .Values.gateway.federationCA.existingConfigMap | quote }}
  items: [{key: ca.crt, path: ca.crt}]
{{- else if .Values.gateway.federationCA.existingSecret -}}
secret:
  secretName: {{ .Values.gateway.federationCA.existingSecret | quote }}
  items: [{key: ca.crt, path: ca.crt}]
{{- else -}}
{{ fail "gateway.federationCA: name the ConfigMap (existingConfigMap) or Secret (existingSecret) that has the authority's ca.crt" }}
{{- end -}}
{{- end -}}
