//! The output of `nslookup`, read by its addresses and numbers.

use std::net::IpAddr;

/// A record of `nslookup -type=srv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The port.
    pub port: u16,
    /// The host.
    pub host: String,
}

/// The server that answered, and the addresses of the answer. The first address is always the
/// server's own.
#[must_use]
pub fn addresses(output: &str) -> (Option<IpAddr>, Vec<IpAddr>) {
    let mut all = output.split_whitespace().filter_map(address);
    let server = all.next();
    (server, all.collect())
}

fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches([',', ';', '(', ')']);
    // A zone or a port may follow it.
    word.split(['%', '#']).next()?.parse().ok()
}

/// The services of the answer: of each three numbers (priority, weight, port) and a host, every one
/// behind a sign of equality.
#[must_use]
pub fn services(output: &str) -> Vec<Service> {
    let words: Vec<&str> = output.split_whitespace().collect();
    let values: Vec<&str> = words
        .windows(2)
        .filter_map(|pair| match pair {
            ["=", value] => Some(*value),
            _ => None,
        })
        .collect();
    values
        .windows(4)
        .filter_map(|four| match four {
            [priority, weight, port, host] => {
                let numbers = [priority, weight, port].map(|word| word.parse::<u16>());
                let [Ok(_), Ok(_), Ok(port)] = numbers else { return None };
                let is_host = host.contains('.') && address(host).is_none();
                is_host.then(|| Service { port, host: host.trim_end_matches('.').to_owned() })
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
