//! A real Active Directory domain controller: Samba, with the domain `contoso.com`, or a large one.
//!
//! The domains were provisioned once (`scripts/provision-domain.sh`, `provision-large-domain.sh`); a run copies it, moves it to an
//! address of its own, and starts it there, because the ports of LDAP cannot be chosen.

pub mod dns;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, process};

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::pki::{Authority, Pair};
use crate::process::{POLL, tail};
use crate::run::Run;
use crate::tools::{cache, skip};

/// The domain's DNS name.
pub const DOMAIN: &str = "contoso.com";
/// The domain's NetBIOS name.
pub const NETBIOS: &str = "CONTOSO";
/// The domain's distinguished name.
pub const BASE: &str = "DC=contoso,DC=com";
/// The domain's SID.
pub const SID: &str = "S-1-5-21-1111111111-2222222222-3333333333";
/// The domain's `objectGUID`.
pub const GUID: &str = "11111111-2222-3333-4444-555555555555";
/// The DNS name of the domain controller.
pub const HOST: &str = "dc1.contoso.com";
/// A user with every right.
pub const ADMINISTRATOR: &str = "Administrator@contoso.com";
/// The password of [`ADMINISTRATOR`].
pub const ADMINISTRATOR_PASSWORD: &str = "Adm1n-pass";
/// A user without special rights.
pub const USER: &str = "alice@contoso.com";
/// The password of [`USER`], and of the user `locked`.
pub const USER_PASSWORD: &str = "Us3r-pass";
/// The password of the computers `WEBHOST1`, `WEBHOST2` and `OTHERHOST`; the first is a member of
/// the group `webhosts`.
pub const HOST_PASSWORD: &str = "H0st-pass";

/// The address that the domain was provisioned with, and how DNS records end with it in base64.
const TEMPLATE_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 10);
const START: Duration = Duration::from_mins(1);

/// A domain that was provisioned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Realm {
    /// Its DNS name.
    pub domain: String,
    /// Its NetBIOS name.
    pub netbios: String,
    /// Its distinguished name.
    pub base: String,
    /// The DNS name of its controller.
    pub host: String,
}

impl Realm {
    /// The domain of most tests.
    fn contoso() -> Self {
        Self {
            domain: DOMAIN.to_owned(),
            netbios: NETBIOS.to_owned(),
            base: BASE.to_owned(),
            host: HOST.to_owned(),
        }
    }

    /// The large one, with a NetBIOS name that is not its first DNS label: 3,000 computers `NODE0000` on
    /// (every tenth without `dNSHostName`), 1,200 accounts `svc0000` on, the first 2,000 computers in the
    /// group `large`, which is in `middle`, which is in `outer`.
    fn fabrikam() -> Self {
        Self {
            domain: "corp.fabrikam.example".to_owned(),
            netbios: "FABRI".to_owned(),
            base: "DC=corp,DC=fabrikam,DC=example".to_owned(),
            host: "dcx.corp.fabrikam.example".to_owned(),
        }
    }
}

/// A provisioned domain, and where it lies.
pub(crate) struct Template {
    dir: PathBuf,
    realm: Realm,
}

/// A running domain controller.
#[derive(Serialize, Deserialize)]
pub struct DomainController {
    /// Its domain.
    pub realm: Realm,
    /// Where it serves LDAP (389), LDAPS (636), DNS (53) and Kerberos (88).
    pub address: IpAddr,
    /// The certificate of the authority that signed its certificate.
    pub ca: PathBuf,
    /// Its clock, if it was started with one that can be moved.
    pub clock: Option<Clock>,
    dir: PathBuf,
    authority: Pair,
}

/// Finds the provisioned domain. Without it the test is skipped by name, and fails where `CI=true`.
pub(crate) fn find(test: &str) -> Option<Template> {
    found(test, "", Realm::contoso())
}

/// Finds the large domain likewise.
pub(crate) fn find_large(test: &str) -> Option<Template> {
    found(test, "large", Realm::fabrikam())
}

fn found(test: &str, below: &str, realm: Realm) -> Option<Template> {
    match locate(below) {
        Ok(dir) => Some(Template { dir, realm }),
        Err(why) => {
            skip(test, &why);
            None
        }
    }
}

/// Whether the system has `kinit`. Without it that part of a test is skipped by name, and fails
/// where `CI=true`.
pub fn has_kinit(test: &str) -> bool {
    let here = Command::new("kinit").arg("-V").arg("--nonsense").output().is_ok();
    if !here {
        skip(test, "no kinit (krb5-user)");
    }
    here
}

fn locate(below: &str) -> Result<PathBuf, String> {
    let dir = cache()
        .ok_or("no domain controller: neither XDG_CACHE_HOME nor HOME is set")?
        .join("domain-controller")
        .join(below);
    if !dir.join("ready").is_file() {
        return Err(format!(
            "no domain controller in {}; `make domain-controller` installs one",
            dir.display()
        ));
    }
    // Not only for root: the right to bind the port is enough.
    match TcpListener::bind((TEMPLATE_ADDRESS, 389)) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err("a domain controller needs root: it listens on port 389".to_owned())
        }
        _ => Ok(dir.join("dc")),
    }
}

impl DomainController {
    /// `library` is that of [`Clock::find`], for a clock that can be moved.
    pub(crate) async fn start(run: &Run, template: &Template, library: Option<PathBuf>) -> Self {
        let Template { dir: template, realm } = template;
        let dir = run.peer_dir();
        copy(template, &dir);
        let address = free_address();
        let conf = dir.join("etc/smb.conf");
        let text = fs::read_to_string(&conf)
            .unwrap()
            .replace(&template.display().to_string(), &dir.display().to_string())
            .replace(&TEMPLATE_ADDRESS.to_string(), &address.to_string());
        fs::write(&conf, text).unwrap();
        move_dns_records(&dir, address);
        let authority = Authority::new("kube-gmsa test domain");
        let ca = dir.join("tls/ca.crt");
        fs::write(&ca, authority.pem()).unwrap();
        let shown = address.to_string();
        let names = [realm.host.as_str(), &realm.domain, &shown];
        let (_, key) = authority.server(&names).write(&dir.join("tls"), "tls");
        // Samba refuses a key that others may read.
        set_mode(&key, 0o600);
        let controller = Self {
            realm: realm.clone(),
            address: address.into(),
            ca,
            clock: library.map(|library| Clock::new(library, dir.join("clock"))),
            dir: dir.clone(),
            authority: authority.pair(),
        };
        let mut command = Command::new("env");
        for (name, value) in controller.clock.iter().flat_map(Clock::environment) {
            command.arg(format!("{name}={}", value.display()));
        }
        command.arg("samba");
        command.args(["--foreground", "--no-process-group", "--debug-stdout"]);
        command.arg("--configfile").arg(&conf);
        let log = dir.join("samba.log");
        run.start_component(&command, &log);
        let start = Instant::now();
        while !controller.is_ready().await {
            assert!(start.elapsed() < START, "no LDAP on {address}: {}", tail(&log));
            tokio::time::sleep(POLL).await;
        }
        controller
    }

    async fn is_ready(&self) -> bool {
        for port in [389, 636, 88, 53] {
            if TcpStream::connect((self.address, port)).await.is_err() {
                return false;
            }
        }
        true
    }

    /// The authority that signed the controller's certificate, to sign others.
    pub fn authority(&self) -> Authority {
        Authority::from_pair("kube-gmsa test domain", &self.authority)
    }

    /// A name that no other test uses, with at most 15 characters.
    pub fn unique(&self, prefix: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}{:x}x{count}", process::id());
        assert!(name.len() <= 15, "{name} is too long");
        name
    }

    /// Runs samba-tool on the controller's own database, as an administrator.
    pub fn samba_tool(&self, args: &[&str]) -> String {
        let mut command = Command::new("/usr/bin/python3");
        command.arg("/usr/bin/samba-tool").args(args).arg("--configfile");
        command.arg(self.dir.join("etc/smb.conf"));
        command.arg("-H").arg(self.dir.join("private/sam.ldb"));
        output(command)
    }

    /// Runs `samba-tool dns` against the controller, as its administrator.
    pub fn samba_dns(&self, action: &str, args: &[&str]) -> String {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["/usr/bin/samba-tool", "dns", action, &self.address.to_string()]).args(args);
        command.arg(format!("--username={ADMINISTRATOR}"));
        command.arg(format!("--password={ADMINISTRATOR_PASSWORD}"));
        command.arg("--configfile").arg(self.dir.join("etc/smb.conf"));
        output(command)
    }

    /// Has the controller register records of its own, such as `A dc1.contoso.com 127.0.0.1`.
    pub fn register_records(&self, records: &str) {
        let list = self.dir.join(format!("{}.list", self.unique("dns")));
        fs::write(&list, records).unwrap();
        let mut command = Command::new("/usr/sbin/samba_dnsupdate");
        // The python that it asks for is Debian's.
        command
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .args(["--use-samba-tool", "--fail-immediately"]);
        command.arg(format!("--current-ip={}", self.address));
        command.arg(format!("--update-list={}", list.display()));
        command.arg(format!("--update-cache={}", list.with_extension("cache").display()));
        command.arg("--configfile").arg(self.dir.join("etc/smb.conf"));
        output(command);
    }

    /// Changes objects directly in the controller's database, by LDIF, without access checks.
    pub fn modify(&self, ldif: &str) {
        self.change("private/sam.ldb", ldif, &[]);
    }

    /// Adds an attribute or a class to the schema of the forest, which other objects can use at once.
    pub fn extend_schema(&self, ldif: &str) {
        let reload = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n";
        for ldif in [ldif, reload] {
            self.change("private/sam.ldb", ldif, &["--option=dsdb:schema update allowed=true"]);
        }
    }

    /// The same without the controller's checks of the values.
    pub fn modify_unchecked(&self, ldif: &str) {
        let file = self.realm.base.to_uppercase();
        self.change(&format!("private/sam.ldb.d/{file}.ldb"), ldif, &[]);
    }

    fn change(&self, database: &str, ldif: &str, options: &[&str]) {
        let file = self.dir.join(format!("{}.ldif", self.unique("mod")));
        fs::write(&file, ldif).unwrap();
        let mut command = Command::new("ldbmodify");
        command.args(options).arg("-H").arg(self.dir.join(database)).arg(&file);
        output(command);
    }

    /// Adds a name to the domain's zone, `web` for `web.contoso.com`, with records of its own.
    pub fn add_dns_records(&self, name: &str, records: &[dns::Record<'_>]) {
        let Realm { domain, base, .. } = &self.realm;
        let zone = format!("DC={domain},CN=MicrosoftDNS,DC=DomainDnsZones,{base}");
        let mut ldif = format!("dn: DC={name},{zone}\nchangetype: add\nobjectClass: dnsNode\n");
        for record in records {
            ldif.push_str(&format!("dnsRecord:: {}\n", base64(&record.to_bytes())));
        }
        self.modify(&ldif);
    }

    /// Takes a name and all its records from the domain's zone.
    pub fn remove_dns_name(&self, name: &str) {
        let Realm { domain, base, .. } = &self.realm;
        let zone = format!("DC={domain},CN=MicrosoftDNS,DC=DomainDnsZones,{base}");
        self.modify(&format!("dn: DC={name},{zone}\nchangetype: delete\n"));
    }

    /// Announces one more controller, whatever it is.
    pub fn announce_controller(&self, host: &str) {
        let Realm { domain, base, .. } = &self.realm;
        let zone = format!("DC=_msdcs.{domain},CN=MicrosoftDNS,DC=ForestDnsZones,{base}");
        let record = base64(&dns::Record::Srv(0, 100, host).to_bytes());
        self.modify(&format!(
            "dn: DC=_ldap._tcp.dc,{zone}\nchangetype: modify\nadd: dnsRecord\ndnsRecord:: {record}\n"
        ));
    }

    /// Makes a computer account with the password [`HOST_PASSWORD`].
    pub fn computer(&self, name: &str) {
        self.samba_tool(&["computer", "create", name]);
        let account = format!("{name}$");
        let password = format!("--newpassword={HOST_PASSWORD}");
        self.samba_tool(&["user", "setpassword", &account, &password]);
    }

    /// The attributes of objects as `ldbsearch` shows them, read from the controller's own database.
    pub fn search(&self, filter: &str, attributes: &[&str]) -> String {
        let mut command = Command::new("ldbsearch");
        command.arg("-H").arg(self.dir.join("private/sam.ldb")).arg(filter).args(attributes);
        output(command)
    }
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?} failed: {text}");
    text
}

/// Keeps holes and permissions, which Samba checks.
fn copy(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.args(["-a", "--sparse=always"]).arg(from).arg(to);
    output(command);
}

/// ldbedit runs its editor in a shell, and base64 has `/` but no comma. The address records are the only ones with an address, at the end of a value of 28 bytes.
fn move_dns_records(dir: &Path, address: Ipv4Addr) {
    let expression = format!("s,{}==,{}==,", base64_of(TEMPLATE_ADDRESS), base64_of(address));
    let mut command = Command::new("ldbedit");
    command.arg("-H").arg(dir.join("private/sam.ldb")).args(["-s", "sub", "--cross-ncs", "-e"]);
    command.arg(format!("sed -i {expression}")).args(["(dnsRecord=*)", "dnsRecord"]);
    let text = output(command);
    assert!(text.contains(" modifies") && !text.contains(" 0 modifies"), "{text}");
}

/// Six characters of base64, without the padding.
fn base64_of(address: Ipv4Addr) -> String {
    base64(&address.octets()).trim_end_matches('=').to_owned()
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// An address of this machine on which nothing serves LDAP. Several runs may look for one at once.
fn free_address() -> Ipv4Addr {
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    seed ^= process::id().rotate_left(13);
    for step in 0..64_u32 {
        let [_, b, c, d] = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9)).to_be_bytes();
        let address = Ipv4Addr::new(127, 64 + b % 64, c, 1 + d % 254);
        if [53, 389, 636].iter().all(|port| TcpListener::bind((address, *port)).is_ok()) {
            return address;
        }
    }
    panic!("failed to find an address of this machine with a free port 389");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
