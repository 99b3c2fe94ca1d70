{{/* Refuses values and releases that cannot become what they ask for, and says what to do. Every
template begins with it, because helm renders them in an order of its own. */}}
{{- define "gmsa.checked" -}}
{{- $values := .Values -}}
{{- $certificates := $values.certificates | default dict -}}
{{- $certManager := $certificates.certManager | default dict -}}
{{- if contains "k8s-gmsa-webhook" ($values.image | default dict).repository }}
{{- fail (printf "image.repository is %q, the program of the windows-gmsa chart, which does not know what this chart asks of it: leave image out of your values. Where they come from the release itself, upgrade with --reset-then-reuse-values in place of --reuse-values, which also keeps the defaults of the other chart" $values.image.repository) }}
{{- end }}
{{- with $values.containerPort }}
{{- if lt (int .) 1024 }}
{{- fail (printf "containerPort is %v, which needs rights that the server does not have: leave it out (the port is %v, and the Service's stays 443), or set port to one from 1024" . $values.port) }}
{{- end }}
{{- end }}
{{- if eq (int ($values.containerPort | default $values.port)) 9443 }}
{{- fail "port (or containerPort) is 9443, where the server serves its metrics: choose another" }}
{{- end }}
{{- with $certManager.version }}
{{- if semverCompare "<1.0.0-0" (trimPrefix "v" .) }}
{{- fail (printf "certificates.certManager.version is %q: cert-manager before 1.0 has no cert-manager.io/v1; upgrade it, or leave certManager out, and the server makes its own certificates" .) }}
{{- end }}
{{- end }}
{{- if eq (include "gmsa.certificates" .) "self" }}
{{- if $certificates.caBundle }}
{{- fail "certificates.caBundle is set, but the server makes its own certificates: set certificates.source=files to go on with your own, or leave caBundle out" }}
{{- end }}
{{- if ne $certificates.secretName "gmsa-webhook-certificates" }}
{{- fail (printf "certificates.secretName is %q, but the server makes its own certificates in gmsa-webhook-certificates: set certificates.source=files to go on with the certificate in your Secret, or leave secretName out" $certificates.secretName) }}
{{- end }}
{{- end }}
{{- $tls := $values.tls | default dict -}}
{{- if and $tls.followClusterProfile (or $tls.minVersion $tls.cipherSuites $tls.curves) }}
{{- fail "tls.followClusterProfile takes the TLS settings from the cluster, and tls.minVersion, tls.cipherSuites or tls.curves sets them: leave one out" }}
{{- end }}
{{- if eq $values.engine "policy" }}
{{- if semverCompare "<1.36-0" .Capabilities.KubeVersion.Version }}
{{- fail (printf "engine is \"policy\", which needs API servers from 1.36, and this is %s: leave engine out, and the webhook decides" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if $values.randomHostname }}
{{- fail "engine is \"policy\", and policies give no random hostnames: leave randomHostname out, or engine" }}
{{- end }}
{{- if or $values.namespacesOptIn $values.skipSystemNamespaces $values.namespaceRequirements }}
{{- fail "engine is \"policy\", and namespacesOptIn, skipSystemNamespaces or namespaceRequirements leaves namespaces out, which this chart cannot write into policies: leave them out, or install with kubectl gmsa install --engine=policy" }}
{{- end }}
{{- end }}
{{- $budget := $values.podDisruptionBudget | default dict -}}
{{- if and (kindIs "invalid" $budget.minAvailable | not) (kindIs "invalid" $budget.maxUnavailable | not) }}
{{- fail "podDisruptionBudget.minAvailable and maxUnavailable are both set, and Kubernetes takes one of them: leave one out" }}
{{- end }}
{{- include "gmsa.takeover" . }}
{{- end }}

{{/* What an upgrade of a release of the windows-gmsa chart would break. */}}
{{- define "gmsa.takeover" -}}
{{- $release := .Release -}}
{{- $live := lookup "apps/v1" "Deployment" $release.Namespace "gmsa-webhook" -}}
{{- with $live }}
{{- $selector := .spec.selector.matchLabels | default dict -}}
{{- if ne (get $selector "app.kubernetes.io/name") "gmsa-webhook" }}
{{- fail (printf "the Deployment gmsa-webhook in %s is not this chart's: its selector is another, which Kubernetes lets nobody change. Take it away without its pods, which then go on until you delete them, and run helm again: kubectl delete deployment gmsa-webhook -n %s --cascade=orphan. For a change without any refusal use kubectl gmsa install --adopt" $release.Namespace $release.Namespace) }}
{{- end }}
{{- end }}
{{- if $release.IsUpgrade }}
{{- $made := include "gmsa.credentialSpecName" . -}}
{{- range (lookup "windows.k8s.io/v1" "GMSACredentialSpec" "" "").items }}
{{- $annotations := .metadata.annotations | default dict -}}
{{- if and (eq (get $annotations "meta.helm.sh/release-name") $release.Name) (eq (get $annotations "meta.helm.sh/release-namespace") $release.Namespace) (ne (get $annotations "helm.sh/resource-policy") "keep") (ne .metadata.name $made) }}
{{- fail (printf "helm would delete the GMSACredentialSpec %s, which is part of this release and not of these values. Tell helm to leave it, and run the upgrade again: kubectl annotate gmsacredentialspec %s helm.sh/resource-policy=keep" .metadata.name .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gmsa.credentialSpecName" -}}
{{- if (.Values.credential | default dict).enabled -}}
{{ lower .Values.credential.domainJoinConfig.machineAccountName | replace "_" "-" }}
{{- end -}}
{{- end }}
