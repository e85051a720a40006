{{/* What names begin with. That of a Service begins with a letter and has no dot; a release's may be otherwise. */}}
{{- define "fedround-clinic.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- regexMatch "^[a-z]" $name | ternary $name (printf "fedround-%s" $name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels of a component: (dict "root" $ "component" "operator") */}}
{{- define "fedround-clinic.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{ include "fedround-clinic.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: fedround
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "fedround-clinic.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* An image's reference: (dict "root" $ "image" .Values.image.operator) */}}
{{- define "fedround-clinic.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "fedround-clinic.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What holds for every pod of the chart: Pod Security `restricted`, as nobody in particular. */}}
{{- define "fedround-clinic.podSecurity" -}}
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
{{- define "fedround-clinic.runAs" -}}
{{- with .Values.podSecurity.runAsUser }}{{ int64 . }}{{ end }}:
{{- with .Values.podSecurity.runAsGroup }}{{ int64 . }}{{ end }}:
{{- with .Values.podSecurity.fsGroup }}{{ int64 . }}{{ end }}
{{- end -}}

{{- define "fedround-clinic.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "fedround-clinic.placement" -}}
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

{{- define "fedround-clinic.membership" -}}
{{- .Values.hub.existingSecret | default (printf "%s-membership" (include "fedround-clinic.fullname" .)) -}}
{{- end -}}

{{- define "fedround-clinic.workspace" -}}
{{- .Values.workspace.existingClaim | default (printf "%s-workspace" (include "fedround-clinic.fullname" .)) -}}
{{- end -}}

{{/* A rule of a NetworkPolicy, to ports at CIDRs, or at any address without them: (dict "cidrs" list "ports" list) */}}
{{- define "fedround-clinic.rule" -}}
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
{{- define "fedround-clinic.dns" -}}
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
{{- define "fedround-clinic.scratch" -}}
- name: HOME
  value: /tmp
- name: TMPDIR
  value: /tmp
{{- end -}}
