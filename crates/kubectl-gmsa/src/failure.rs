//! The error of every command, and the exit code that it becomes.

use std::fmt::Display;
use std::io;

use gmsa_cluster::api::{self, client};
use gmsa_cluster::manifests::UnreadableFile;

/// The exit code if the cluster or the directory could not be reached, or refused.
pub const REFUSED: u8 = 3;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The reader closed standard output.
    #[error("the output was closed")]
    Closed,
    /// The output could not be written.
    #[error("failed to write the output: {0}")]
    Output(io::Error),
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] UnreadableFile),
    /// What was read is not what it should be.
    #[error("{0}")]
    Input(String),
    /// The output could not be made.
    #[error("failed to write the {what}: {why}")]
    Encode {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// No client of the cluster.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The cluster did not answer as it should.
    #[error("{0}")]
    Cluster(String),
    /// Something does not exist, or is not as it must be.
    #[error("{0}")]
    Missing(String),
    /// The directory could not be reached, or refused.
    #[error(transparent)]
    Directory(#[from] gmsa_directory::Error),
}

impl Failure {
    /// The output could not be made.
    pub fn encode(what: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Encode { what, why: error.to_string() }
    }

    /// The cluster did not answer as it should.
    pub fn cluster(error: impl Display) -> Self {
        Self::Cluster(error.to_string())
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Output(_) | Self::File(_) | Self::Input(_) | Self::Encode { .. } => 2,
            Self::Missing(_) => 1,
            Self::Directory(error) if error.is_input() => 2,
            Self::Directory(error) if error.is_finding() => 1,
            Self::Client(_) | Self::Cluster(_) | Self::Directory(_) => REFUSED,
        }
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        Self::Cluster(error.to_string())
    }
}
