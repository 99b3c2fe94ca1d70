//! Access reviews: may this service account `use` this credential spec.

use std::fmt;

use gmsa_core::admission::Right;
use gmsa_core::names::{GROUP, PLURAL};
use k8s_openapi::api::authorization::v1::{
    LocalSubjectAccessReview, ResourceAttributes, SubjectAccessReviewSpec,
    SubjectAccessReviewStatus,
};
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::task::JoinSet;

use super::{Error, answer};

/// Whether the service account may use the credential spec, by an access review.
pub async fn review(client: Client, namespace: &str, service_account: &str, name: &str) -> Right {
    let [namespace, service_account, name] = [namespace, service_account, name].map(str::to_owned);
    Access { namespace, service_account, name }.ask(client).await
}

/// How many reviews of [`reviews`] are under way at once.
const AT_ONCE: usize = 16;

/// Whether each of these may: namespace, service account and credential spec. Fails where the API
/// server cannot say.
pub async fn reviews(
    client: &Client,
    asked: impl IntoIterator<Item = [String; 3]>,
) -> Result<Vec<([String; 3], bool)>, String> {
    let mut waiting = asked.into_iter();
    let mut open = JoinSet::new();
    let mut answers = Vec::new();
    loop {
        while open.len() < AT_ONCE
            && let Some(one) = waiting.next()
        {
            let client = client.clone();
            open.spawn(async move {
                let [namespace, service_account, name] = &one;
                let right = review(client, namespace, service_account, name).await;
                (one, right)
            });
        }
        match open.join_next().await {
            None => return Ok(answers),
            Some(Ok((one, Right::Allowed))) => answers.push((one, true)),
            Some(Ok((one, Right::Denied))) => answers.push((one, false)),
            Some(Ok((_, Right::Unknown(failure)))) => return Err(failure.message),
            Some(Err(error)) => return Err(format!("failed to wait for the reviews: {error}")),
        }
    }
}

/// What is attempted, in the words of an error.
const REVIEW: &str = "review the access of";

/// Who asks for what.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) namespace: String,
    pub(crate) service_account: String,
    pub(crate) name: String,
}

impl Access {
    pub(crate) fn key(namespace: &str, service_account: &str, name: &str) -> String {
        // None of the three can hold a slash.
        [namespace, service_account, name].join("/")
    }

    fn review(&self) -> LocalSubjectAccessReview {
        let Self { namespace, service_account, name } = self;
        LocalSubjectAccessReview {
            // Servers of version 1.20 refuse a review that does not repeat the namespace.
            metadata: ObjectMeta { namespace: Some(namespace.clone()), ..ObjectMeta::default() },
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{namespace}:{service_account}")),
                groups: Some(vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                ]),
                resource_attributes: Some(ResourceAttributes {
                    verb: Some("use".to_owned()),
                    group: Some(GROUP.to_owned()),
                    version: Some("v1".to_owned()),
                    resource: Some(PLURAL.to_owned()),
                    name: Some(name.clone()),
                    namespace: Some(namespace.clone()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            status: None,
        }
    }

    /// The answer when a caller's own time ran out.
    pub(crate) fn timed_out(&self) -> Right {
        Right::Unknown(Error::timed_out(REVIEW, self).into())
    }

    /// Asks the API server.
    pub(crate) async fn ask(self, client: Client) -> Right {
        let api: Api<LocalSubjectAccessReview> = Api::namespaced(client, &self.namespace);
        let (params, review) = (PostParams::default(), self.review());
        match answer(REVIEW, &self, api.create(&params, &review)).await {
            Ok(review) => self.right(review.status.unwrap_or_default()),
            Err(error) => Right::Unknown(error.into()),
        }
    }

    /// What the API server's answer means.
    fn right(&self, status: SubjectAccessReviewStatus) -> Right {
        // An answer with an evaluation error does not count.
        if let Some(error) = status.evaluation_error.filter(|error| !error.is_empty()) {
            let why = format!("the authorizer reports: {error}");
            return Right::Unknown(Error::not_sent(REVIEW, self, why).into());
        }
        if status.allowed && status.denied != Some(true) { Right::Allowed } else { Right::Denied }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, service_account, name } = self;
        write!(f, "service account \"{namespace}/{service_account}\" to GMSA cred spec \"{name}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_allowed_allows() {
        let access = Access {
            namespace: "shop".to_owned(),
            service_account: "web".to_owned(),
            name: "webapp1".to_owned(),
        };
        for (allowed, denied, error, expected) in [
            (true, None, None, Some(Right::Allowed)),
            (true, Some(false), Some(""), Some(Right::Allowed)),
            (true, Some(true), None, Some(Right::Denied)),
            (false, None, None, Some(Right::Denied)),
            (false, Some(true), None, Some(Right::Denied)),
            (true, None, Some("an authorizer failed"), None),
            (false, None, Some("an authorizer failed"), None),
        ] {
            let right = access.right(SubjectAccessReviewStatus {
                allowed,
                denied,
                evaluation_error: error.map(str::to_owned),
                reason: None,
            });
            match expected {
                Some(expected) => assert_eq!(right, expected),
                None => assert!(matches!(right, Right::Unknown(_)), "{right:?}"),
            }
        }
        assert_eq!(Access::key("shop", "web", "webapp1"), "shop/web/webapp1");
    }
}
