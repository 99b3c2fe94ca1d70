{{/* The domain of webhook names and annotations. */}}
{{- define "gmsa.domain" -}}kube-gmsa.dev{{- end }}

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
{{- $certificates := .Values.certificates | default dict -}}
{{- if ($certificates.certManager | default dict).enabled -}}cert-manager{{- else -}}{{ $certificates.source | default "self" }}{{- end -}}
{{- end }}

{{/* The port on which the server listens. */}}
{{- define "gmsa.port" -}}
{{- .Values.containerPort | default .Values.port | int -}}
{{- end }}

{{- define "gmsa.image" -}}
{{- if .Values.global.systemDefaultRegistry }}{{ .Values.global.systemDefaultRegistry }}/{{ end -}}
{{ .Values.image.repository }}{{ hasPrefix "sha256:" .Values.image.tag | ternary "@" ":" }}{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Whether the API server itself decides on pods. */}}
{{- define "gmsa.policyEngine" -}}
{{- if eq .Values.engine "policy" }}true{{ end -}}
{{- end }}

{{/* Whether the API server can filter by what is in a pod. */}}
{{- define "gmsa.filters" -}}
{{- if semverCompare ">=1.28-0" .Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end }}

{{/* What was asked for, as kubectl gmsa keeps it: status holds the cluster against it. */}}
{{- define "gmsa.options" -}}
{{- $pullSecrets := list -}}
{{- range .Values.imagePullSecrets }}{{ $pullSecrets = append $pullSecrets .name }}{{ end -}}
{{- $options := dict
  "namespace" .Release.Namespace
  "image" (include "gmsa.image" .)
  "replicas" .Values.replicaCount
  "certificates" (include "gmsa.certificates" .)
  "mutatingMayBeSkipped" (eq .Values.mutatingFailurePolicy "Ignore")
  "namespacesOptIn" .Values.namespacesOptIn
  "randomHostname" .Values.randomHostname
  "hostNetwork" .Values.hostNetwork
  "port" (include "gmsa.port" . | int)
  "timeoutSeconds" .Values.timeoutSeconds
  "imagePullSecrets" $pullSecrets
  "earlyWarnings" .Values.earlyWarnings
  "audit" .Values.audit.enabled
  "auditSchedule" .Values.audit.schedule
  "viewerRole" .Values.viewerRole
  "networkPolicy" .Values.networkPolicy.enabled
  "serviceMonitor" .Values.serviceMonitor.enabled
-}}
{{- with .Values.priorityClassName }}{{ $_ := set $options "priorityClass" . }}{{ end -}}
{{- $further := dict
  "prometheusRule" .Values.prometheusRule.enabled
  "dashboard" .Values.dashboard.enabled
  "nodeSelector" .Values.nodeSelector
  "tolerations" .Values.tolerations
  "affinity" .Values.affinity
  "skipSystemNamespaces" .Values.skipSystemNamespaces
  "namespaceRequirements" .Values.namespaceRequirements
  "metricsHttps" .Values.metrics.https
  "protect" .Values.protect
-}}
{{- if not .Values.guard }}{{ $_ := set $options "guard" false }}{{ end -}}
{{- if eq .Values.engine "policy" }}{{ $_ := set $options "engine" "policy" }}{{ end -}}
{{- $requests := .Values.resources.requests | default dict -}}
{{- $limits := .Values.resources.limits | default dict -}}
{{- $resources := dict -}}
{{- with $requests.cpu }}{{ $_ := set $resources "cpuRequest" (toString .) }}{{ end -}}
{{- with $limits.cpu }}{{ $_ := set $resources "cpuLimit" (toString .) }}{{ end -}}
{{- with $requests.memory }}{{ $_ := set $resources "memoryRequest" (toString .) }}{{ end -}}
{{- with $limits.memory }}{{ $_ := set $resources "memoryLimit" (toString .) }}{{ end -}}
{{- $_ := set $further "resources" $resources -}}
{{- $tls := dict -}}
{{- range $key, $value := .Values.tls }}{{ if $value }}{{ $_ := set $tls $key $value }}{{ end }}{{ end -}}
{{- $_ := set $further "tls" $tls -}}
{{- range $key, $value := $further }}{{ if $value }}{{ $_ := set $options $key $value }}{{ end }}{{ end -}}
{{- toJson $options -}}
{{- end }}

{{/* The annotations of a webhook configuration. The first keeps the Admissions Enforcer of AKS from
     adding to the namespace selector. */}}
{{- define "gmsa.webhookAnnotations" -}}
admissions.enforcer/disabled: "true"
{{- if eq (include "gmsa.certificates" .) "cert-manager" }}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/gmsa-webhook-ca
{{- end }}
{{- with .Values.webhookAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Which namespaces are sent. */}}
{{- define "gmsa.namespaces" -}}
{{- $own := or .Values.namespacesOptIn (not (include "gmsa.filters" .)) }}
{{- if or $own .Values.skipSystemNamespaces .Values.namespaceRequirements }}
namespaceSelector:
  matchExpressions:
    {{- if .Values.namespacesOptIn }}
    - key: gmsa-webhook
      operator: In
      values: ["enabled"]
    {{- else if $own }}
    - key: gmsa-webhook
      operator: NotIn
      values: ["disabled"]
    {{- end }}
    {{- if .Values.skipSystemNamespaces }}
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values: ["kube-system", "kube-node-lease"]
    {{- end }}
    {{- with .Values.namespaceRequirements }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- else }}
namespaceSelector: {}
{{- end }}
{{- end }}

{{/* The CA bundle of a certificate in files: as given, else that of the Secret, if it is there. */}}
{{- define "gmsa.caBundle" -}}
{{- if eq (include "gmsa.certificates" .) "files" -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace .Values.certificates.secretName -}}
{{- .Values.certificates.caBundle | default (get ($secret.data | default dict) "ca.crt") -}}
{{- end -}}
{{- end }}

{{/* An admission policy and its binding. */}}
{{- define "gmsa.policy" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ .name }}
  labels:
    {{- include "gmsa.labels" .root | nindent 4 }}
spec:
  {{- toYaml .spec | nindent 2 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "gmsa.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: ["Deny"]
  matchResources:
    matchPolicy: Equivalent
    namespaceSelector: {}
    objectSelector: {}
{{- end }}

{{/* The namespace selector of the webhooks as CEL, for the guard; empty if every namespace is sent. */}}
{{- define "gmsa.namespaceIsSent" -}}
{{- $selector := (include "gmsa.namespaces" . | fromYaml).namespaceSelector.matchExpressions | default list -}}
{{- $all := list -}}
{{- range $selector -}}
{{- $there := printf "'%s' in variables.namespaceLabels" .key -}}
{{- $values := list -}}
{{- range .values }}{{ $values = append $values (printf "'%s'" .) }}{{ end -}}
{{- $one := printf "%s && variables.namespaceLabels['%s'] in [%s]" $there .key (join ", " $values) -}}
{{- if eq .operator "In" }}{{ $all = append $all (printf "(%s)" $one) -}}
{{- else if eq .operator "NotIn" }}{{ $all = append $all (printf "(!(%s))" $one) -}}
{{- else if eq .operator "Exists" }}{{ $all = append $all (printf "(%s)" $there) -}}
{{- else }}{{ $all = append $all (printf "(!(%s))" $there) }}{{ end -}}
{{- end -}}
{{- join " && " $all -}}
{{- end }}
