use super::*;

#[test]
fn the_ldif_of_a_planned_account() {
    let wish = NewAccount {
        name: "WebApp1$".to_owned(),
        dns_host_name: None,
        container: None,
        service_principal_names: vec!["http/web.contoso.com".to_owned()],
        interval_days: 30,
        encryption_types: 24,
        enabled: false,
        allowed: vec![],
    };
    let container = "CN=Managed Service Accounts,DC=contoso,DC=com";
    let planned = planned("WebApp1", container, "web.contoso.com", &wish);
    assert_eq!(
        planned.ldif(),
        "dn: CN=WebApp1,CN=Managed Service Accounts,DC=contoso,DC=com\n\
         changetype: add\n\
         objectClass: msDS-GroupManagedServiceAccount\n\
         sAMAccountName: WebApp1$\n\
         dNSHostName: web.contoso.com\n\
         userAccountControl: 4098\n\
         msDS-ManagedPasswordInterval: 30\n\
         msDS-SupportedEncryptionTypes: 24\n\
         servicePrincipalName: http/web.contoso.com\n"
    );
}
