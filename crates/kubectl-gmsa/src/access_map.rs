//! The access map: who may use which credential spec, through which roles, and who uses it.

mod gather;
pub mod graph;
pub mod report;
mod uses;
mod verify;

use gmsa_cluster::api::objects::Objects;
use kube::Client;

use crate::cli::Access;
use crate::failure::Failure;
use report::Report;

/// Reads the map, and asks the API server whether it agrees.
pub async fn look(client: &Client, objects: &Objects, args: &Access) -> Result<Report, Failure> {
    let mut report = Report::new(&gather::all(objects, args).await?, args);
    if !args.no_verify {
        report.verify(&verify::all(client, report.pairs()).await?);
    }
    Ok(report)
}
