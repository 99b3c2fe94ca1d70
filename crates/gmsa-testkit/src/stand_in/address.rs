//! Addresses for pods. API servers pass requests on to pods only at addresses that are not those of
//! the loopback, so a range that is reserved for tests (RFC 2544) is made this machine's own.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const RANGE: &str = "198.18.0.0/15";

/// Whether pods can have addresses of their own here: `ip`, and the right to use it, are needed.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let mut command = Command::new("ip");
        command.args(["route", "replace", "local", RANGE, "dev", "lo"]);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    })
}

/// An address without a listener, if pods can have addresses.
pub(super) fn free(ports: [u16; 2]) -> Option<Ipv4Addr> {
    if !available() {
        return None;
    }
    (0..100).find_map(|_| {
        let random = RandomState::new().hash_one("pod").to_be_bytes();
        let address = Ipv4Addr::new(198, 18 + random[0] % 2, random[1], 1 + random[2] % 254);
        let is_free = |port| TcpListener::bind(SocketAddr::from((address, port))).is_ok();
        ports.into_iter().all(is_free).then_some(address)
    })
}
