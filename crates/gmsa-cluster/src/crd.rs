//! The custom resource `GMSACredentialSpec`.

use kube::api::ApiResource;

/// The API group.
pub const GROUP: &str = "windows.k8s.io";

/// The kind.
pub const KIND: &str = "GMSACredentialSpec";

/// The resource as requests name it.
#[must_use]
pub fn api_resource() -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: "v1".to_owned(),
        api_version: format!("{GROUP}/v1"),
        kind: KIND.to_owned(),
        plural: "gmsacredentialspecs".to_owned(),
    }
}
