//! The members of the objects that are read, by their names.

use gmsa_core::pod::{
    Affinity, Container, Metadata, NodeAffinity, NodeSelector, NodeSelectorRequirement,
    NodeSelectorTerm, NodeSelectorTerms, Os, OwnerReference, Pod, SecurityContext, Spec,
    WindowsOptions,
};

use super::super::{AdmissionRequest, Envelope, Kind};
use super::{Read, Reader, Unread};

/// Says for each struct which member of the object goes into which field. A member that comes twice
/// is unread, one that is not named is passed over.
macro_rules! members {
    ($($object:ty { $($name:literal => $field:ident,)* })*) => {$(
        impl<'de> Read<'de> for $object {
            fn read(&mut self, reader: &mut Reader<'_, 'de>) -> Result<(), Unread> {
                let Self { $($field),* } = self;
                $(let mut $field = Some($field);)*
                reader.object(|reader, key| match key {
                    $($name => $field.take().ok_or(Unread)?.read(reader),)*
                    _ => reader.skip(),
                })
            }
        }
    )*};
}

members! {
    Envelope<'de, Box<Pod<'de>>> {
        b"apiVersion" => api_version,
        b"kind" => kind,
        b"request" => request,
    }
    AdmissionRequest<'de, Box<Pod<'de>>> {
        b"uid" => uid,
        b"kind" => kind,
        b"subResource" => sub_resource,
        b"name" => name,
        b"namespace" => namespace,
        b"operation" => operation,
        b"object" => object,
        b"oldObject" => old_object,
    }
    Kind<'de> {
        b"group" => group,
        b"kind" => kind,
    }
    Pod<'de> {
        b"metadata" => metadata,
        b"spec" => spec,
        b"ephemeralContainers" => ephemeral_containers,
    }
    Metadata<'de> {
        b"name" => name,
        b"generateName" => generate_name,
        b"ownerReferences" => owner_references,
    }
    OwnerReference<'de> {
        b"kind" => kind,
        b"name" => name,
        b"controller" => controller,
    }
    Spec<'de> {
        b"serviceAccountName" => service_account_name,
        b"hostname" => hostname,
        b"os" => os,
        b"nodeSelector" => node_selector,
        b"affinity" => affinity,
        b"runtimeClassName" => runtime_class_name,
        b"securityContext" => security_context,
        b"containers" => containers,
        b"initContainers" => init_containers,
        b"ephemeralContainers" => ephemeral_containers,
    }
    Container<'de> {
        b"name" => name,
        b"securityContext" => security_context,
    }
    SecurityContext<'de> {
        b"windowsOptions" => windows_options,
    }
    WindowsOptions<'de> {
        b"gmsaCredentialSpecName" => gmsa_credential_spec_name,
        b"gmsaCredentialSpec" => gmsa_credential_spec,
        b"hostProcess" => host_process,
    }
    Os<'de> {
        b"name" => name,
    }
    NodeSelector<'de> {
        b"kubernetes.io/os" => os,
    }
    Affinity<'de> {
        b"nodeAffinity" => node_affinity,
    }
    NodeAffinity<'de> {
        b"requiredDuringSchedulingIgnoredDuringExecution" => required,
    }
    NodeSelectorTerms<'de> {
        b"nodeSelectorTerms" => node_selector_terms,
    }
    NodeSelectorTerm<'de> {
        b"matchExpressions" => match_expressions,
    }
    NodeSelectorRequirement<'de> {
        b"key" => key,
        b"operator" => operator,
        b"values" => values,
    }
}
