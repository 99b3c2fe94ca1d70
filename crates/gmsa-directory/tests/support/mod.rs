//! Logging on to the domain controller of the run.

use gmsa_directory::{Credentials, Directory, Options};
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

pub async fn administrator(controller: &DomainController) -> Directory {
    let options = options(controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
    Directory::open(&options).await.unwrap()
}

#[allow(dead_code, reason = "not every test logs on as a host")]
pub async fn host(controller: &DomainController, name: &str) -> Directory {
    let options = options(controller, &format!("{name}$@contoso.com"), HOST_PASSWORD);
    Directory::open(&options).await.unwrap()
}
