//! Whether the webhook's service account may do its work.

use gmsa_cluster::api::{Error, answer};
use gmsa_cluster::installation::{Certificates, Engine, Options};
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::cluster::WEBHOOK_RIGHTS;
use gmsa_core::names::{DOMAIN, INDEX, INDEX_PLURAL, NAME, SECRET};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::facts::Facts;
use crate::failure::Failure;

/// Verb, group, resource and name.
type Right = (&'static str, &'static str, &'static str, &'static str);

const GMSA: &str = "windows.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Without these it denies everything.
const NEEDED: [Right; 2] = [
    ("get", GMSA, "gmsacredentialspecs", ""),
    ("create", "authorization.k8s.io", "localsubjectaccessreviews", ""),
];
/// Without these it reads live, and is slower.
const FASTER: [Right; 10] = [
    ("list", GMSA, "gmsacredentialspecs", ""),
    ("watch", GMSA, "gmsacredentialspecs", ""),
    ("list", RBAC, "roles", ""),
    ("watch", RBAC, "roles", ""),
    ("list", RBAC, "clusterroles", ""),
    ("watch", RBAC, "clusterroles", ""),
    ("list", RBAC, "rolebindings", ""),
    ("watch", RBAC, "rolebindings", ""),
    ("list", RBAC, "clusterrolebindings", ""),
    ("watch", RBAC, "clusterrolebindings", ""),
];
/// Without these its certificate is not renewed, or not published.
const CERTIFICATE: [Right; 8] = [
    ("get", "", "secrets", SECRET),
    ("watch", "", "secrets", SECRET),
    ("create", "", "secrets", SECRET),
    ("patch", "", "secrets", SECRET),
    ("get", ADMISSION, "mutatingwebhookconfigurations", NAME),
    ("patch", ADMISSION, "mutatingwebhookconfigurations", NAME),
    ("get", ADMISSION, "validatingwebhookconfigurations", NAME),
    ("patch", ADMISSION, "validatingwebhookconfigurations", NAME),
];

/// Without these the index of the policy engine is not kept.
const INDEX_RIGHTS: [Right; 5] = [
    ("create", DOMAIN, INDEX_PLURAL, ""),
    ("list", DOMAIN, INDEX_PLURAL, ""),
    ("watch", DOMAIN, INDEX_PLURAL, ""),
    ("get", DOMAIN, INDEX_PLURAL, INDEX),
    ("update", DOMAIN, INDEX_PLURAL, INDEX),
];

/// Asks the API server for each right.
pub async fn examine(
    client: &Client,
    facts: &Facts,
    options: Option<&Options>,
) -> Result<Outcome, Failure> {
    let Some((namespace, account)) = facts.service_account() else {
        let words = "there is no Deployment with a service account";
        return Ok(match &facts.deployment {
            Err(why) => Outcome::unknown(&WEBHOOK_RIGHTS, why),
            Ok(_) => Outcome::skipped(&WEBHOOK_RIGHTS, words),
        });
    };
    let object = format!("ServiceAccount {namespace}/{account}");
    let own = options.is_some_and(|options| options.certificates == Certificates::SelfManaged);
    let mut needed = NEEDED.to_vec();
    if own {
        needed.extend(CERTIFICATE);
    }
    if options.is_some_and(|options| options.engine == Engine::Policy) {
        needed.extend(INDEX_RIGHTS);
    }
    let mut missing = [Vec::new(), Vec::new()];
    for (rights, missing) in [needed, FASTER.to_vec()].into_iter().zip(&mut missing) {
        for right in rights {
            match allowed(client, namespace, account, right).await {
                Ok(true) => {}
                Ok(false) => missing.push(format!("{} {}", right.0, right.2)),
                Err(error) if error.is_forbidden() => {
                    let words = "you may not ask what the webhook's service account may do";
                    return Ok(Outcome::unknown(&WEBHOOK_RIGHTS, words).on(object));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let [needed, faster] = missing;
    Ok(if !needed.is_empty() {
        Outcome::problem(&WEBHOOK_RIGHTS, format!("it may not {}", needed.join(", ")))
    } else if !faster.is_empty() && facts.ours {
        let words = format!("it may not {}, so it reads live and is slower", faster.join(", "));
        Outcome::warning(&WEBHOOK_RIGHTS, words)
    } else {
        Outcome::ok(&WEBHOOK_RIGHTS, "it may do all that it needs")
    }
    .on(object))
}

async fn allowed(
    client: &Client,
    namespace: &str,
    account: &str,
    (verb, group, resource, name): Right,
) -> Result<bool, Error> {
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let place = if resource == "secrets" { namespace } else { "" };
    let review: Value = json!({"metadata": {}, "spec": {
        "user": format!("system:serviceaccount:{namespace}:{account}"),
        "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"),
            "system:authenticated"],
        "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "name": name,
            "namespace": place},
    }});
    let asked = async {
        let review = serde_json::from_value(review).map_err(kube::Error::SerdeError)?;
        reviews.create(&PostParams::default(), &review).await
    };
    let object = format!("the rights of ServiceAccount {namespace}/{account}");
    let answer = answer("review", object, asked).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
