use super::*;
use crate::credspec::identifier::is_guid;

#[test]
fn the_table_can_be_searched() {
    for plugin in PLUGINS {
        assert!(is_guid(plugin.guid), "{}", plugin.id);
        assert_eq!(by_guid(&plugin.guid.to_lowercase()).unwrap().id, plugin.id);
        assert_eq!(by_id(plugin.id).unwrap().guid, plugin.guid);
    }
    assert!(by_guid("00000000-0000-0000-0000-000000000000").is_none());
    assert!(by_id("AKS").is_none());
}

#[test]
fn inputs_in_the_plugins_formats() {
    for (id, input, fits) in [
        ("aks", "ObjectId=5c33b;SecretUri=https://kv.vault.azure.net/secrets/gmsa-password", true),
        ("aks", "secreturi=HTTPS://kv/secrets/a/0123;OBJECTID=5c33b;", true),
        ("aks", "ObjectId=5c33b", false),
        ("aks", "ObjectId=;SecretUri=https://kv/secrets/a", false),
        ("aks", "ObjectId=1;ObjectId=2;SecretUri=https://kv/secrets/a", false),
        ("aks", "ObjectId=1;SecretUri=http://kv/secrets/a", false),
        ("aks", "ObjectId=1;SecretUri=https://kv/keys/a", false),
        ("aks", "ObjectId=1;SecretUri=https://user:secret@kv/secrets/a", false),
        ("aks", "ObjectId=1;SecretUri=https://kv/secrets/a;Password=b", false),
        ("aks", "", false),
        ("aws", r#"{"credentialArn":"arn:aws:secretsmanager:eu-west-1:1:secret:gmsa-AbC"}"#, true),
        ("aws", r#"{ "CredentialArn": "arn:aws-cn:ssm:cn-north-1:1:parameter/gmsa" }"#, true),
        ("aws", "arn:aws:secretsmanager:eu-west-1:1:secret:gmsa", false),
        ("aws", r#"{"credentialArn":"gmsa"}"#, false),
        ("aws", r#"{"credentialArn":"arn:aws:secretsmanager:eu-west-1:1:s:g","x":1}"#, false),
        ("aws", r#"{"credentialArn":5}"#, false),
        ("aws", "[]", false),
        ("rancher", "cattle-system:gmsa-secret", true),
        ("rancher", "gmsa-secret", false),
        ("rancher", "a:b:c", false),
        ("rancher", "ns:Secret", false),
        ("rancher", ":", false),
        ("plaintext", "web@contoso.com:a:b", true),
        ("plaintext", "web:pass", false),
    ] {
        assert_eq!(by_id(id).unwrap().fits(input), fits, "{id} {input}");
    }
}

#[test]
fn passwords_in_plain_text() {
    for (input, found) in [
        ("user@contoso.com:hunter2", true),
        ("CONTOSO\\user:hunter2", true),
        ("Username=a;Password=hunter2", true),
        (r#"{"username":"a","password":"hunter2"}"#, true),
        (r#"{\"password\": \"hunter2\"}"#, true),
        ("pwd: x", true),
        // Microsoft's ICcgDomainAuthCredentials page.
        ("contoso.com:gmsaccg:Passw0rd!", true),
        ("CONTOSO:gmsaccg:Passw0rd!", true),
        ("emea.contoso.com:svc:a:b", true),
        ("contoso.com:gmsaccg:", false),
        ("contoso.com:443:/secrets/gmsa", false),
        ("cattle-system:gmsa:secret", false),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:gmsa-AbC", false),
        ("password", false),
        ("password=", false),
        (r#"{"password":""}"#, false),
        ("https://vault/secrets/password", false),
        ("namespace:secret", false),
        (r#"{"credentialArn":"arn:aws:secretsmanager:r:1:secret:user@contoso.com"}"#, false),
        ("", false),
        ("pässword=ü", false),
    ] {
        assert_eq!(looks_like_password(input), found, "{input}");
    }
}

#[test]
fn the_input_of_ecs_is_made_that_of_eks() {
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:gmsa-AbCdEf";
    for (input, made) in [
        (json!({"CredentialArn": arn}), true),
        (json!({"credentialArn": arn}), true),
        (json!({"CredentialArn": arn, "Other": 1}), false),
        (json!({"CredentialArn": "gmsa"}), false),
        (json!({"password": arn}), false),
        (json!(arn), false),
    ] {
        let expected = made.then(|| format!("{{\"credentialArn\":\"{arn}\"}}"));
        assert_eq!(aws_input(&input), expected, "{input}");
        assert!(expected.is_none_or(|input| by_id("aws").unwrap().fits(&input)));
    }
}
