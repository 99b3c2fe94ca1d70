//! The commands that grant a missing right.

use crate::credspec::name::is_valid_name;

/// The right of one service account to `use` one credential spec.
///
/// All three names are valid in Kubernetes, so they are single words in every shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    credential_spec: &'a str,
    namespace: &'a str,
    service_account: &'a str,
}

impl<'a> Grant<'a> {
    /// `None` unless all three names are valid: a command is pasted into a shell, and a file may
    /// hold any name.
    #[must_use]
    pub fn of(
        credential_spec: &'a str,
        namespace: &'a str,
        service_account: &'a str,
    ) -> Option<Self> {
        let valid = [credential_spec, namespace, service_account].into_iter().all(is_valid_name);
        valid.then_some(Self { credential_spec, namespace, service_account })
    }

    /// The namespace of the service account.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.namespace
    }

    /// The service account.
    #[must_use]
    pub fn service_account(&self) -> &'a str {
        self.service_account
    }

    /// The command of the plugin.
    #[must_use]
    pub fn with_plugin(&self) -> String {
        let Self { credential_spec, namespace, service_account } = self;
        format!("kubectl gmsa grant {credential_spec} --to {namespace}/{service_account}")
    }

    /// One line for kubectl alone, in a POSIX shell or PowerShell.
    ///
    /// `kubectl create role` refuses the verb `use`, so the Role goes through a pipe, where no shell
    /// changes its quotes. Role and binding have a name that only this pair can have (no
    /// name of a credential spec or a service account contains a colon), so the command never changes
    /// other objects and can be repeated.
    #[must_use]
    pub fn with_kubectl(&self) -> String {
        let Self { credential_spec, namespace, service_account } = self;
        let name = self.object_name();
        format!(
            "echo '{{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\
             \"metadata\":{{\"name\":\"{name}\"}},\"rules\":[{{\"apiGroups\":[\"windows.k8s.io\"],\
             \"resources\":[\"gmsacredentialspecs\"],\"resourceNames\":[\"{credential_spec}\"],\
             \"verbs\":[\"use\"]}}]}}' | kubectl apply -n {namespace} -f -; \
             kubectl create rolebinding {name} -n {namespace} --role={name} \
             --serviceaccount={namespace}:{service_account}"
        )
    }

    /// The name of the role and the binding that [`Self::with_kubectl`] makes.
    #[must_use]
    pub fn object_name(&self) -> String {
        format!("{}:{}", role_name(self.credential_spec), self.service_account)
    }
}

/// The name of the cluster role for a credential spec and of its bindings, which `kubectl gmsa grant` makes.
#[must_use]
pub fn role_name(credential_spec: &str) -> String {
    format!("gmsa-use-{credential_spec}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_read_otherwise_give_no_command() {
        for bad in ["", "a b", "a;b", "$(id)", "a'b", "A", "a/b", "a:b"] {
            assert_eq!(Grant::of(bad, "shop", "web"), None, "{bad}");
            assert_eq!(Grant::of("webapp1", bad, "web"), None, "{bad}");
            assert_eq!(Grant::of("webapp1", "shop", bad), None, "{bad}");
        }
    }

    #[test]
    fn two_pairs_never_share_an_object() {
        let one = Grant::of("a-b", "shop", "c").unwrap();
        let other = Grant::of("a", "shop", "b-c").unwrap();
        assert_ne!(one.object_name(), other.object_name());
    }
}
