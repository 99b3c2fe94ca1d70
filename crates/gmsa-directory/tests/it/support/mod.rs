//! Logging on to the domain controller of the run, and what many tests wish for.
#![allow(dead_code, reason = "not every test needs all of it")]

use gmsa_directory::account::{Check, CheckStatus, ENCRYPTION_TYPES, Effect, NewAccount};
use gmsa_directory::{Credentials, Directory, Options, Principal};
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DomainController, HOST_PASSWORD,
};

pub fn options(controller: &DomainController, user: &str, password: &str) -> Options {
    Options {
        server: Some(controller.address.to_string()),
        ca: Some(controller.ca.clone()),
        credentials: Some(Credentials { user: user.to_owned(), password: password.into() }),
        ..Options::default()
    }
}

/// The options of the administrator of a controller's own domain.
pub fn as_administrator(controller: &DomainController) -> Options {
    let user = format!("Administrator@{}", controller.realm.domain);
    options(controller, &user, ADMINISTRATOR_PASSWORD)
}

pub async fn administrator(controller: &DomainController) -> Directory {
    let options = options(controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
    Directory::open(&options).await.unwrap()
}

pub async fn host(controller: &DomainController, name: &str) -> Directory {
    let options = options(controller, &format!("{name}$@contoso.com"), HOST_PASSWORD);
    Directory::open(&options).await.unwrap()
}

/// An account that nobody may use.
pub fn wish(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        dns_host_name: None,
        container: None,
        service_principal_names: Vec::new(),
        interval_days: 30,
        encryption_types: ENCRYPTION_TYPES,
        enabled: true,
        allowed: Vec::new(),
    }
}

pub async fn create(directory: &Directory, wish: &NewAccount) {
    let planned = directory.plan(wish).await.unwrap();
    directory.create(&planned).await.unwrap();
}

#[allow(clippy::panic, reason = "a test fails loudly")]
pub fn found<'a>(checks: &'a [Check], id: &str) -> &'a Check {
    checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id}: {checks:?}"))
}

/// The principals whose right changed.
pub fn changed(effects: &[Effect]) -> Vec<Principal> {
    let changed = effects.iter().filter(|effect| effect.changed);
    changed.map(|effect| effect.principal.clone()).collect()
}

pub fn status(checks: &[Check], id: &str) -> CheckStatus {
    found(checks, id).status
}
