//! Where the feature `gssapi` is off.

use std::time::Duration;

use crate::connect::Connection;
use crate::error::Error;

#[expect(clippy::unused_async, reason = "it is what the feature turns on")]
pub(crate) async fn bind(_: &mut Connection, _: Duration) -> Result<String, Error> {
    Err(Error::WithoutKerberos)
}
