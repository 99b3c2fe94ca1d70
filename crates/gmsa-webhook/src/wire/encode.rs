//! From a decision to the bytes of an AdmissionReview.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gmsa_core::admission::{Decision, Denial, Outcome, patch};
use gmsa_core::finding::Finding;
use gmsa_core::json;
use serde::Serialize;

use super::decode::Malformed;
use super::warnings::fit;

const OPENING: &str =
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"#;

/// Encodes a decision as the AdmissionReview that answers the request of this uid.
#[must_use]
pub fn encode(uid: &str, decision: &Decision) -> Vec<u8> {
    let mut json = String::with_capacity(512);
    json.push_str(OPENING);
    json::push_string(&mut json, uid);
    match &decision.outcome {
        Outcome::Allow(operations) => {
            json.push_str(r#","allowed":true"#);
            if !operations.is_empty() {
                let patch = patch::to_json(operations);
                json.reserve(patch.len() * 4 / 3 + 512);
                json.push_str(r#","patchType":"JSONPatch","patch":""#);
                STANDARD.encode_string(patch, &mut json);
                json.push('"');
            }
        }
        Outcome::Deny(denials) => {
            json.push_str(r#","allowed":false,"status":"#);
            push_status(&mut json, denials);
        }
    }
    push_warnings(&mut json, decision.warnings.iter().map(warning));
    if !decision.places.is_empty() {
        json.push_str(r#","auditAnnotations":{"credential-specs":"#);
        json::push_string(&mut json, &decision.credential_specs);
        json.push_str(r#","places":"#);
        json::push_string(&mut json, &decision.places);
        json.push('}');
    }
    json.push_str("}}");
    json.into_bytes()
}

/// Encodes the AdmissionReview that allows the request of this uid, with warnings.
#[must_use]
pub fn encode_warnings(uid: &str, warnings: Vec<String>) -> Vec<u8> {
    let mut json = String::with_capacity(256);
    json.push_str(OPENING);
    json::push_string(&mut json, uid);
    json.push_str(r#","allowed":true"#);
    push_warnings(&mut json, warnings);
    json.push_str("}}");
    json.into_bytes()
}

/// A finding as an admission warning.
#[must_use]
pub fn warning(finding: &Finding) -> String {
    format!("gmsa: {} ({})", finding.message, finding.code.id())
}

/// The one place by which warnings leave the server.
fn push_warnings(json: &mut String, warnings: impl IntoIterator<Item = String>) {
    let warnings = fit(warnings);
    for (index, warning) in warnings.iter().enumerate() {
        json.push_str(if index == 0 { r#","warnings":["# } else { "," });
        json::push_string(json, warning);
    }
    if !warnings.is_empty() {
        json.push(']');
    }
}

/// `metav1.Status` as the API server copies it into its answer.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the Kubernetes API")]
struct Status<'a> {
    #[serde(rename = "apiVersion", skip_serializing_if = "str::is_empty")]
    api_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    status: &'a str,
    message: &'a str,
    reason: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    causes: Vec<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
}

fn push_status(json: &mut String, denials: &[Denial]) {
    let message = denials.iter().map(|denial| denial.message.as_str()).collect::<Vec<_>>();
    let first = denials.first().map(|denial| denial.reason);
    let causes = denials.iter().map(|denial| Cause {
        reason: denial.reason.id(),
        message: &denial.message,
        field: &denial.field,
    });
    let status = Status {
        api_version: "",
        kind: "",
        status: "Failure",
        message: &message.join("; "),
        reason: first.map_or("InternalError", gmsa_core::admission::Reason::status_reason),
        code: first.map_or(500, gmsa_core::admission::Reason::code),
        details: Some(Details { causes: causes.collect() }),
    };
    match serde_json::to_string(&status) {
        Ok(text) => json.push_str(&text),
        // Strings and numbers can always be written; a denial stays a denial in any case.
        Err(_) => json.push_str(r#"{"status":"Failure","code":500}"#),
    }
}

/// Encodes the `Status` that answers a body that is not an AdmissionReview.
#[must_use]
pub fn encode_malformed(malformed: &Malformed) -> Vec<u8> {
    let status = Status {
        api_version: "v1",
        kind: "Status",
        status: "Failure",
        message: &malformed.to_string(),
        reason: "BadRequest",
        code: 400,
        details: None,
    };
    serde_json::to_vec(&status).unwrap_or_default()
}
