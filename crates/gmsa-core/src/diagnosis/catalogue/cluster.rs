//! The checks of the API server's objects, without a particular pod.

use super::{Check, Side, checks};

checks! { Cluster;
    CRD_PRESENT {
        id: "crd-present",
        title: "The cluster knows GMSACredentialSpec",
        cause: "The CustomResourceDefinition `gmsacredentialspecs.windows.k8s.io` is missing or not established, so there are no credential specs: every pod that names one is denied. Deploy scripts that delete it on a second run take every credential spec with it.",
        remedy: "Run `kubectl gmsa install`, or apply `deploy/crd.yaml`; then apply the credential specs again.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#install-the-gmsacredentialspec-crd",
        explains: ["crd-versions", "crd-schema", "webhook-replicas", "webhook-redundancy", "admission-answers", "credspec-present", "credspec-findings", "pod-admission", "webhook-drift"],
    }
    CRD_VERSIONS {
        id: "crd-versions",
        title: "GMSACredentialSpec is served and stored as v1",
        cause: "The definition does not serve or store `v1`. The webhook reads `windows.k8s.io/v1`; a definition from before Kubernetes 1.18 knows `v1alpha1` only.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, or apply `deploy/crd.yaml`: the objects stay, and both versions are served.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#install-the-gmsacredentialspec-crd",
        explains: ["webhook-replicas", "webhook-redundancy", "admission-answers", "credspec-findings", "webhook-drift"],
    }
    CRD_SCHEMA {
        id: "crd-schema",
        title: "The definition keeps the contents of credential specs",
        cause: "The schema of the definition lacks keys of a credential spec, and the API server drops what the schema lacks. Definitions from before Kubernetes 1.24 have no `HostAccountConfig`, some have no properties at all; helm never upgrades a definition.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, or apply `deploy/crd.yaml`. Then apply the credential specs again: what was dropped is not stored anywhere.",
        source: "https://github.com/kubernetes-sigs/windows-gmsa/pull/47",
        explains: ["credspec-findings", "pod-admission", "pod-contents", "pod-running", "pod-credential-spec", "webhook-drift"],
    }
    WEBHOOK_CONFIGURED {
        id: "webhook-configured",
        title: "The API server sends pods to the webhook",
        cause: "The mutating or the validating webhook configuration is missing. Without the first a name is never expanded to contents, without the second nothing checks whether a pod may use the identity.",
        remedy: "Run `kubectl gmsa install`.",
        source: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-gmsa/#install-webhooks-to-validate-gmsa-users",
        explains: ["webhook-rules", "webhook-exclusions", "webhook-failure-policy", "webhook-timeout", "webhook-service", "webhook-ca-bundle", "admission-answers", "pod-contents", "webhook-drift"],
    }
    WEBHOOK_RULES {
        id: "webhook-rules",
        title: "Every way to bring a GMSA in is sent to the webhook",
        cause: "The rules leave out the creation of `pods` or the update of `pods/ephemeralcontainers`. What is not sent is neither expanded nor checked: with an ephemeral container anyone who may debug a pod gets any identity.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which restores the rules; with the Go webhook add the rule for `pods/ephemeralcontainers` (docs/operations.md).",
        source: "docs/threat-model.md",
        explains: ["admission-answers", "webhook-drift"],
    }
    WEBHOOK_EXCLUSIONS {
        id: "webhook-exclusions",
        title: "No namespace that uses a GMSA is left out",
        cause: "A namespace or object selector keeps pods from the webhook, or the policies of the engine leave the namespace out. The guard and the policies refuse each pod with a GMSA in such a namespace; without the guard a name is never expanded, and contents written by hand are never checked. Controllers such as the Admissions Enforcer of AKS add selectors of their own to every configuration.",
        remedy: "Remove the label that excludes the namespace (`kubectl label namespace NAME gmsa-webhook-`), or add the one that includes it (`gmsa-webhook=enabled`).",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-namespaceselector",
        explains: ["admission-answers", "pod-contents", "webhook-drift"],
    }
    WEBHOOK_FAILURE_POLICY {
        id: "webhook-failure-policy",
        title: "Pods that cannot be checked are refused",
        cause: "The validating webhook's `failurePolicy` is `Ignore`. Anyone who can make the webhook slow gets any identity.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which sets `Fail` again.",
        source: "docs/threat-model.md",
        explains: ["webhook-drift"],
    }
    WEBHOOK_TIMEOUT {
        id: "webhook-timeout",
        title: "The webhook has a reasonable time to answer",
        cause: "`timeoutSeconds` is so short that a slow network denies pods, or so long that an outage delays every creation.",
        remedy: "Set it to 5 seconds: `kubectl gmsa install --timeout-seconds=5 --force-conflicts`.",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts",
        explains: ["admission-answers", "webhook-drift"],
    }
    GUARD_WHOLE {
        id: "guard-whole",
        title: "The guard refuses pods that bypass the webhook",
        cause: "The admission policy `gmsa-webhook-guard` or its binding is missing, or was changed so that it leaves pods out. While the webhook is away, bypassed or narrowed, nothing then asks whether a pod may use an identity.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which restores the policy and its binding.",
        source: "docs/guard.md",
        explains: ["webhook-drift"],
    }
    ENGINE_WHOLE {
        id: "engine-whole",
        title: "The policies of the engine refuse and expand every pod",
        cause: "With `--engine=policy` API servers decide on pods by admission policies. One of them or its binding is missing, or was changed so that it leaves pods out: these are not expanded, or take an identity unchecked. A warning means that the webhook's configurations are still there, as after a switch that was interrupted.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which restores the policies and their bindings, and ends a switch.",
        source: "docs/engine.md",
        explains: ["admission-answers", "webhook-drift"],
    }
    ENGINE_INDEX {
        id: "engine-index",
        title: "The index is what the credential specs are",
        cause: "The policies read credential specs from one object, the index, which the server's replicas keep. It is missing, behind or changed by others, or some credential specs do not fit into it: pods that name these are refused, or get contents from before a change.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which restores the definition, the rights and the server that keeps the index; its log says why it could not. What does not fit: delete credential specs that no pod uses (`kubectl gmsa audit` names them), or run `kubectl gmsa install --engine=webhook`.",
        source: "docs/engine.md",
        explains: ["admission-answers"],
    }
    ENGINE_STATIC {
        id: "engine-static",
        title: "The policies have the current credential specs in them",
        cause: "With `--engine=policy --static` the policies have the credential specs as text, and nothing of ours runs in the cluster. A credential spec was made, changed or deleted since: pods that name it are refused, or get contents from before the change. What comes from files is only compared with what the cluster has, too.",
        remedy: "Run `kubectl gmsa install --engine=policy --static`, with `-f` and the files if the credential specs come from files; after each change once more. Where they change often, let a server keep them: `kubectl gmsa install --engine=policy`.",
        source: "docs/engine.md",
        explains: [],
    }
    OLD_WEBHOOK {
        id: "old-webhook",
        title: "No other GMSA webhook is left behind",
        cause: "Another GMSA webhook is installed beside this one. While its pods run, both check each pod; once they are gone, its configurations refuse every pod.",
        remedy: "Run `kubectl gmsa install --adopt`, which takes over from it; or delete the named objects, configurations first. Keep the CustomResourceDefinition: deleting it deletes every credential spec.",
        source: "docs/operations.md",
        explains: ["admission-answers"],
    }
    WEBHOOK_RIGHTS {
        id: "webhook-rights",
        title: "The webhook's service account may do its work",
        cause: "A role or binding of the webhook's service account is missing or was changed. Without `get` on credential specs or `create` on access reviews every pod that uses a GMSA is denied; without the rest it reads live, or cannot renew its certificate.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which restores roles and bindings.",
        source: "docs/threat-model.md",
        explains: ["webhook-replicas", "webhook-redundancy", "webhook-endpoints", "webhook-certificate", "webhook-ca-bundle", "admission-answers", "webhook-drift", "webhook-sync", "webhook-denials"],
    }
    WEBHOOK_TOKEN {
        id: "webhook-token",
        title: "The API server accepts the webhook's tokens",
        cause: "The webhook's service account was deleted, or was made again after the pods. A token is bound to the account for which it was issued, so each request of these pods is answered with 401, and every pod that uses a GMSA is denied. A pod's token is renewed within an hour.",
        remedy: "Restart the pods: `kubectl rollout restart deployment/gmsa-webhook -n gmsa-webhook`. Where the account does not exist, run `kubectl gmsa install`, which makes it and restarts the pods.",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens",
        explains: ["webhook-replicas", "webhook-redundancy", "webhook-endpoints", "webhook-certificate", "webhook-ca-bundle", "admission-answers", "webhook-rollout", "webhook-sync", "webhook-denials"],
    }
    WEBHOOK_REPLICAS {
        id: "webhook-replicas",
        title: "A replica of the webhook runs",
        cause: "No pod of the webhook's Deployment is available: the image cannot be pulled, the pods are not scheduled, or they do not become ready.",
        remedy: "See why: `kubectl describe pods -n gmsa-webhook` and `kubectl logs -n gmsa-webhook deployment/gmsa-webhook`.",
        source: "docs/runbooks.md",
        explains: ["webhook-redundancy", "webhook-endpoints", "webhook-certificate", "webhook-ca-bundle", "admission-answers", "webhook-rollout", "webhook-restarts"],
    }
    WEBHOOK_ROLLOUT {
        id: "webhook-rollout",
        title: "The webhook's pods are those of the last change",
        cause: "The last change of the Deployment has not reached all replicas: new pods do not start, so old ones still answer.",
        remedy: "See why the new pods do not start: `kubectl get pods -n gmsa-webhook`; `kubectl rollout status deployment/gmsa-webhook -n gmsa-webhook` follows the rollout. `kubectl rollout undo deployment/gmsa-webhook -n gmsa-webhook` goes back to what ran before.",
        source: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment",
        explains: ["webhook-redundancy", "webhook-versions"],
    }
    WEBHOOK_RESTARTS {
        id: "webhook-restarts",
        title: "The webhook's containers do not crash",
        cause: "A container of the webhook was killed or ended with an error in the last hour. `OOMKilled` means that it reached its memory limit.",
        remedy: "Read the log of the container that ended: `kubectl logs -n gmsa-webhook POD --previous`. After `OOMKilled`, raise the limit: `kubectl gmsa install --memory-limit=256Mi`.",
        source: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",
        explains: [],
    }
    WEBHOOK_REDUNDANCY {
        id: "webhook-redundancy",
        title: "The webhook survives the loss of a replica",
        cause: "Only one replica is wanted, or fewer are available than wanted. When the last one ends, no pod that uses a GMSA starts.",
        remedy: "Run at least two: `kubectl gmsa install --replicas=2`, and see why pods do not run: `kubectl get pods -n gmsa-webhook`.",
        source: "docs/operations.md",
        explains: ["webhook-drift"],
    }
    WEBHOOK_SERVICE {
        id: "webhook-service",
        title: "The webhook's Service is there",
        cause: "The Service that the webhook configurations name is missing, or does not have the port that they name.",
        remedy: "Run `kubectl gmsa install`. If the Service is there without the port, delete it first: `kubectl delete service NAME -n NAMESPACE`.",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference",
        explains: ["webhook-endpoints", "admission-answers", "webhook-drift"],
    }
    WEBHOOK_ENDPOINTS {
        id: "webhook-endpoints",
        title: "The webhook's Service has ready pods",
        cause: "The Service has no ready address: its selector matches no pod, or no pod is ready.",
        remedy: "Compare the Service's selector with the pods' labels: `kubectl get service,pods -n gmsa-webhook --show-labels -o wide`. `kubectl gmsa install --force-conflicts` restores the selector.",
        source: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
        explains: ["admission-answers"],
    }
    CLOCK_SKEW {
        id: "clock-skew",
        title: "Clocks agree",
        cause: "The clocks of the API server, a node or this machine differ. Kerberos refuses tickets when a clock is more than 5 minutes from the domain controller's, and certificates seem expired or not yet valid.",
        remedy: "Let all machines take their time from the domain, or from the source that the domain controllers use (`w32tm /query /status` on Windows nodes).",
        source: "https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/maximum-tolerance-for-computer-clock-synchronization",
        explains: ["pod-secure-channel", "pod-ticket"],
    }
    WEBHOOK_CERTIFICATE {
        id: "webhook-certificate",
        title: "The webhook's certificate is valid",
        cause: "The serving certificate has expired, is not valid yet, is about to expire, does not have the Service's name, or is not there.",
        remedy: "See the log of a replica for why it was not renewed: `kubectl logs -n gmsa-webhook deployment/gmsa-webhook`; with cert-manager `kubectl describe certificate -n gmsa-webhook`. Where the certificate comes from elsewhere, put a new one into the Secret.",
        source: "docs/operations.md",
        explains: ["admission-answers"],
    }
    WEBHOOK_CA_BUNDLE {
        id: "webhook-ca-bundle",
        title: "The API server trusts the webhook's certificate",
        cause: "The `caBundle` of a webhook configuration is empty, or contains no certificate that signed the serving certificate.",
        remedy: "A running replica writes it within seconds: see its log if it does not. With certificates from elsewhere, run `kubectl gmsa upgrade`, which writes the CA of the Secret or of `--ca-bundle` into it.",
        source: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook",
        explains: ["admission-answers"],
    }
    WEBHOOK_OUTAGE {
        id: "webhook-outage",
        title: "What stops while the webhook does not answer",
        cause: "Pods that cannot be checked are refused. API servers before 1.28 cannot recognize pods that use a GMSA before they call the webhook.",
        remedy: "Limit it to the namespaces that need it: `kubectl gmsa install --namespaces-opt-in`, and label them `gmsa-webhook=enabled`.",
        source: "docs/threat-model.md",
        explains: [],
    }
    WEBHOOK_METRICS {
        id: "webhook-metrics",
        title: "The replicas report their metrics",
        cause: "The metrics of a replica could not be read through the API server. It needs the right to get `pods/proxy` in the webhook's namespace, and a network path from the API server to port 9443 of the pods.",
        remedy: "Grant the right with `kubectl create role gmsa-webhook-metrics -n gmsa-webhook --verb=get --resource=pods/proxy` and `kubectl create rolebinding gmsa-webhook-metrics -n gmsa-webhook --role=gmsa-webhook-metrics --user=USER`, or open the port. The webhook itself does not need it.",
        source: "docs/operations.md",
        explains: [],
    }
    WEBHOOK_VERSIONS {
        id: "webhook-versions",
        title: "All replicas run one version",
        cause: "Replicas of different versions answer: a rollout is in progress, or stuck.",
        remedy: "Run `kubectl rollout status deployment/gmsa-webhook -n gmsa-webhook`.",
        source: "docs/operations.md",
        explains: [],
    }
    WEBHOOK_SYNC {
        id: "webhook-sync",
        title: "The replicas know the current credential specs",
        cause: "A replica may not watch credential specs, or has not heard from the API server for more than a minute. It then reads each credential spec live, which is slower, or fails if the API server does not answer.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which grants the right; else read the log of the replica: `kubectl logs -n gmsa-webhook POD`.",
        source: "docs/runbooks.md",
        explains: ["webhook-denials"],
    }
    WEBHOOK_DENIALS {
        id: "webhook-denials",
        title: "The replicas can decide",
        cause: "Pods were denied with 429, 500 or 504 because the webhook could not decide.",
        remedy: "Read the log of the replicas, and GmsaWebhookCannotDecide in docs/runbooks.md.",
        source: "docs/runbooks.md",
        explains: [],
    }
    ADMISSION_ANSWERS {
        id: "admission-answers",
        title: "Admission answers, end to end",
        cause: "A pod that must be denied was created as a dry run, and the webhook's denial did not come back.",
        remedy: "Look at the checks of the webhook above; if all are ok, restore its configurations: `kubectl gmsa install --force-conflicts`. If it still does not answer, the API server cannot reach the pods' port: see `kubectl gmsa install --host-network --port 10443`; behind a proxy put `.svc` and the Service network into the API server's `NO_PROXY`.",
        source: "docs/runbooks.md",
        explains: ["webhook-drift", "pod-created"],
    }
    WEBHOOK_DRIFT {
        id: "webhook-drift",
        title: "The installation is as install makes it",
        cause: "An object of the installation was changed or deleted, or was made by another version.",
        remedy: "See the differences with `kubectl gmsa install --force-conflicts --dry-run=server`; `kubectl gmsa install --force-conflicts` removes them.",
        source: "docs/operations.md",
        explains: [],
    }
    CREDSPEC_PRESENT {
        id: "credspec-present",
        title: "There are credential specs",
        cause: "The cluster has no credential spec, so no pod can have a GMSA.",
        remedy: "Make one: `kubectl gmsa credspec create`.",
        source: "docs/credspec.md",
        explains: ["pod-admission"],
    }
    CREDSPEC_FINDINGS {
        id: "credspec-findings",
        title: "The credential specs are sound",
        cause: "A credential spec has values that Windows or the directory cannot use; the codes are in docs/findings.md.",
        remedy: "Run `kubectl gmsa credspec lint NAME`, and fix what it shows.",
        source: "docs/findings.md",
        explains: ["pod-running", "pod-credential-spec", "pod-secure-channel", "pod-ticket"],
    }
    DNS_FORWARDING {
        id: "dns-forwarding",
        title: "CoreDNS forwards the domains of the credential specs",
        cause: "CoreDNS has no server block that forwards the domain to its DNS servers. Unless the servers that CoreDNS asks otherwise know the domain, pods find no domain controller.",
        remedy: "Add the stanza that is shown, with the addresses of the domain's DNS servers, to the ConfigMap of CoreDNS.",
        source: "https://coredns.io/plugins/forward/",
        explains: ["pod-dns", "pod-srv"],
    }
    NODE_PRESENT {
        id: "node-present",
        title: "A Windows node is ready",
        cause: "The cluster has no Windows node, or none that is ready, so no pod with a GMSA can run.",
        remedy: "Add a Windows node, or see why it is not ready: `kubectl describe node NAME`.",
        source: "https://kubernetes.io/docs/concepts/windows/intro/",
        explains: ["pod-scheduled", "pod-node"],
    }
    NODE_BUILD {
        id: "node-build",
        title: "The nodes' Windows builds can do GMSA",
        cause: "A Windows node runs a build with a known limit for GMSA; docs/limits.md has the list.",
        remedy: "Update Windows on the node, or move the pods to a newer one.",
        source: "docs/limits.md",
        explains: [],
    }
    NODE_LIFECYCLE {
        id: "node-lifecycle",
        title: "The nodes' releases of Windows get updates",
        cause: "A Windows node runs a release that no longer gets updates from Microsoft, or not for long. Vendors of clusters may end it earlier: AKS ended Windows Server 2019 on 2026-03-01 and the Annual Channel (23H2) on 2026-05-15, and has announced the end of Windows Server 2022 for 2027-03-15.",
        remedy: "Move the workloads to a node pool with a newer release, and their images to its tag: `ltsc2022` or `ltsc2025`.",
        source: "docs/limits.md",
        explains: [],
    }
    NODE_RUNTIME {
        id: "node-runtime",
        title: "The nodes' container runtimes can do GMSA",
        cause: "A Windows node runs a container runtime with a known limit for GMSA; docs/limits.md has the list.",
        remedy: "Use a supported containerd on the node.",
        source: "docs/limits.md",
        explains: [],
    }
}
