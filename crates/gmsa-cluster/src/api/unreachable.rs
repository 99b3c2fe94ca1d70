//! An API server that cannot be reached, in words that name it.

use std::error::Error as _;

use hyper_util::client::legacy::Error as ClientError;
use tower::BoxError;

/// There was no answer, because there is no connection.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(String);

/// The same error, with the server's address and what to do if there was no connection.
pub fn named(server: &str, error: BoxError) -> BoxError {
    let Some(lost) = error.downcast_ref::<ClientError>() else { return error };
    let mut words = String::new();
    let mut cause = lost.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // rustls adds the page of its manual for programmers.
        let more = more.split(": https://docs.rs/").next().unwrap_or(&more);
        if !words.contains(more) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(more);
        }
        cause = error.source();
    }
    Unreachable(if lost.is_connect() {
        format!(
            "the API server at {server} cannot be reached: {words}; check that it runs, and its address \
             and certificate authority in the kubeconfig"
        )
    } else {
        format!("the connection to the API server at {server} broke: {words}; try again")
    })
    .into()
}
