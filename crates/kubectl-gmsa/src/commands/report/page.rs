//! The page: head, summary, and a section for each thing.

use gmsa_core::diagnosis::State;
use gmsa_core::finding::{Finding, Severity};
use gmsa_core::printable::counted;
use serde_json::Value;

use super::html::{Table, Text, all, badge, list, prose};
use super::{Report, audit, diagnosis, map};
use crate::access_map::report::Entry;
use crate::credential_spec::{accounts_of, name_of, plugin_of, text};

const STYLE: &str = include_str!("style.css");
/// The SHA-256 of [`STYLE`] in base64: the browser may use no other style, and load nothing.
const STYLE_HASH: &str = "2mdRikOXLfoQk/hD6/cT+nYF/SiuNnNLUhfqIFvjErQ=";
/// How many rows a table has at most: browsers get slow with more.
const ROWS: usize = 1000;

/// The sections: their id and heading.
const SECTIONS: [(&str, &str); 7] = [
    ("summary", "Summary"),
    ("map", "Access map"),
    ("access", "Who may use what"),
    ("audit", "Audit"),
    ("specs", "Credential specs"),
    ("diagnosis", "Diagnosis"),
    ("health", "Webhook"),
];

/// Renders the page.
pub fn render(report: &Report) -> String {
    let scope = match &report.namespace {
        Some(namespace) => format!("namespace {namespace}"),
        None => "all namespaces".to_owned(),
    };
    let time = report.time.strftime("%Y-%m-%d %H:%M UTC");
    let links =
        all(SECTIONS.iter().map(|(id, title)| format!("<li><a href=\"#{id}\">{title}</a></li>")));
    let contents = [
        summary(report),
        map::draw(&report.access.credential_specs, &report.access.access),
        access(report),
        audit::render(&report.audit),
        specs(report),
        diagnosis::render(&report.diagnosis),
        health(report),
    ];
    let sections = all(SECTIONS.iter().zip(contents).map(|((id, title), content)| {
        format!(
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n\
                 <h2 id=\"{id}-title\">{title}</h2>\n{content}</section>\n"
        )
    }));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>GMSA report, {scope}, {time}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header>\n\
         <h1>GMSA report</h1>\n<p>Identities of Active Directory in this cluster: {scope}. \
         Seen at <time datetime=\"{datetime}\">{time}</time> on Kubernetes {kubernetes}, by \
         kubectl gmsa {version}.</p>\n</header>\n\
         <nav aria-label=\"Sections\"><ul>{links}</ul></nav>\n\
         <main id=\"main\" tabindex=\"-1\">\n{sections}</main>\n\
         <footer><p>This page shows the cluster at the time above. It holds names of accounts, \
         domains and workloads, and no passwords or keys.</p></footer>\n</body>\n</html>\n",
        scope = Text(&scope),
        datetime = report.time,
        kubernetes = Text(&report.kubernetes),
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn summary(report: &Report) -> String {
    let of = &report.access.summary;
    let tile = |count: usize, words: &str, class: &str| {
        let class = if count == 0 { "" } else { class };
        format!("<li class=\"{class}\"><strong>{count}</strong> {words}</li>\n")
    };
    let mut html = diagnosis::verdict(&report.diagnosis);
    html.push_str("<ul class=\"tiles\">\n");
    html.push_str(&tile(report.specs.len(), "credential specs", ""));
    html.push_str(&tile(of.allowed, "rights of service accounts", ""));
    html.push_str(&tile(of.missing, "uses without the right", "error"));
    html.push_str(&tile(of.unused, "rights that nothing uses", "warning"));
    let (errors, warnings) = (report.audited(Severity::Error), report.audited(Severity::Warning));
    html.push_str(&tile(errors, "errors found by the audit", "error"));
    html.push_str(&tile(warnings, "warnings found by the audit", "warning"));
    let (errors, warnings) = (report.findings(Severity::Error), report.findings(Severity::Warning));
    html.push_str(&tile(errors, "errors in credential specs", "error"));
    html.push_str(&tile(warnings, "warnings in credential specs", "warning"));
    html.push_str(&tile(report.checks(State::Problem), "problems of the webhook", "error"));
    html.push_str(&tile(report.checks(State::Warning), "warnings of the webhook", "warning"));
    html.push_str("</ul>\n");
    for unread in &report.access.unread {
        html.push_str(&format!(
            "<p class=\"note\">Not complete, because this could not be read: {}.</p>\n",
            Text(unread)
        ));
    }
    if of.differences > 0 {
        html.push_str(&format!(
            "<p class=\"note\">For {} the API server decides otherwise than the roles and \
             bindings: another authorizer decides too, or the roles have just changed.</p>\n",
            counted(of.differences, "right")
        ));
    }
    if !report.access.verified {
        html.push_str(
            "<p class=\"note\">The API server was not asked: these are the roles and bindings \
             alone.</p>\n",
        );
    }
    html
}

fn access(report: &Report) -> String {
    let entries = &report.access.access;
    let (many, shown): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.is_one_of_many());
    let mut html = String::new();
    if shown.is_empty() {
        html.push_str("<p>No service account has a right or uses a credential spec.</p>\n");
    } else {
        let mut table = Table::new(
            "access-table",
            "Each service account that may use a credential spec, or has a workload that names one",
            &["Credential spec", "Service account", "State", "Given by", "Used by"],
        );
        for entry in shown.iter().take(ROWS) {
            table.row(&entry.credential_spec, &cells(report, entry));
        }
        html.push_str(&table.end());
    }
    html.push_str(&left_out(shown.len(), "rights"));
    if !many.is_empty() {
        html.push_str(&format!(
            "<p>Not listed: {} pairs of a service account and a credential spec that have the \
             right by a group alone and do not use it.</p>\n",
            many.len()
        ));
    }
    html
}

fn cells(report: &Report, entry: &Entry) -> [String; 4] {
    let account = if entry.service_account_exists {
        Text(&entry.account()).to_string()
    } else {
        format!("{} (does not exist)", Text(&entry.account()))
    };
    let state = match entry.state {
        "used" => badge("ok", "allowed, used"),
        "unused" => badge("warning", "allowed, unused"),
        "missing" => badge("error", "used, but denied"),
        _ => badge("", "denied, not used"),
    };
    let exists = |name: &str| {
        report.access.credential_specs.iter().any(|spec| spec.name == name && spec.exists)
    };
    let absent = if exists(&entry.credential_spec) {
        String::new()
    } else {
        format!(" {}", badge("error", "no such credential spec"))
    };
    let ways = entry.ways.iter().map(|way| {
        let wildcard = if way.wildcard { " (by a wildcard)" } else { "" };
        let group = if way.subject.starts_with("Group ") {
            format!(" to {}", Text(&way.subject))
        } else {
            String::new()
        };
        format!("{}{group}, {}{wildcard}", Text(&way.binding), Text(&way.role))
    });
    let users = entry.used_by.iter().map(|by| format!("{} {}", Text(&by.kind), Text(&by.name)));
    [account, state + &absent, list(ways), list(users)]
}

fn specs(report: &Report) -> String {
    if report.specs.is_empty() {
        return "<p>The cluster has none.</p>\n".to_owned();
    }
    let mut table = Table::new(
        "specs-table",
        "Each credential spec of the cluster",
        &["Name", "Accounts", "Domain", "Credential plug-in", "Findings"],
    );
    for (spec, findings) in report.specs.iter().take(ROWS) {
        let accounts = accounts_of(spec);
        let or_none = |text: Option<&str>| Text(text.unwrap_or("–")).to_string();
        table.row(
            name_of(spec),
            &[
                list(accounts.iter().map(|account| Text(account).to_string())),
                or_none(text(spec, "/DomainJoinConfig/DnsName")),
                or_none(plugin_of(spec).as_deref()),
                count(name_of(spec), findings),
            ],
        );
    }
    let mut html = table.end() + &left_out(report.specs.len(), "credential specs");
    let found = report.specs.iter().filter(|(_, findings)| !findings.is_empty());
    for (spec, findings) in found.take(ROWS) {
        html.push_str(&of_spec(spec, findings));
    }
    html
}

fn count(name: &str, findings: &[Finding]) -> String {
    match findings.iter().map(Finding::severity).max() {
        None => badge("ok", "none"),
        Some(worst) => {
            let words = format!("{} ({worst})", findings.len());
            let badge = badge(worst.as_str(), &words);
            format!("<a href=\"#findings-{}\">{badge}</a>", Text(name))
        }
    }
}

fn of_spec(spec: &Value, findings: &[Finding]) -> String {
    let items = all(findings.iter().map(|finding| {
        let at = finding.path.as_ref().map(|path| format!(" at <code>{}</code>", Text(path)));
        format!(
            "<li>{} {}{} <code>{}</code><br>{}</li>\n",
            badge(finding.severity().as_str(), finding.severity().as_str()),
            Text(&finding.message),
            at.unwrap_or_default(),
            Text(finding.code.id()),
            prose(finding.code.remedy()),
        )
    }));
    format!(
        "<h3 id=\"findings-{name}\">Findings for {name}</h3>\n\
         <ul class=\"findings\">\n{items}</ul>\n",
        name = Text(name_of(spec)),
    )
}

fn health(report: &Report) -> String {
    if let Err(why) = &report.diagnosis {
        return format!("<p class=\"note\">The webhook could not be checked: {}</p>\n", Text(why));
    }
    let mut table = Table::new(
        "health-table",
        "What kubectl gmsa status finds",
        &["Check", "State", "What was seen", "What to do"],
    );
    for outcome in report.health() {
        let (class, word) = match outcome.state {
            State::Problem => ("error", "problem"),
            State::Warning => ("warning", "warning"),
            other => ("ok", other.as_str()),
        };
        let next = match outcome.next_step() {
            "" => "–",
            next => next,
        };
        let cells =
            [badge(class, word), Text(&outcome.message).to_string(), Text(next).to_string()];
        table.row(outcome.check.id, &cells);
    }
    table.end()
}

fn left_out(count: usize, what: &str) -> String {
    match count.checked_sub(ROWS) {
        Some(more @ 1..) => format!(
            "<p class=\"note\">{more} more {what} are left out: the table ends after {ROWS}. \
             kubectl gmsa access and kubectl gmsa credspec list show all.</p>\n"
        ),
        _ => String::new(),
    }
}
