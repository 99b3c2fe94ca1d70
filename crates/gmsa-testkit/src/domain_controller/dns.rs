//! DNS records as Active Directory holds them (`dnsRecord`, MS-DNSP, section 2.3.2.2).

use std::net::Ipv4Addr;

/// A record.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// An address.
    A(Ipv4Addr),
    /// A service: priority, weight, and host; the port is that of LDAP.
    Srv(u16, u16, &'a str),
}

impl Record<'_> {
    /// The value of the attribute.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let (kind, data): (u16, Vec<u8>) = match self {
            Self::A(address) => (1, address.octets().into()),
            Self::Srv(priority, weight, host) => {
                let numbers = [priority, weight, 389].map(u16::to_be_bytes).concat();
                (33, [numbers, counted(host)].concat())
            }
        };
        let length = u16::try_from(data.len()).unwrap();
        let mut bytes = [length.to_le_bytes(), kind.to_le_bytes()].concat();
        // Version, rank (of the zone itself), flags; serial number; time to live; nothing; no age.
        bytes.extend([5, 0xf0, 0, 0]);
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(900_u32.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.extend(data);
        bytes
    }
}

/// A name with its length and the number of its labels before it.
fn counted(name: &str) -> Vec<u8> {
    let labels: Vec<&str> = name.split('.').collect();
    let mut raw = Vec::new();
    for label in &labels {
        raw.push(u8::try_from(label.len()).unwrap());
        raw.extend(label.as_bytes());
    }
    raw.push(0);
    let header = [raw.len(), labels.len()].map(|number| u8::try_from(number).unwrap());
    [&header[..], &raw].concat()
}
