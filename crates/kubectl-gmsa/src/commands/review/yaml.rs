//! The objects as they would be admitted.

use gmsa_cluster::manifests::{Document, ManifestSet};
use gmsa_cluster::simulate::apply;

use super::Failure;
use super::simulate::Simulated;
use crate::output::render;

/// Renders every object, with the contents filled in where the workload would be admitted, and
/// names the workloads that are left as they are because they would be denied.
pub fn render(
    documents: &[Document],
    set: &ManifestSet,
    simulated: &[Simulated<'_>],
) -> Result<(String, Vec<String>), Failure> {
    let mut kept = Vec::new();
    let mut values: Vec<_> = documents.iter().map(|document| (*document.value).clone()).collect();
    for one in simulated {
        let workload = one.workload;
        if !one.decision.is_allowed() {
            kept.push(format!("{} {}/{}", workload.kind, workload.namespace, workload.name));
        } else if let Some(spec) =
            values.get_mut(workload.document).and_then(|value| value.pointer_mut(&workload.spec))
        {
            apply(spec, &one.operations);
        }
    }
    let shown = values.iter().enumerate().filter(|(index, _)| !set.passed_over.contains_key(index));
    Ok((render::documents("YAML", shown.map(|(_, value)| value))?, kept))
}
