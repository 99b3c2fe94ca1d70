//! The definition of the custom resource, as an API server serves it.

use std::cell::Cell;

use gmsa_testkit::cluster::Cluster;
use gmsa_testkit::process::eventually;
use gmsa_testkit::{objects, shared};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PostParams};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::support::{SOON, install_definition};

/// The resource in one of its versions.
fn version(version: &str) -> ApiResource {
    ApiResource {
        api_version: format!("windows.k8s.io/{version}"),
        version: version.to_owned(),
        ..gmsa_cluster::api::objects::kinds::CREDENTIAL_SPEC.resource()
    }
}

#[tokio::test]
async fn both_versions_show_the_same_object_and_unknown_keys_are_pruned() {
    let name = "both_versions_show_the_same_object_and_unknown_keys_are_pruned";
    let Some(cluster) = shared::cluster(name).await else { return };
    install_definition(&cluster).await;
    for (written, read) in [("v1alpha1", "v1"), ("v1", "v1alpha1")] {
        let name = cluster.unique("version");
        let mut object = objects::credential_spec(&name, "WebApp1");
        object["apiVersion"] = json!(format!("windows.k8s.io/{written}"));
        object["credspec"]["HostAccount"] = json!("unknown");
        // Not applied: server-side apply refuses a key that it does not know.
        let typed: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        let api = cluster.api(&object).await;
        api.create(&PostParams::default(), &typed).await.unwrap();
        let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &version(read));
        let stored = api.get(&name).await.unwrap();
        assert_eq!(stored.data["credspec"], objects::contents("WebApp1"));
    }
}

#[tokio::test]
async fn the_api_servers_table_has_the_columns_and_the_resource_its_short_name() {
    let name = "the_api_servers_table_has_the_columns_and_the_resource_its_short_name";
    let Some(cluster) = shared::cluster(name).await else { return };
    install_definition(&cluster).await;
    let name = cluster.unique("table");
    let guid = "{CCC2A336-D7F3-4818-A213-272B7924213E}";
    let mut full = objects::credential_spec(&name, "WebApp1");
    full["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] = json!({"PluginGUID": guid});
    cluster.apply(&full).await;
    for version in ["v1", "v1alpha1"] {
        let get = |path: String, accept: &'static str| {
            let request = http::Request::get(path).header("accept", accept);
            cluster.client.request::<Value>(request.body(Vec::new()).unwrap())
        };
        let list = format!("/apis/windows.k8s.io/{version}");
        let resources = get(list.clone(), "application/json").await.unwrap();
        let resource = resources["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == json!("gmsacredentialspecs"))
            .unwrap();
        assert_eq!(resource["shortNames"], json!(["gmsa"]), "{version}");
        assert_eq!(resource["singularName"], json!("gmsacredentialspec"), "{version}");
        assert_eq!(resource["namespaced"], json!(false), "{version}");

        // What kubectl asks for.
        let accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
        let path = format!("{list}/gmsacredentialspecs/{name}");
        let table = get(path, accept).await.unwrap();
        assert_eq!(table["kind"], json!("Table"), "{table}");
        let columns: Vec<Value> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| json!([column["name"], column["type"], column["priority"]]))
            .collect();
        let expected = [
            json!(["Name", "string", 0]),
            json!(["Account", "string", 0]),
            json!(["Domain", "string", 0]),
            json!(["Plugin", "string", 1]),
            json!(["Age", "date", 0]),
        ];
        assert_eq!(columns, expected, "{version}");
        let cells = table["rows"][0]["cells"].as_array().unwrap();
        assert_eq!(cells[..4], [json!(name), json!("WebApp1"), json!("contoso.com"), json!(guid)]);
        let age = cells[4].as_str().unwrap();
        assert!(age.ends_with('s') || age.ends_with('m'), "{age} is not an age");
    }
}

/// The known keys with their types, as in the definition that windows-gmsa's users have. Repeated
/// here, so that the test catches a change of ours.
fn public_schema() -> Value {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let strings = |keys: &[&str]| {
        let keys = keys.iter().map(|key| ((*key).to_owned(), json!({"type": "string"})));
        object(Value::Object(keys.collect()))
    };
    let join = ["DnsName", "DnsTreeName", "Guid", "MachineAccountName", "NetBiosName", "Sid"];
    let credspec = object(json!({
        "ActiveDirectoryConfig": object(json!({
            "GroupManagedServiceAccounts": {"type": "array", "items": strings(&["Name", "Scope"])},
            "HostAccountConfig": strings(&["PluginGUID", "PluginInput", "PortableCcgVersion"]),
        })),
        "CmsPlugins": {"type": "array", "items": {"type": "string"}},
        "DomainJoinConfig": strings(&join),
    }));
    object(json!({ "credspec": credspec }))
}

/// A second resource, with the public schema, and a name of its own: `kubectl` of other tests names
/// ours without its group.
async fn install_public(cluster: &Cluster) -> ApiResource {
    let group = format!("{}.example.com", cluster.unique("public"));
    let versions = [("v1", true), ("v1alpha1", false)].map(|(name, storage)| {
        json!({"name": name, "served": true, "storage": storage,
            "schema": {"openAPIV3Schema": public_schema()}})
    });
    cluster
        .apply(&json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("publicspecs.{group}")},
            "spec": {"group": group, "scope": "Cluster", "versions": versions, "names": {
                "kind": "PublicSpec", "plural": "publicspecs"}}}))
        .await;
    let resource = ApiResource {
        api_version: format!("{group}/v1"),
        group,
        version: "v1".to_owned(),
        kind: "PublicSpec".to_owned(),
        plural: "publicspecs".to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
    eventually("the public definition is served", SOON, || async {
        api.list(&ListParams::default()).await.ok().map(drop)
    })
    .await;
    resource
}

/// Any JSON, of little depth.
fn any_json() -> BoxedStrategy<Value> {
    let text = prop_oneof![Just(String::new()), "[ -~]{1,12}", "\\PC{1,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|number| json!(f64::from(number) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec(("[A-Za-z]{1,6}", inner), 0..3)
                .prop_map(|keys| Value::Object(keys.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Mostly what is given, now and then any other JSON.
fn mostly(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![40 => value, 1 => any_json()].boxed()
}

fn string() -> BoxedStrategy<Value> {
    let odd = select(vec!["", "{zzz}", "not hexadecimal", "S-1-5-21-1-2-3", "9", "contoso.com"]);
    mostly(prop_oneof![odd.prop_map(Value::from), "\\PC{0,20}".prop_map(Value::from)])
}

fn array(items: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    mostly(vec(items, 0..3).prop_map(Value::from))
}

/// An object with some of these keys, and now and then one that nobody knows.
fn object(known: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let known: Vec<_> = known
        .into_iter()
        .map(|(key, value)| {
            proptest::option::weighted(0.7, value)
                .prop_map(move |value| value.map(|value| (key.to_owned(), value)))
                .boxed()
        })
        .collect();
    let unknown = prop_oneof![3 => Just(Vec::new()), 1 => vec(("[A-Za-z]{1,8}", any_json()), 1..3)];
    let keys = (known, unknown).prop_map(|(known, unknown)| {
        let keys: Map<String, Value> =
            unknown.into_iter().chain(known.into_iter().flatten()).collect();
        Value::Object(keys)
    });
    mostly(keys)
}

fn credspec() -> BoxedStrategy<Value> {
    let strings = |keys: &[&'static str]| object(keys.iter().map(|key| (*key, string())).collect());
    object(vec![
        (
            "ActiveDirectoryConfig",
            object(vec![
                ("GroupManagedServiceAccounts", array(strings(&["Name", "Scope"]))),
                (
                    "HostAccountConfig",
                    strings(&["PluginGUID", "PluginInput", "PortableCcgVersion"]),
                ),
            ]),
        ),
        ("CmsPlugins", array(string())),
        (
            "DomainJoinConfig",
            strings(&[
                "DnsName",
                "DnsTreeName",
                "Guid",
                "MachineAccountName",
                "NetBiosName",
                "Sid",
            ]),
        ),
    ])
}

/// Keys at the root: the contents, mostly, and others.
fn root() -> impl Strategy<Value = Map<String, Value>> {
    let contents = proptest::option::weighted(0.95, credspec());
    let spec = proptest::option::weighted(0.1, any_json());
    (contents, spec).prop_map(|(contents, spec)| {
        let keys = [("credspec", contents), ("spec", spec)];
        keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    })
}

/// What an API server makes of an object: what it would store, or that it refuses. Nothing is
/// stored.
async fn outcome(
    cluster: &Cluster,
    resource: &ApiResource,
    keys: &Map<String, Value>,
) -> Option<Value> {
    let mut object = keys.clone();
    object.insert("apiVersion".to_owned(), json!(resource.api_version));
    object.insert("kind".to_owned(), json!(resource.kind));
    object.insert("metadata".to_owned(), json!({"name": "generated"}));
    // As plain bytes: a typed object could change it on its way.
    let path = format!("/apis/{}/{}?dryRun=All", resource.api_version, resource.plural);
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(Value::Object(object).to_string().into_bytes())
        .unwrap();
    match cluster.client.request::<Value>(request).await {
        Ok(mut stored) => {
            let keys = stored.as_object_mut().unwrap();
            keys.retain(|key, _| !["apiVersion", "kind", "metadata"].contains(&key.as_str()));
            Some(stored)
        }
        Err(kube::Error::Api(status)) => {
            assert!([400, 422].contains(&status.code), "{status:?}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_the_public_definition_accepts_is_accepted_and_stored_alike() {
    let name = "what_the_public_definition_accepts_is_accepted_and_stored_alike";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(cluster) = runtime.block_on(shared::cluster(name)) else { return };
    let public = runtime.block_on(async {
        install_definition(&cluster).await;
        install_public(&cluster).await
    });
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&root(), |keys| {
            let expected = runtime.block_on(outcome(&cluster, &public, &keys));
            let count = if expected.is_some() { &accepted } else { &refused };
            count.set(count.get() + 1);
            for own in ["v1", "v1alpha1"] {
                let ours = runtime.block_on(outcome(&cluster, &version(own), &keys));
                prop_assert_eq!(&ours, &expected, "{} as {}", json!(keys), own);
            }
            Ok(())
        })
        .unwrap();
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > 50 && refused > 20, "{accepted} accepted, {refused} refused: say little");
}
