//! The domain's controllers as they are seen from here: DNS, ports, clock.

mod clock;
mod versions;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use gmsa_core::printable::listed;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Check, CheckStatus};
use crate::directory::{Directory, Search};
use crate::discover::{Names, NoAnswer, Wire, controllers_record};
use crate::error::Error;

/// How many controllers are checked: a large domain has hundreds.
const MOST: usize = 16;
/// The timeout for a port or a DNS server; a healthy one answers within one second.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a controller serves over TCP, and whether containers cannot do without.
const PORTS: [(u16, bool, &str); 8] = [
    (88, true, "Kerberos"),
    (389, true, "LDAP"),
    (53, false, "DNS"),
    (135, false, "RPC"),
    (445, false, "SMB"),
    (636, false, "LDAPS"),
    (3268, false, "global catalogue"),
    (9389, false, "web services for PowerShell"),
];

/// A controller and where it is.
struct Controller {
    host: String,
    address: IpAddr,
}

impl Directory {
    /// Looks at the DNS records of the domain, the ports of its controllers, and the clock, all from
    /// this machine.
    pub async fn check_controllers(&self) -> Result<Vec<Check>, Error> {
        let names_of_domain = async { Ok(self.names_of_domain().await) };
        let (domain, names, clock, versions) = tokio::try_join!(
            self.names(),
            names_of_domain,
            self.check_clock(),
            self.check_versions()
        )?;
        let mut checks = vec![clock, versions];
        let records = [
            (controllers_record(&domain.dns_name), CheckStatus::Failed),
            (format!("_kerberos._tcp.{}", domain.dns_name), CheckStatus::Failed),
            (format!("_gc._tcp.{}", domain.forest), CheckStatus::Warning),
        ];
        let mut hosts = Vec::new();
        let mut unreachable = false;
        for (position, (record, worst)) in records.iter().enumerate() {
            if unreachable {
                break;
            }
            let found = names.services(record).await;
            unreachable = matches!(found, Err(NoAnswer::Unreachable(_)));
            checks.push(check_record(record, *worst, &names, &found));
            if position == 0 {
                hosts = found.unwrap_or_default().into_iter().map(|found| found.host).collect();
            }
        }
        if !unreachable && names.dns_server().is_some() {
            checks.push(check_transport(&names, &records[0].0).await);
        }
        let (controllers, addresses) = self.locate(&names, hosts).await;
        checks.extend(addresses);
        checks.extend(check_ports(controllers, self.patience()).await);
        Ok(checks)
    }

    fn patience(&self) -> Duration {
        self.timeout().min(PATIENCE)
    }

    /// Who knows the domain's names: the DNS server that was given, else the controller if it is one,
    /// else those of the system.
    async fn names_of_domain(&self) -> Names {
        let patience = self.patience();
        let given = self.dns().dns_server();
        let server = match given {
            Some(server) => Some(server),
            None if is_open(SocketAddr::new(self.address(), 53), patience).await => {
                Some(self.address())
            }
            None => None,
        };
        Names::new(server, patience)
    }

    /// The addresses of the controllers, and what was found about them. Without any the one that is
    /// connected is taken.
    async fn locate(&self, names: &Names, hosts: Vec<String>) -> (Vec<Controller>, Vec<Check>) {
        let mut controllers = Vec::new();
        let mut checks = Vec::new();
        if hosts.is_empty() {
            let host = self.server().to_owned();
            return (vec![Controller { host, address: self.address() }], checks);
        }
        let left_out = hosts.len().saturating_sub(MOST);
        let mut known = Vec::new();
        for host in hosts.into_iter().take(MOST) {
            match names.addresses(&host, 389).await {
                Ok(addresses) => {
                    let addresses = addresses.iter().map(SocketAddr::ip);
                    let shown: Vec<String> = addresses.clone().map(|one| one.to_string()).collect();
                    known.push(format!("{host} is {}", shown.join(" and ")));
                    controllers.extend(
                        addresses.map(|address| Controller { host: host.clone(), address }),
                    );
                }
                Err(error) => checks.push(Check::not_passed(
                    "dns-addresses",
                    CheckStatus::Failed,
                    error.to_string(),
                    "have the controller register its address record (nltest /dsregdns; Samba: samba_dnsupdate), or remove the \
                     records of one that is gone",
                )),
            }
        }
        let mut message = known.join(", ");
        if left_out > 0 {
            message.push_str(&format!("; {left_out} more controllers were not checked"));
        }
        if !known.is_empty() {
            checks.push(Check::passed("dns-addresses", message));
        }
        (controllers, checks)
    }

    async fn check_clock(&self) -> Result<Check, Error> {
        const ATTRIBUTE: &str = "currentTime";
        let before = SystemTime::now();
        let what = "ask for the time";
        let found = self.search(Search::of_object("", &[ATTRIBUTE], what)).await?;
        // The controller read its clock about halfway through.
        let here = before + before.elapsed().unwrap_or_default() / 2;
        let there = found.first().and_then(|entry| clock::moment(&entry.text(ATTRIBUTE)?));
        Ok(clock::check(there, here))
    }
}

impl Directory {
    /// The versions of all controllers of the domain, as they registered them.
    async fn check_versions(&self) -> Result<Check, Error> {
        const ATTRIBUTES: [&str; 4] =
            ["dNSHostName", "cn", "operatingSystemVersion", "msDS-SupportedEncryptionTypes"];
        // The flag of a controller's account (MS-ADTS, section 2.2.16).
        let filter = "(userAccountControl:1.2.840.113556.1.4.803:=8192)";
        let found = self.find(filter, &ATTRIBUTES, "look up the controllers").await?;
        let controllers: Vec<versions::Controller> = found
            .iter()
            .map(|entry| versions::Controller {
                host: entry.text("dNSHostName").or_else(|| entry.text("cn")).unwrap_or_default(),
                version: entry.text("operatingSystemVersion"),
                encryption_types: entry.number("msDS-SupportedEncryptionTypes"),
            })
            .collect();
        Ok(versions::check(&controllers))
    }
}

fn check_record(
    record: &str,
    worst: CheckStatus,
    names: &Names,
    found: &Result<Vec<crate::discover::Service>, NoAnswer>,
) -> Check {
    const ID: &str = "dns-records";
    let whom = names.dns_server().map_or_else(
        || "the DNS servers of this machine".to_owned(),
        |server| format!("the DNS server {server}"),
    );
    match found {
        Ok(found) => {
            let hosts = listed(found.iter().map(|found| &found.host), MOST);
            Check::passed(ID, format!("{record} names {hosts}"))
        }
        // Those of this machine need not be those of the nodes.
        Err(NoAnswer::Absent) if names.dns_server().is_none() => Check::not_passed(
            ID,
            CheckStatus::Unknown,
            format!("{whom} do not know {record}"),
            "name a DNS server of the domain with --dns-server",
        ),
        Err(NoAnswer::Absent) => Check::not_passed(
            ID,
            worst,
            format!("{whom} has no record {record}"),
            "have the controllers register their records (nltest /dsregdns; Samba: samba_dnsupdate), and see that the zone takes \
             updates",
        ),
        Err(NoAnswer::Unreachable(why)) => Check::not_passed(
            ID,
            CheckStatus::Unknown,
            format!("{whom} gave no answer: {why}"),
            "name a DNS server of the domain that can be reached from here with --dns-server",
        ),
    }
}

/// Whether the DNS server answers over both protocols: nodes ask over UDP, and over TCP if the answer
/// is long, as that of many controllers is.
async fn check_transport(names: &Names, record: &str) -> Check {
    const ID: &str = "dns-transport";
    let (udp, tcp) = (names.over(Wire::Udp), names.over(Wire::Tcp));
    let (udp, tcp) = tokio::join!(udp.services(record), tcp.services(record));
    let silent = |answer: &Result<_, NoAnswer>| matches!(answer, Err(NoAnswer::Unreachable(_)));
    let closed = match (silent(&udp), silent(&tcp)) {
        (false, false) => {
            return Check::passed(ID, "DNS answers over UDP and over TCP".to_owned());
        }
        (true, false) => "UDP",
        (false, true) => "TCP",
        (true, true) => "UDP or TCP",
    };
    Check::not_passed(
        ID,
        CheckStatus::Warning,
        format!("DNS does not answer over {closed}"),
        "open port 53 for both, UDP and TCP: an answer with many controllers comes over TCP alone",
    )
}

/// Tries every port of every controller at once.
async fn check_ports(controllers: Vec<Controller>, patience: Duration) -> Vec<Check> {
    let mut tries = JoinSet::new();
    for (index, controller) in controllers.iter().enumerate() {
        for (port, ..) in PORTS {
            let address = SocketAddr::new(controller.address, port);
            tries.spawn(async move { (index, port, is_open(address, patience).await) });
        }
    }
    let open: Vec<(usize, u16)> = tries
        .join_all()
        .await
        .into_iter()
        .filter(|(.., open)| *open)
        .map(|(index, port, _)| (index, port))
        .collect();
    controllers
        .iter()
        .enumerate()
        .map(|(index, controller)| judge_ports(controller, |port| open.contains(&(index, port))))
        .collect()
}

fn judge_ports(controller: &Controller, is_open: impl Fn(u16) -> bool) -> Check {
    const ID: &str = "controller-ports";
    let ports = |wanted: &dyn Fn(u16, bool) -> bool, explained: bool| {
        let ports = PORTS.iter().filter(|(port, required, _)| wanted(*port, *required));
        let ports =
            ports.map(
                |(port, _, what)| {
                    if explained { format!("{port} ({what})") } else { port.to_string() }
                },
            );
        ports.collect::<Vec<_>>().join(", ")
    };
    let open = ports(&|port, _| is_open(port), false);
    let needed = ports(&|port, required| required && !is_open(port), true);
    let other = ports(&|port, required| !required && !is_open(port), true);
    let Controller { host, address } = controller;
    let open = if open.is_empty() { "no port".to_owned() } else { format!("port {open}") };
    let other = if other.is_empty() {
        String::new()
    } else {
        format!("; not on {other}, which containers do not need")
    };
    if needed.is_empty() {
        return Check::passed(ID, format!("{host} ({address}) answers on {open}{other}"));
    }
    Check::not_passed(
        ID,
        CheckStatus::Warning,
        format!("{host} ({address}) does not answer on {needed}, but on {open}{other}"),
        "nodes need them open; this machine's view may differ from that of the nodes",
    )
}

async fn is_open(address: SocketAddr, patience: Duration) -> bool {
    matches!(tokio::time::timeout(patience, TcpStream::connect(address)).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests;
