//! Bearer tokens of a kubeconfig's user, or of a pod's own account.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use kube::config::AuthInfo;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

/// How long a token is used before its file is read again. A kubelet replaces tokens long before they
/// expire.
const FRESH: Duration = Duration::from_secs(50);

/// What is wrong with a token that cannot be sent.
const NOT_SENDABLE: &str =
    "its token holds characters that no HTTP header may hold, such as a line break";

/// The header that carries a token.
pub fn bearer(token: &SecretString) -> Result<HeaderValue, &'static str> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
    let mut header = header.map_err(|_| NOT_SENDABLE)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Checks the tokens that are written into the kubeconfig itself: the client panics on one that no
/// header may hold. An empty one counts as none, as for kubectl.
pub fn check(user: &mut AuthInfo) -> Result<(), &'static str> {
    user.token.take_if(|token| token.expose_secret().is_empty());
    let legacy = user.auth_provider.iter().flat_map(|provider| {
        ["id-token", "access-token"].into_iter().filter_map(|key| provider.config.get(key))
    });
    let tokens = user.token.iter().cloned().chain(legacy.cloned().map(SecretString::from));
    for token in tokens {
        bearer(&token)?;
    }
    Ok(())
}

/// A token in a file, read again from time to time.
#[derive(Clone)]
pub struct InFile(Arc<Mutex<State>>);

struct State {
    path: PathBuf,
    header: HeaderValue,
    read: Instant,
}

impl InFile {
    /// Takes over the token file of this user; none if other credentials come before it. As for kubectl, a
    /// file comes before a token that is written down, which is used if the file cannot be read.
    pub fn of(user: &mut AuthInfo) -> Result<Option<Self>, String> {
        let basic = user.username.is_some() && user.password.is_some();
        if user.auth_provider.is_some() || basic {
            return Ok(None);
        }
        let Some(path) = user.token_file.take() else { return Ok(None) };
        let path = PathBuf::from(path);
        let header = match read(&path) {
            Ok(header) => header,
            Err(_) if user.token.is_some() => return Ok(None),
            Err(why) => return Err(why),
        };
        user.token = None;
        Ok(Some(Self(Arc::new(Mutex::new(State { path, header, read: Instant::now() })))))
    }

    /// Adds the token to a request. A file that cannot be read leaves the old token: the API server's
    /// 401 then is the answer.
    pub fn authorize<B>(&self, mut request: http::Request<B>) -> http::Request<B> {
        let mut state = self.0.lock();
        if state.read.elapsed() >= FRESH {
            state.read = Instant::now();
            match read(&state.path) {
                Ok(header) => state.header = header,
                Err(why) => tracing::warn!("failed to renew the token: {why}"),
            }
        }
        request.headers_mut().insert(AUTHORIZATION, state.header.clone());
        request
    }
}

/// Reads the file as kubectl does, without the white space around the token.
fn read(path: &std::path::Path) -> Result<HeaderValue, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|why| format!("failed to read {shown}: {why}"))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(format!("the file {shown} is empty"));
    }
    bearer(&token.into()).map_err(|why| format!("{shown}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_again_and_trimmed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let mut user =
            AuthInfo { token_file: Some(path.display().to_string()), ..AuthInfo::default() };
        assert!(InFile::of(&mut user.clone()).err().unwrap().contains("failed to read"));
        fs::write(&path, " \n").unwrap();
        assert!(InFile::of(&mut user.clone()).err().unwrap().ends_with("is empty"));
        fs::write(&path, "hunter\n2").unwrap();
        let why = InFile::of(&mut user.clone()).err().unwrap();
        assert!(why.contains("no HTTP header may hold") && !why.contains("hunter"), "{why}");
        fs::write(&path, "one\r\n").unwrap();
        let token = InFile::of(&mut user).unwrap().unwrap();
        assert_eq!(user.token_file, None);
        let sent = || {
            let request = token.authorize(http::Request::new(()));
            request.headers()[AUTHORIZATION].to_str().unwrap().to_owned()
        };
        fs::write(&path, "two\n").unwrap();
        assert_eq!(sent(), "Bearer one");
        tokio::time::advance(FRESH).await;
        assert_eq!(sent(), "Bearer two");
        fs::write(&path, "").unwrap();
        tokio::time::advance(FRESH).await;
        assert_eq!(sent(), "Bearer two");
    }

    #[test]
    fn a_token_file_comes_before_what_is_written_down() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "two").unwrap();
        let of = |token: &str, path: &std::path::Path| AuthInfo {
            token: Some(token.to_owned().into()),
            token_file: Some(path.display().to_string()),
            ..AuthInfo::default()
        };
        let mut user = of("one", file.path());
        assert_eq!(check(&mut user), Ok(()));
        let token = InFile::of(&mut user).unwrap().unwrap();
        let request = token.authorize(http::Request::new(()));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer two");
        assert!(user.token.is_none());

        let missing = std::path::Path::new("/nonexistent");
        let mut user = of("one", missing);
        assert!(InFile::of(&mut user).unwrap().is_none());
        assert_eq!(user.token.unwrap().expose_secret(), "one");
        let mut user = of("", missing);
        assert_eq!(check(&mut user), Ok(()));
        assert!(InFile::of(&mut user).err().unwrap().contains("failed to read"));
        assert_eq!(check(&mut of("one\n", missing)), Err(NOT_SENDABLE));
    }
}
