//! A front before a controller's LDAPS that cuts answers as Windows does (`MaxPageSize` and
//! `MaxValRange`, MS-ADTS, section 3.1.1.3.4.6), which Samba never does by itself.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::domain_controller::DomainController;

const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
/// `sizeLimitExceeded` (RFC 4511, appendix A).
const TOO_MANY: u8 = 4;
/// The control of paged results (RFC 2696).
const PAGED: &[u8] = b"1.2.840.113556.1.4.319";

/// A front; ends when dropped.
pub struct LdapFront {
    /// Where it serves LDAPS.
    pub address: SocketAddr,
    counts: Arc<Counts>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    refused: AtomicUsize,
    pages: AtomicUsize,
    ranges: AtomicUsize,
    requests: AtomicUsize,
    rounds: AtomicUsize,
}

/// What the front cuts.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Entries of a search without paging; more end it with `sizeLimitExceeded`.
    pub entries: usize,
    /// Values of one attribute.
    pub values: usize,
    /// How far the controller is away: requests that go out in this time are one round trip.
    pub distance: Duration,
}

impl Limits {
    /// Those of Windows, for a controller next door.
    pub const WINDOWS: Self = Self { entries: 1000, values: 1500, distance: Duration::ZERO };
}

/// What one connection has under way, by the number of the message.
#[derive(Default)]
struct Searches {
    paged: HashSet<Vec<u8>>,
    sent: HashMap<Vec<u8>, usize>,
    /// The round trip that a request belongs to: the one after that of the latest answer before it.
    rounds: HashMap<Vec<u8>, usize>,
    answered: usize,
}

impl LdapFront {
    /// Starts a front before a controller, with a certificate of its authority for `127.0.0.1`.
    pub async fn start(controller: &DomainController, limits: Limits) -> Self {
        let acceptor = controller.authority().server(&["127.0.0.1"]).acceptor();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&controller.ca).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (target, counted) = (controller.address, Arc::clone(&counts));
        let host = controller.realm.host.clone();
        let task = tokio::spawn(async move {
            while let Ok((incoming, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let (counts, host) = (Arc::clone(&counted), host.clone());
                tokio::spawn(async move {
                    let Ok(incoming) = acceptor.accept(incoming).await else { return };
                    pass(incoming, (target, host), connector, limits, &counts).await;
                });
            }
        });
        Self { address, counts, task }
    }

    /// Searches that ended with `sizeLimitExceeded`, pages that were asked for, and attributes that were
    /// cut.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (of(&self.counts.refused), of(&self.counts.pages), of(&self.counts.ranges))
    }
}

impl LdapFront {
    /// Requests, the logon too, and the round trips that they took: requests that did not wait for an
    /// answer are one.
    pub fn round_trips(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (of(&self.counts.requests), of(&self.counts.rounds))
    }
}

impl Drop for LdapFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    incoming: tokio_rustls::server::TlsStream<TcpStream>,
    (target, host): (IpAddr, String),
    connector: TlsConnector,
    limits: Limits,
    counts: &Counts,
) {
    let stream = TcpStream::connect((target, 636)).await.unwrap();
    let name = ServerName::try_from(host).unwrap();
    let outgoing = connector.connect(name, stream).await.unwrap();
    let (mut from_client, mut to_client) = tokio::io::split(incoming);
    let (mut from_server, mut to_server) = tokio::io::split(outgoing);
    let searches = Mutex::new(Searches::default());
    let requests = async {
        while let Some(message) = message(&mut from_client).await {
            let (id, operation, rest) = parts(&message);
            counts.requests.fetch_add(1, Ordering::Relaxed);
            {
                let mut searches = searches.lock().await;
                let round = searches.answered + 1;
                searches.rounds.insert(id.to_vec(), round);
                counts.rounds.fetch_max(round, Ordering::Relaxed);
            }
            if operation.0 == SEARCH && rest.windows(PAGED.len()).any(|bytes| bytes == PAGED) {
                counts.pages.fetch_add(1, Ordering::Relaxed);
                searches.lock().await.paged.insert(id.to_vec());
            }
            if to_server.write_all(&message).await.is_err() {
                return;
            }
        }
    };
    let answers = async {
        while let Some(message) = message(&mut from_server).await {
            let round = searches.lock().await.rounds.get(parts(&message).0).copied();
            if round.unwrap_or_default() > searches.lock().await.answered {
                tokio::time::sleep(limits.distance).await;
                searches.lock().await.answered = round.unwrap_or_default();
            }
            let answer = cut(message, &searches, limits, counts).await;
            if let Some(answer) = answer
                && to_client.write_all(&answer).await.is_err()
            {
                return;
            }
            let _ = to_client.flush().await;
        }
    };
    tokio::select! {
        () = requests => {}
        () = answers => {}
    }
}

/// An answer as Windows would give it; None for an entry beyond the limit.
async fn cut(
    message: Vec<u8>,
    searches: &Mutex<Searches>,
    limits: Limits,
    counts: &Counts,
) -> Option<Vec<u8>> {
    let (id, (tag, content), rest) = parts(&message);
    let mut searches = searches.lock().await;
    let is_paged = searches.paged.contains(id);
    match tag {
        ENTRY => {
            let sent = searches.sent.entry(id.to_vec()).or_default();
            *sent += 1;
            if !is_paged && *sent > limits.entries {
                return None;
            }
            let content = entry(content, limits.values, counts);
            Some(rebuilt(id, tag, &content, rest))
        }
        DONE => {
            let sent = searches.sent.remove(id).unwrap_or_default();
            searches.paged.remove(id);
            if is_paged || sent <= limits.entries {
                return Some(message);
            }
            counts.refused.fetch_add(1, Ordering::Relaxed);
            let mut content = content.to_vec();
            // The result comes first: an enumeration of one byte.
            content[2] = TOO_MANY;
            Some(rebuilt(id, tag, &content, rest))
        }
        _ => Some(message),
    }
}

/// The content of an entry with long attributes cut.
fn entry(content: &[u8], limit: usize, counts: &Counts) -> Vec<u8> {
    let (name, after) = element(content);
    let (attributes, _) = element(after);
    let mut rebuilt = Vec::new();
    let mut rest = attributes.1;
    while !rest.is_empty() {
        let (attribute, after) = element(rest);
        rest = after;
        let (kind, values) = element(attribute.1);
        let mut values = element(values).0.1;
        let mut all = Vec::new();
        while !values.is_empty() {
            let (value, after) = element(values);
            values = after;
            all.push(value);
        }
        let mut kind = String::from_utf8(kind.1.to_vec()).unwrap();
        if all.len() > limit {
            counts.ranges.fetch_add(1, Ordering::Relaxed);
            let (bare, start) = match kind.split_once(";range=") {
                Some((bare, range)) => {
                    (bare.to_owned(), range.split('-').next().unwrap().parse().unwrap())
                }
                None => (kind.clone(), 0_usize),
            };
            kind = format!("{bare};range={start}-{}", start + limit - 1);
            all.truncate(limit);
        }
        let all: Vec<u8> = all.into_iter().flat_map(|(tag, value)| written(tag, value)).collect();
        let both = [written(0x04, kind.as_bytes()), written(0x31, &all)].concat();
        rebuilt.extend(written(0x30, &both));
    }
    [written(name.0, name.1), written(0x30, &rebuilt)].concat()
}

/// The number of a message, its operation, and what follows that.
fn parts(message: &[u8]) -> (&[u8], (u8, &[u8]), &[u8]) {
    let ((_, content), _) = element(message);
    let ((_, id), rest) = element(content);
    let (operation, rest) = element(rest);
    (id, operation, rest)
}

fn rebuilt(id: &[u8], tag: u8, content: &[u8], rest: &[u8]) -> Vec<u8> {
    written(0x30, &[&written(0x02, id), &written(tag, content), rest].concat())
}

/// Tag and content of the first element, and what follows it (X.690, section 8.1).
fn element(bytes: &[u8]) -> ((u8, &[u8]), &[u8]) {
    let (length, header) = match bytes[1] {
        short @ ..0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let length =
                bytes[2..2 + count].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + count)
        }
    };
    ((bytes[0], &bytes[header..header + length]), &bytes[header + length..])
}

fn written(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// Reads one message.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 2];
    from.read_exact(&mut bytes).await.ok()?;
    let mut length = usize::from(bytes[1]);
    if length >= 0x80 {
        let mut long = vec![0; length & 0x7f];
        from.read_exact(&mut long).await.ok()?;
        length = long.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        bytes.extend(long);
    }
    let mut content = vec![0; length];
    from.read_exact(&mut content).await.ok()?;
    bytes.extend(content);
    Some(bytes)
}
