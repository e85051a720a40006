{{/* Names */}}
{{- define "fedround-clinic.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
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
app.kubernetes.io/instance: {{ .root.Release.Name }}
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
  - name: {{ . }}
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

{{/* Python writes nothing but what is temporary. */}}
{{- define "fedround-clinic.scratch" -}}
- name: HOME
  value: /tmp
- name: TMPDIR
  value: /tmp
{{- end -}}
