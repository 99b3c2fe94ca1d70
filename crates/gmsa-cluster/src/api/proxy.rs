//! The way to an API server through a proxy: `proxy-url` of a kubeconfig, else the environment, by
//! the rules of kubectl (Go's `golang.org/x/net/http/httpproxy`).

use std::env;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use ipnet::IpNet;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt as _, DynBody};
use percent_encoding::percent_decode_str;
use tower::util::{BoxService, option_layer};
use tower::{BoxError, Layer as _, Service, ServiceExt as _};

/// What answers requests.
pub type Requests = BoxService<Request<Body>, Response<Box<DynBody>>, BoxError>;

/// Why a proxy cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the proxy {proxy}: {why}")]
pub struct Error {
    proxy: String,
    why: String,
}

/// The proxy that the environment names for this server.
pub fn of_environment(server: &Uri) -> Result<Option<Uri>, Error> {
    chosen(server, |name| env::var(name).ok())
}

fn chosen(server: &Uri, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Uri>, Error> {
    let first = |names: [&'static str; 2]| {
        names.into_iter().find_map(|name| {
            let value = variable(name).map(|value| value.trim().to_owned());
            value.filter(|value| !value.is_empty()).map(|value| (name, value))
        })
    };
    let is_plain = server.scheme_str() == Some("http");
    let proxies =
        if is_plain { ["HTTP_PROXY", "http_proxy"] } else { ["HTTPS_PROXY", "https_proxy"] };
    let Some((name, proxy)) = first(proxies) else { return Ok(None) };
    let host = server.host().unwrap_or_default();
    let port = server.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
    let excluded = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
    if is_excluded(&excluded, host, port) {
        return Ok(None);
    }
    // Without a scheme it is one for HTTP.
    let url = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    let failed = |why: String| Error { proxy: format!("of the variable {name}"), why };
    // The value is not shown: it may hold a password.
    url.parse().map(Some).map_err(|why| failed(format!("its value is not a URL: {why}")))
}

/// Whether requests to this host and port go past the proxy.
fn is_excluded(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    list.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Ok(net) = entry.parse::<IpNet>() {
            return address.is_some_and(|address| net.contains(&address));
        }
        let (name, only) = host_and_port(&entry);
        if name.is_empty() || only.is_some_and(|only| only != port.to_string()) {
            return false;
        }
        if let Ok(excluded) = name.parse::<IpAddr>() {
            return address == Some(excluded);
        }
        if address.is_some() {
            return false;
        }
        let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
        match host.strip_suffix(name) {
            Some("") => !name.starts_with('.'),
            Some(rest) => name.starts_with('.') || rest.ends_with('.'),
            None => false,
        }
    })
}

/// Splits `HOST:PORT`, `[IPV6]:PORT` or a host alone.
fn host_and_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

/// The URL of a proxy without its user and password.
pub fn shown(proxy: &Uri) -> String {
    let address = proxy.authority().map_or("", |all| all.as_str());
    let (_, address) = address.rsplit_once('@').unwrap_or(("", address));
    format!("{}://{address}", proxy.scheme_str().unwrap_or_default())
}

/// A client that reaches the API server through this proxy.
pub fn builder(config: &Config, proxy: &Uri) -> Result<ClientBuilder<Requests>, Error> {
    let failed = |why: String| Error { proxy: shown(proxy), why };
    let refused = |why: kube::Error| failed(why.to_string());
    // An error says that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(config.connect_timeout);
    match proxy.scheme_str() {
        Some("socks5" | "socks5h") => {
            let mut through = SocksV5::new(proxy.clone(), connector);
            if let Some((user, password)) = credentials(proxy) {
                through = through.with_auth(user, password);
            }
            requests(config, through).map_err(refused)
        }
        Some("http") => requests(config, tunnel(proxy, connector)).map_err(refused),
        Some("https") => {
            // Its certificate is for its own name.
            let mut of_proxy = config.clone();
            of_proxy.tls_server_name = None;
            let connector =
                of_proxy.rustls_https_connector_with_connector(connector).map_err(refused)?;
            requests(config, tunnel(proxy, connector)).map_err(refused)
        }
        _ => Err(failed("its URL must begin with http://, https:// or socks5://".to_owned())),
    }
}

fn tunnel<C>(proxy: &Uri, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.clone(), connector);
    let Some((user, password)) = credentials(proxy) else { return tunnel };
    // Base64 fits every header.
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    match HeaderValue::from_str(&basic) {
        Ok(basic) => tunnel.with_auth(basic),
        Err(_) => tunnel,
    }
}

/// The user and password of a URL, without its escapes.
fn credentials(proxy: &Uri) -> Option<(String, String)> {
    let (user, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((plain(user), plain(password)))
}

/// The layers of `kube`'s own client, over this connector.
fn requests<C>(config: &Config, connector: C) -> kube::Result<ClientBuilder<Requests>>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: std::error::Error + Send + Sync + 'static,
{
    let mut connector =
        TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let client = Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let client = client.map_err(BoxError::from);
    let service = config.extra_headers_layer()?.layer(client);
    let service = option_layer(config.auth_layer()?).layer(service);
    let service = config.base_uri_layer().layer(service);
    let service = service.map_response(|response: Response<Incoming>| {
        response.map(|body| Box::new(body.map_err(BoxError::from)) as Box<DynBody>)
    });
    Ok(ClientBuilder::new(BoxService::new(service), config.default_namespace.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_proxy_excludes() {
        for (list, host, excluded) in [
            ("", "api.example.com", false),
            ("", "localhost", true),
            ("", "127.0.0.1", true),
            ("", "[::1]", true),
            ("*", "api.example.com", true),
            ("a,*", "10.0.0.1", true),
            ("example.com", "example.com", true),
            ("Example.COM", "API.example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "api.example.com", true),
            (".example.com", "example.com", false),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "example.com", false),
            (" a , , example.com,", "example.com", true),
            ("example.com:6443", "api.example.com", true),
            ("example.com:443", "api.example.com", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/8", "api.example.com", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:6443", "10.1.2.3", true),
            ("10.1.2.3:443", "10.1.2.3", false),
            ("2.3", "10.1.2.3", false),
            ("fd00::/8", "[fd00::1]", true),
            ("[fd00::1]:6443", "[fd00::1]", true),
            ("fd00::1", "[fd00::1]", true),
            ("http://example.com", "example.com", false),
        ] {
            assert_eq!(is_excluded(list, host, 6443), excluded, "{list:?} {host}");
        }
    }

    #[test]
    fn which_variable_counts() {
        let chosen = |server: &str, set: &[(&str, &str)]| {
            let set: Vec<(String, String)> =
                set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let variable =
                |name: &str| set.iter().find(|one| one.0 == name).map(|one| one.1.clone());
            chosen(&server.parse().unwrap(), variable).map(|uri| uri.map(|uri| uri.to_string()))
        };
        let server = "https://api.example.com:6443";
        let proxy = |url: &str| Some(url.to_owned());
        assert_eq!(chosen(server, &[]).unwrap(), None);
        assert_eq!(chosen(server, &[("HTTP_PROXY", "http://p:1")]).unwrap(), None);
        let both = [("https_proxy", "http://q:1"), ("HTTPS_PROXY", "p:1")];
        assert_eq!(chosen(server, &both).unwrap(), proxy("http://p:1/"));
        let empty = [("https_proxy", "socks5://q:1"), ("HTTPS_PROXY", "")];
        assert_eq!(chosen(server, &empty).unwrap(), proxy("socks5://q:1/"));
        let plain = [("HTTPS_PROXY", "p:1"), ("http_proxy", "q:1")];
        assert_eq!(chosen("http://api.example.com", &plain).unwrap(), proxy("http://q:1/"));
        let except = [("HTTPS_PROXY", "p:1"), ("no_proxy", ".example.com")];
        assert_eq!(chosen(server, &except).unwrap(), None);
        let why = chosen(server, &[("HTTPS_PROXY", "http://u:hunter2@p q")]).unwrap_err();
        assert!(!why.to_string().contains("hunter2") && why.to_string().contains("HTTPS_PROXY"));
    }

    #[test]
    fn credentials_are_taken_from_the_url() {
        let of = |url: &str| credentials(&url.parse().unwrap());
        assert_eq!(of("http://p:1"), None);
        assert_eq!(of("http://u:a%40b%3A@p:1"), Some(("u".to_owned(), "a@b:".to_owned())));
    }
}
