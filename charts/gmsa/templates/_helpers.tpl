{{- define "gmsa.labels" -}}
app.kubernetes.io/name: gmsa-webhook
app.kubernetes.io/part-of: kube-gmsa
{{- end }}

{{- define "gmsa.metadata" -}}
name: gmsa-webhook
namespace: {{ .Release.Namespace }}
labels:
  {{- include "gmsa.labels" . | nindent 2 }}
{{- end }}

{{- define "gmsa.certificates" -}}
{{- if .Values.certificates.certManager.enabled -}}cert-manager{{- else -}}{{ .Values.certificates.source }}{{- end -}}
{{- end }}

{{- define "gmsa.image" -}}
{{- if .Values.global.systemDefaultRegistry }}{{ .Values.global.systemDefaultRegistry }}/{{ end -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Whether the API server can filter by what is in a pod. */}}
{{- define "gmsa.filters" -}}
{{- if semverCompare ">=1.28-0" .Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end }}

{{/* Which namespaces are sent. */}}
{{- define "gmsa.namespaces" -}}
{{- if .Values.namespacesOptIn }}
namespaceSelector:
  matchExpressions:
    - key: gmsa-webhook
      operator: In
      values: ["enabled"]
{{- else if not (include "gmsa.filters" .) }}
namespaceSelector:
  matchExpressions:
    - key: gmsa-webhook
      operator: NotIn
      values: ["disabled"]
{{- end }}
{{- end }}
