//! Every code with its severity, summary and remedy.

use super::Severity;

macro_rules! catalogue {
    ($($code:ident {
        id: $id:literal,
        severity: $severity:ident,
        summary: $summary:literal,
        remedy: $remedy:literal,
    })+) => {
        /// The stable code of a kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $code,)+
        }

        impl Code {
            /// All codes, those of pods first, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The name by which users and scripts know it, in kebab case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$code => $id,)+ }
            }

            /// How much findings of this code matter.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)+ }
            }

            /// What it means, in one sentence of Markdown.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$code => $summary,)+ }
            }

            /// What to do about it, in Markdown.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$code => $remedy,)+ }
            }

            /// Where it is documented: a path in the repository with an anchor.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$code => concat!("docs/findings.md#", $id),)+ }
            }

            /// The code of that name.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Self> {
                match id { $($id => Some(Self::$code),)+ _ => None }
            }
        }
    };
}

impl Code {
    /// What to do about it where the policies of the engine decide: they make no random hostnames.
    #[must_use]
    pub const fn remedy_with_policies(self) -> &'static str {
        match self {
            Self::FixedHostname => {
                "Leave `hostname` and `hostnameOverride` out. Policies make no random hostnames: where the \
                 names of pods are too long, too, run `kubectl gmsa install --engine=webhook \
                 --random-hostname`."
            }
            Self::SharedHostnamePrefix => {
                "Give a StatefulSet a shorter name. A Deployment's pods differ in their last characters, and \
                 policies make no random hostnames: run it as a StatefulSet, or let the webhook decide: \
                 `kubectl gmsa install --engine=webhook --random-hostname`."
            }
            _ => self.remedy(),
        }
    }
}

catalogue! {
    GmsaWithHostProcess {
        id: "gmsa-with-host-process",
        severity: Warning,
        summary: "A container with a GMSA is a `HostProcess` container, which runs as an account of the node and never gets the GMSA.",
        remedy: "Remove `hostProcess: true`, or remove the GMSA and give the rights to the node's account.",
    }
    NotBoundToWindows {
        id: "not-bound-to-windows",
        severity: Warning,
        summary: "Nothing binds the pod to a Windows node, so it may be scheduled on a Linux node, which ignores a GMSA.",
        remedy: "Set the node selector `kubernetes.io/os: windows`, or use a runtime class that has it. If you also set `os.name: windows`, the API server refuses fields of Linux such as `runAsUser`, `fsGroup` and `seLinuxOptions`: remove those first.",
    }
    FixedHostname {
        id: "fixed-hostname",
        severity: Warning,
        summary: "The pod sets a fixed hostname, so that all replicas are one computer to the domain controller and lose its trust after some days.",
        remedy: "Leave `hostname` and `hostnameOverride` out, and turn on the webhook's random hostnames: `kubectl gmsa install --random-hostname`.",
    }
    SharedHostnamePrefix {
        id: "shared-hostname-prefix",
        severity: Warning,
        summary: "Windows cuts hostnames at 15 characters, and all replicas of this pod have the same first 15 characters.",
        remedy: "Turn on the webhook's random hostnames: `kubectl gmsa install --random-hostname`. A shorter name helps a StatefulSet only: a Deployment's pods differ in their last characters.",
    }
    GmsaInSeveralContainers {
        id: "gmsa-in-several-containers",
        severity: Warning,
        summary: "Several containers of one pod run as the same GMSA under one hostname and can push each other out of the domain.",
        remedy: "Name the credential spec only at the container that needs it, or use a managed service account for each container.",
    }
    CredspecFindings {
        id: "credspec-findings",
        severity: Warning,
        summary: "A credential spec that the pod uses has findings of its own.",
        remedy: "Run `kubectl gmsa credspec lint NAME`, or `kubectl gmsa credspec lint -f FILE` for a manifest, and fix what it shows.",
    }
    FieldNotRead {
        id: "field-not-read",
        severity: Error,
        summary: "A field or annotation that is meant to name a credential spec is spelled or placed so that nothing reads it. The API server drops it or ignores it, and the pod runs without the identity.",
        remedy: "Move it to where the message says, spelled exactly so: `securityContext.windowsOptions.gmsaCredentialSpecName` of the pod or of a container. The annotations of Kubernetes 1.14 have no effect since 1.16: remove them.",
    }
    CredspecNotJudged {
        id: "credspec-not-judged",
        severity: Warning,
        summary: "An object names a credential spec outside any pod template that is known, so it cannot be said whether its pods would be admitted.",
        remedy: "Render it and review the result: `helm template` for a chart or a HelmRelease, `kubectl kustomize` for an overlay, `oc process` for a Template. Or let its controller make the pods in a test namespace, and run `kubectl gmsa audit`.",
    }
    FieldOfAnotherSystem {
        id: "field-of-another-system",
        severity: Error,
        summary: "The pod sets `os.name` and fields of the other operating system, which the API server refuses (Kubernetes 1.25 and newer).",
        remedy: "Remove the fields that the message names; or leave `os` out, which the node selector `kubernetes.io/os` makes up for.",
    }
    OsLabelDeprecated {
        id: "os-label-deprecated",
        severity: Info,
        summary: "The pod selects Windows nodes by the label `beta.kubernetes.io/os`, which is deprecated since Kubernetes 1.14 and is still set by kubelets.",
        remedy: "Write `kubernetes.io/os: windows`.",
    }
    UserWithoutIdentity {
        id: "user-without-identity",
        severity: Warning,
        summary: "`runAsUserName` is a user that does not have the identity of the GMSA on the network. Only `LocalSystem`, `NetworkService`, virtual accounts such as those of IIS and, in most images, the two users of containers have it.",
        remedy: "Leave `runAsUserName` out, or write `NT AUTHORITY\\NetworkService`. The GMSA itself is written in `gmsaCredentialSpecName` alone: a container is in no domain and knows none of its users.",
    }
    ImageBuildMismatch {
        id: "image-build-mismatch",
        severity: Error,
        summary: "The tag of an image is for another release of Windows than the nodes that the pod selects by `node.kubernetes.io/windows-build`, so that its container does not start.",
        remedy: "Use the tag for the node's release (`ltsc2019` for build 17763, `ltsc2022` for 20348, `ltsc2025` for 26100), or select nodes of the image's release.",
    }
    CredspecNameInvalid {
        id: "credspec-name-invalid",
        severity: Error,
        summary: "The resource's name is not a DNS-1123 subdomain, so the API server refuses the resource and every pod that names it.",
        remedy: "Use lower-case letters, digits, `-` and `.`, at most 253 characters, such as `gmsa-webapp1`.",
    }
    CredspecMissing {
        id: "credspec-missing",
        severity: Error,
        summary: "The resource has no contents, and pods that use it are denied.",
        remedy: "Write the contents under the key `credspec` at the root of the resource, not under `spec`.",
    }
    ValueTypeWrong {
        id: "value-type-wrong",
        severity: Error,
        summary: "A value has another type than the schema demands, so the API server refuses the resource.",
        remedy: "Write the value that the message asks for; where it asks for a string, put a number or a JSON object in quotes.",
    }
    UnknownKey {
        id: "unknown-key",
        severity: Warning,
        summary: "A key is not part of a credential spec; the API server drops it, and it has no effect.",
        remedy: "Correct the spelling, upper and lower case included, or move the key to where it belongs.",
    }
    KeyMissing {
        id: "key-missing",
        severity: Error,
        summary: "A key is missing without which a container cannot take on the identity of the account.",
        remedy: "Add the key; `kubectl gmsa credspec create` writes all that are needed.",
    }
    CmsPluginsIncomplete {
        id: "cms-plugins-incomplete",
        severity: Error,
        summary: "`CmsPlugins` does not contain `ActiveDirectory`, so Windows ignores the contents.",
        remedy: "Set `CmsPlugins: [ActiveDirectory]`.",
    }
    SidNotDomain {
        id: "sid-not-domain",
        severity: Error,
        summary: "`Sid` is not the SID of a domain, which has the form `S-1-5-21-a-b-c`.",
        remedy: "Write the domain's SID (`(Get-ADDomain).DomainSID`); an account's SID is the domain's SID with one more number: remove that.",
    }
    GuidInvalid {
        id: "guid-invalid",
        severity: Error,
        summary: "`Guid` is not a GUID, which is written as 8-4-4-4-12 hexadecimal digits without braces.",
        remedy: "Write the `objectGUID` of the domain: `(Get-ADDomain).ObjectGUID`.",
    }
    MachineAccountNameInvalid {
        id: "machine-account-name-invalid",
        severity: Error,
        summary: "`MachineAccountName` is not the bare name of a managed service account.",
        remedy: "Write the account's SAM name without `$` and without a domain; if it is over 15 characters long, make an account with a shorter name.",
    }
    NetbiosNameInvalid {
        id: "netbios-name-invalid",
        severity: Error,
        summary: "`NetBiosName` is not the NetBIOS name of a domain, which has at most 15 characters and no dots.",
        remedy: "Write the short name of the domain, such as `CONTOSO`: `(Get-ADDomain).NetBIOSName`.",
    }
    DnsNameInvalid {
        id: "dns-name-invalid",
        severity: Warning,
        summary: "`DnsName` or `DnsTreeName` is not the full DNS name of a domain.",
        remedy: "Write the full name, such as `contoso.com`: `(Get-ADDomain).DNSRoot` for `DnsName`, `(Get-ADDomain).Forest` for `DnsTreeName`.",
    }
    DnsNamesSwapped {
        id: "dns-names-swapped",
        severity: Warning,
        summary: "`DnsTreeName`, the root of the forest, lies below `DnsName`, the account's domain, which cannot be: the two are swapped. Microsoft's CredentialSpec.psm1 wrote them so until January 2018.",
        remedy: "Swap the two values, and write the new `DnsName` as the `Scope` of the account's entries too.",
    }
    AccountNotListed {
        id: "account-not-listed",
        severity: Error,
        summary: "The account in `MachineAccountName` is not among the `GroupManagedServiceAccounts`, so its password is never fetched.",
        remedy: "Add two entries with the account's name: one with the NetBIOS name of the domain as `Scope`, one with its DNS name.",
    }
    AccountNameInvalid {
        id: "account-name-invalid",
        severity: Warning,
        summary: "The `Name` of one of the `GroupManagedServiceAccounts` is not the bare name of an account.",
        remedy: "Write the account's SAM name without `$` and without a domain, at most 15 characters.",
    }
    ScopeMissing {
        id: "scope-missing",
        severity: Warning,
        summary: "No entry of `GroupManagedServiceAccounts` has the domain's NetBIOS name, or none has its DNS name, as `Scope`.",
        remedy: "Give each account two entries: one with `NetBiosName` as `Scope`, one with `DnsName`.",
    }
    AccountScopeIncomplete {
        id: "account-scope-incomplete",
        severity: Warning,
        summary: "An account is listed with only one of its domain's two names as `Scope`.",
        remedy: "Add a second entry with the same `Name` and the other name of the domain as `Scope`.",
    }
    HostAccountConfigMisplaced {
        id: "host-account-config-misplaced",
        severity: Error,
        summary: "`HostAccountConfig` is not in `ActiveDirectoryConfig`; the API server drops it, and hosts that are not in the domain cannot use the account.",
        remedy: "Move it into `ActiveDirectoryConfig`.",
    }
    PluginGuidInvalid {
        id: "plugin-guid-invalid",
        severity: Error,
        summary: "`PluginGUID` is not a GUID in braces, so Windows finds no plug-in by it.",
        remedy: "Write the plug-in's class identifier in braces, such as `\"{CCC2A336-D7F3-4818-A213-272B7924213E}\"` for AKS.",
    }
    PortableCcgVersionInvalid {
        id: "portable-ccg-version-invalid",
        severity: Error,
        summary: "`PortableCcgVersion` is not `\"1\"`, the only version there is.",
        remedy: "Set `PortableCcgVersion: \"1\"`, with the quotes.",
    }
    PluginInputInvalid {
        id: "plugin-input-invalid",
        severity: Warning,
        summary: "`PluginInput` does not have the format that the plug-in expects.",
        remedy: "Write it as the message shows: each plug-in has its own format.",
    }
    PluginInputPlaintextPassword {
        id: "plugin-input-plaintext-password",
        severity: Error,
        summary: "`PluginInput` seems to contain a password in plain text, which every user who may read the credential spec or a pod that uses it can see.",
        remedy: "Change that password, keep the new one in the plug-in's secret store, and write only where it is.",
    }
    DomainFactWrong {
        id: "domain-fact-wrong",
        severity: Error,
        summary: "A fact about the domain in the credential spec differs from the directory.",
        remedy: "Write the directory's values; `kubectl gmsa credspec create --from-ad` reads them all.",
    }
    AccountUnusable {
        id: "account-unusable",
        severity: Error,
        summary: "The account that the credential spec names does not exist in the directory, is disabled, or is not a group managed service account.",
        remedy: "Run `kubectl gmsa account check ACCOUNT`, which reports what is wrong with it.",
    }
    AccountRc4Only {
        id: "account-rc4-only",
        severity: Error,
        summary: "The account's encryption types are RC4 or DES alone, which domain controllers of Windows Server 2025 refuse and others end in 2026.",
        remedy: "Run `kubectl gmsa account set ACCOUNT --encryption aes256,aes128`.",
    }
    AccountEncryptionUnclear {
        id: "account-encryption-unclear",
        severity: Warning,
        summary: "The account's encryption types name AES for session keys and no encryption of tickets.",
        remedy: "Run `kubectl gmsa account set ACCOUNT --encryption aes256,aes128`.",
    }
    AccountEncryptionDefault {
        id: "account-encryption-default",
        severity: Info,
        summary: "The account's encryption types are not set, which means AES on domain controllers with the updates of April 2026 and RC4 on older ones, or still allow RC4.",
        remedy: "Run `kubectl gmsa account set ACCOUNT --encryption aes256,aes128`.",
    }
    PodWithoutRight {
        id: "pod-without-right",
        severity: Error,
        summary: "A running pod carries the contents of a credential spec that its service account may not use; admission would refuse it today.",
        remedy: "Grant the right with `kubectl gmsa grant`, or delete the pod: it keeps the identity as long as it runs.",
    }
    PodContentsWithoutName {
        id: "pod-contents-without-name",
        severity: Error,
        summary: "A running pod carries contents without the name of a credential spec, so no right to them was ever checked.",
        remedy: "Find out who made the pod, set `gmsaCredentialSpecName` in its template instead, and delete the pod.",
    }
    PodCredspecGone {
        id: "pod-credspec-gone",
        severity: Error,
        summary: "A running pod carries the contents of a credential spec that no longer exists, or that is empty.",
        remedy: "Delete the pod, or make the credential spec again if its workload still needs it.",
    }
    PodContentsDiffer {
        id: "pod-contents-differ",
        severity: Warning,
        summary: "A running pod carries other contents than the credential spec has today: pods keep what they were created with.",
        remedy: "Restart the workload, so that its pods get today's contents.",
    }
    PodNotExpanded {
        id: "pod-not-expanded",
        severity: Warning,
        summary: "A running pod names a credential spec and carries no contents, so it runs without the identity.",
        remedy: "Delete the pod while the webhook answers; its successor gets the contents.",
    }
    PodWouldBeDenied {
        id: "pod-would-be-denied",
        severity: Warning,
        summary: "A running pod would be denied today for another reason, which the message gives.",
        remedy: "Fix the pod template as docs/denials.md says, and restart the workload.",
    }
    WorkloadWouldBeDenied {
        id: "workload-would-be-denied",
        severity: Error,
        summary: "The next pod of a workload would be denied, at the next rollout, scaling or failure of a node at the latest.",
        remedy: "Follow the message for each reason; docs/denials.md explains them.",
    }
    GmsaInExcludedNamespace {
        id: "gmsa-in-excluded-namespace",
        severity: Error,
        summary: "Something uses a GMSA in a namespace that the webhook, or the policies of the engine, leave out. The guard and the policies refuse each such pod; without the guard nothing is filled in, and no right is checked.",
        remedy: "Change the namespace's labels so that it is selected: with `--namespaces-opt-in` by `kubectl label namespace NAME gmsa-webhook=enabled`, otherwise by removing the label that excludes it; or move the workload.",
    }
    GmsaNotSent {
        id: "gmsa-not-sent",
        severity: Error,
        summary: "The labels of something that uses a GMSA keep its pods from being sent to the webhook: nothing is filled in, and no right is checked.",
        remedy: "Remove the `objectSelector` from the webhook configuration; until then change the labels so that it selects the pods.",
    }
    WebhookMaySkipPods {
        id: "webhook-may-skip-pods",
        severity: Warning,
        summary: "A webhook configuration excludes pods by an `objectSelector` or by a foreign condition that was not evaluated, so that anyone who creates a pod may avoid the check; or another field manager set its `namespaceSelector`.",
        remedy: "Run `kubectl gmsa install --force-conflicts`, which removes the `objectSelector` and restores the `namespaceSelector`; remove foreign `matchConditions` by hand. Let the field manager that is named leave the configuration alone, or it edits it again.",
    }
    NamespacesExcluded {
        id: "namespaces-excluded",
        severity: Info,
        summary: "The pods of some namespaces are not sent to the webhook, so anyone who may create pods there may use any contents.",
        remedy: "Change the labels of the namespaces, unless they are meant to be left out.",
    }
    WebhookMissing {
        id: "webhook-missing",
        severity: Error,
        summary: "No validating webhook configuration sends pods to a GMSA webhook, so no right is checked anywhere.",
        remedy: "Run `kubectl gmsa install`, and check the result with `kubectl gmsa status`.",
    }
    RightUnused {
        id: "right-unused",
        severity: Info,
        summary: "A service account may use a credential spec, by name, that nothing running as it uses.",
        remedy: "Revoke the right with `kubectl gmsa revoke` if it is not needed.",
    }
    CredspecUnused {
        id: "credspec-unused",
        severity: Info,
        summary: "No pod and no workload uses the credential spec.",
        remedy: "Delete it if it is not needed, and then the account's rights in the directory.",
    }
    RoleNamesNoCredspec {
        id: "role-names-no-credspec",
        severity: Warning,
        summary: "A role allows to `use` a credential spec that is not among the objects, or whose name no resource can have.",
        remedy: "Write the name of the credential spec exactly as it is in `resourceNames`: case matters, and names are lower case. A pattern such as `web*` matches nothing: list each credential spec by its name, or leave `resourceNames` out to allow all.",
    }
    BindingWithoutRole {
        id: "binding-without-role",
        severity: Warning,
        summary: "A binding names a role that is not among the objects, so it grants nothing here.",
        remedy: "Add the role to the files, correct `roleRef`, or review against the cluster with `--cluster`.",
    }
    ServiceAccountMissing {
        id: "service-account-missing",
        severity: Error,
        summary: "The service account of the pods does not exist in the cluster, or is not among those that the files have of its namespace; the API server refuses pods whose service account does not exist.",
        remedy: "Create the service account (`kubectl create serviceaccount NAME -n NAMESPACE`) or add it to the files, or correct `serviceAccountName`.",
    }
    ApiVersionWrong {
        id: "api-version-wrong",
        severity: Error,
        summary: "The object is written as a credential spec of an API group, a version or a kind that no cluster serves, so the API server refuses it.",
        remedy: "Write `apiVersion: windows.k8s.io/v1` and `kind: GMSACredentialSpec`; nothing else changes. `kubectl gmsa credspec import FILE…` writes it so.",
    }
    VersionDeprecated {
        id: "version-deprecated",
        severity: Info,
        summary: "The object is written in the deprecated version `v1alpha1`.",
        remedy: "Write `apiVersion: windows.k8s.io/v1`; nothing else changes.",
    }
}
