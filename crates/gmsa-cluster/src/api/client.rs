//! A client of the API server, found as every client finds it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gmsa_core::printable::listed;
use http::{Response, StatusCode};
use kube::client::{Body, ClientBuilder, DynBody};
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use parking_lot::Mutex;
use tokio::time::Instant;
use tower::BoxError;
use tower::util::{MapErrLayer, MapRequestLayer, MapResponseLayer};

use super::unreachable::{Unreachable, named};
use super::{exec_credential, kubeconfig, proxy, token};

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A kubeconfig file cannot be read, or lacks what was asked for.
    #[error("failed to read the kubeconfig {path}: {source}")]
    Kubeconfig {
        /// The file, or the files.
        path: String,
        /// Why.
        source: KubeconfigError,
    },
    /// A kubeconfig has no context of that name.
    #[error("failed to find the context \"{context}\" in the kubeconfig {path}: it has {known}")]
    Context {
        /// The file, or the files.
        path: String,
        /// The name.
        context: String,
        /// Those that are there.
        known: String,
    },
    /// Neither a kubeconfig nor the environment of a pod was found.
    #[error(
        "failed to find a cluster: {looked_for}, and this is not a pod ({source}); set --kubeconfig or \
         KUBECONFIG, or run inside a cluster"
    )]
    NoCluster {
        /// Which files were looked for, and what came of it.
        looked_for: String,
        /// Why the environment is not that of a pod.
        source: InClusterError,
    },
    /// The user of the kubeconfig has a credential plug-in, and it gave none.
    #[error(transparent)]
    Credential(#[from] exec_credential::Error),
    /// The token of the kubeconfig's user, or of the pod's own account, cannot be used.
    #[error("failed to use the credentials of {owner}: {why}")]
    Token {
        /// Whose they are.
        owner: String,
        /// Why, without the token.
        why: String,
    },
    /// The proxy before the API server cannot be used.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// The configuration cannot be used.
    #[error("failed to make a client of the API server: {0}")]
    Client(#[from] kube::Error),
}

/// How many contexts a message lists.
const CONTEXTS: usize = 10;

/// Which cluster, and as whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// The kubeconfig file; else `KUBECONFIG`, `~/.kube/config`, or the pod's own account.
    pub kubeconfig: Option<&'a Path>,
    /// The context in it; else the current one.
    pub context: Option<&'a str>,
}

/// Whether the API server accepts a client's token. It rejects each token of a service account that
/// was deleted, also when there is an account of that name again: tokens are bound to the UID.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The first rejection after the last answer that was none.
    rejected: Mutex<Option<Instant>>,
}

impl Credentials {
    /// For how long every answer of the API server has been 401 (Unauthorized); none if the last
    /// answer was another.
    #[must_use]
    pub fn rejected_for(&self) -> Option<Duration> {
        self.rejected.lock().map(|since| since.elapsed())
    }

    fn answered(&self, status: StatusCode) {
        let mut rejected = self.rejected.lock();
        if status == StatusCode::UNAUTHORIZED {
            rejected.get_or_insert_with(Instant::now);
        } else {
            *rejected = None;
        }
    }
}

/// A token that changes while the client is used, by its origin.
#[derive(Clone)]
enum Token {
    /// A credential plug-in of the kubeconfig.
    Plugin(exec_credential::Renewed),
    /// A file.
    File(token::InFile),
}

impl Token {
    fn authorize<B>(&self, request: http::Request<B>) -> http::Request<B> {
        match self {
            Self::Plugin(token) => token.authorize(request),
            Self::File(token) => token.authorize(request),
        }
    }
}

/// The names of the contexts of a kubeconfig file, or of those that are found without one; none if it cannot be
/// read.
#[must_use]
pub fn contexts(kubeconfig: Option<&Path>) -> Vec<String> {
    let read = match kubeconfig {
        Some(path) => Kubeconfig::read_from(path).ok(),
        None => kubeconfig::of_environment().ok().and_then(|found| found.kubeconfig),
    };
    let contexts = read.map(|read| read.contexts).unwrap_or_default();
    contexts.into_iter().map(|context| context.name).collect()
}

/// Makes a client.
pub async fn connect(selection: Selection<'_>) -> Result<Client, Error> {
    Ok(connect_watched(selection).await?.0)
}

/// Makes a client, and what keeps track of whether its token is accepted.
pub async fn connect_watched(
    selection: Selection<'_>,
) -> Result<(Client, Arc<Credentials>), Error> {
    let (mut config, owner) = configuration(selection).await?;
    config.connect_timeout = Some(Duration::from_secs(5));
    // Longer than a watch is silent, and short of keeping a dead connection.
    config.read_timeout = Some(Duration::from_secs(65));
    config.default_retry = false;
    let unusable = |why: String| Error::Token { owner: owner.clone(), why };
    token::check(&mut config.auth_info).map_err(|why| unusable(why.to_owned()))?;
    let renewed = exec_credential::sign_in(&mut config.auth_info)?;
    let in_file = token::InFile::of(&mut config.auth_info).map_err(unusable)?;
    let credentials = Arc::new(Credentials::default());
    let noted = Arc::clone(&credentials);
    let note = move |response: Response<Box<DynBody>>| {
        noted.answered(response.status());
        response
    };
    let mut server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    if let Some(through) = &config.proxy_url {
        server.push_str(&format!(" through the proxy {}", proxy::shown(through)));
    }
    let lost = move |error: BoxError| named(&server, error);
    let layers = |builder: ClientBuilder<proxy::Requests>| {
        builder.with_layer(&MapErrLayer::new(lost)).with_layer(&MapResponseLayer::new(note))
    };
    let builder = layers(match config.proxy_url.take() {
        Some(through) => proxy::builder(&config, &through)?,
        None => ClientBuilder::try_from(config)?,
    });
    let client = match renewed.map(Token::Plugin).or(in_file.map(Token::File)) {
        Some(token) => builder
            .with_layer(&MapRequestLayer::new(move |request: http::Request<Body>| {
                token.authorize(request)
            }))
            .build(),
        None => builder.build(),
    };
    Ok((client, credentials))
}

/// Where the API server is, and whose credentials are used there.
async fn configuration(selection: Selection<'_>) -> Result<(Config, String), Error> {
    let failed = |path: String| move |source| Error::Kubeconfig { path, source };
    if let Some(path) = selection.kubeconfig {
        let path_shown = path.display().to_string();
        let kubeconfig = Kubeconfig::read_from(path).map_err(failed(path_shown.clone()))?;
        return of_kubeconfig(kubeconfig, selection.context, path_shown).await;
    }
    let found = kubeconfig::of_environment()
        .map_err(|(path, source)| failed(path.display().to_string())(source))?;
    let paths: Vec<String> = found.paths.iter().map(|path| path.display().to_string()).collect();
    let paths = paths.join(", ");
    match (found.kubeconfig, selection.context) {
        (Some(kubeconfig), context) => of_kubeconfig(kubeconfig, context, paths).await,
        (None, Some(context)) => {
            Err(failed(paths)(KubeconfigError::LoadContext(context.to_owned())))
        }
        (None, None) => {
            let config = Config::incluster().map_err(|source| Error::NoCluster {
                looked_for: if paths.is_empty() {
                    "there is no home directory to look for a kubeconfig in".to_owned()
                } else {
                    format!("no kubeconfig with a cluster in {paths}")
                },
                source,
            })?;
            Ok((config, "this pod's service account".to_owned()))
        }
    }
}

async fn of_kubeconfig(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
    path: String,
) -> Result<(Config, String), Error> {
    let wanted = context.or(kubeconfig.current_context.as_deref()).unwrap_or_default();
    if !wanted.is_empty() && kubeconfig.contexts.iter().all(|one| one.name != wanted) {
        let known = kubeconfig.contexts.iter().map(|one| one.name.as_str());
        let known = Some(listed(known, CONTEXTS)).filter(|known| !known.is_empty());
        let known = known.unwrap_or_else(|| "none".to_owned());
        return Err(Error::Context { path, context: wanted.to_owned(), known });
    }
    let (user, has_proxy) = kubeconfig::user_and_proxy(&kubeconfig, context);
    let options =
        KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let owner = format!("the user \"{user}\" in the kubeconfig {path}");
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|source| Error::Kubeconfig { path, source })?;
    // What the kubeconfig names counts, whatever the environment excludes.
    if !has_proxy {
        config.proxy_url = proxy::of_environment(&config.cluster_url)?;
    }
    Ok((config, owner))
}

/// Why a request failed, in words without what it carried.
#[must_use]
pub fn why(error: &kube::Error) -> String {
    use std::error::Error as _;

    match error {
        kube::Error::Api(status) => format!("{} (code {})", status.message, status.code),
        kube::Error::Service(error) if error.is::<Unreachable>() => error.to_string(),
        other => {
            // The causes say more than the outermost error, which is often "service error".
            let mut words = other.to_string();
            let mut source = other.source();
            while let Some(cause) = source {
                let cause_words = cause.to_string();
                if !words.contains(&cause_words) {
                    words = format!("{words}: {cause_words}");
                }
                source = cause.source();
            }
            words
        }
    }
}
