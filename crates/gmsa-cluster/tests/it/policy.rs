//! Admission policies, evaluated as an API server does it, with the `cel` crate.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Env, Program, Value as Cel, extensions};
use serde_json::Value;

/// What a policy is evaluated with.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub namespace: &'static str,
    pub operation: &'static str,
    pub dry_run: bool,
    /// `ValidatingAdmissionPolicy` knows the namespace of the request.
    pub namespace_object: Value,
    pub object: Value,
    pub old_object: Value,
    /// Who asks.
    pub user: &'static str,
    /// Whether that user may do everything.
    pub is_administrator: bool,
    /// The API group and the resource of the object.
    pub resource: (&'static str, &'static str),
    /// Service account and name of each right to `use` a credential spec in the namespace.
    pub rights: BTreeSet<(String, String)>,
    /// The object that the binding refers to, if it is there.
    pub params: Option<Value>,
}

/// The first validation that fails: the reason and the message, as a client sees them.
pub type Denied = Option<(String, String)>;

/// A policy whose expressions are compiled.
pub struct Policy {
    env: Arc<Env>,
    conditions: Vec<Program>,
    variables: Vec<(String, Program)>,
    validations: Vec<Validation>,
    mutations: Vec<Program>,
}

struct Validation {
    expression: Program,
    message: Program,
    reason: String,
}

impl Policy {
    /// Compiles every expression of a policy.
    pub fn new(policy: &Value) -> Self {
        let spec = &policy["spec"];
        let mut env = Env::stdlib();
        env.add_extension(extensions::strings).unwrap();
        env.add_extension(extensions::lists).unwrap();
        let program = |expression: &Value| {
            let text = as_maps(expression.as_str().unwrap());
            env.compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let list = |key: &str| spec[key].as_array().into_iter().flatten();
        let conditions = list("matchConditions").map(|one| program(&one["expression"])).collect();
        let mutations =
            list("mutations").map(|one| program(&one["jsonPatch"]["expression"])).collect();
        let variables = list("variables")
            .map(|one| (one["name"].as_str().unwrap().to_owned(), program(&one["expression"])))
            .collect();
        let validations = list("validations")
            .map(|one| Validation {
                expression: program(&one["expression"]),
                message: program(&one["messageExpression"]),
                reason: one["reason"].as_str().unwrap().to_owned(),
            })
            .collect();
        Self { conditions, variables, validations, mutations, env: Arc::new(env) }
    }

    /// Evaluates the policy. The error is that of an expression, by which an API server denies.
    pub fn evaluate(&self, request: &Request) -> Result<Denied, String> {
        let Some(context) = self.context(request)? else { return Ok(None) };
        for validation in &self.validations {
            // An API server evaluates every message, and denies if one fails.
            let message = run(&context, &validation.message)?;
            match run(&context, &validation.expression)? {
                Cel::Bool(true) => {}
                Cel::Bool(false) => {
                    let Cel::String(message) = message else { return Err(format!("{message:?}")) };
                    return Ok(Some((validation.reason.clone(), message.to_string())));
                }
                other => return Err(format!("{other:?}")),
            }
        }
        Ok(None)
    }

    /// The operations of a JSON Patch by which the policy changes the object.
    pub fn changes(&self, request: &Request) -> Result<Vec<Value>, String> {
        let Some(context) = self.context(request)? else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        for mutation in &self.mutations {
            match run(&context, mutation)?.json().unwrap() {
                Value::Array(mut more) => changes.append(&mut more),
                other => return Err(other.to_string()),
            }
        }
        Ok(changes)
    }

    /// What expressions know; none if the conditions leave the request out.
    fn context(&self, request: &Request) -> Result<Option<Context<'_, '_>>, String> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        authorizer(&mut context, request);
        context.add_variable("object", request.object.clone()).unwrap();
        context.add_variable("oldObject", request.old_object.clone()).unwrap();
        context.add_variable("namespaceObject", request.namespace_object.clone()).unwrap();
        let (group, resource) = request.resource;
        let asked = serde_json::json!({"namespace": request.namespace,
            "operation": request.operation, "dryRun": request.dry_run,
            "userInfo": {"username": request.user},
            "resource": {"group": group, "resource": resource}});
        context.add_variable("request", asked).unwrap();
        if let Some(params) = &request.params {
            context.add_variable("params", params.clone()).unwrap();
        }
        context.add_function("findAll", find_all).unwrap();
        for condition in &self.conditions {
            if run(&context, condition)? != Cel::Bool(true) {
                return Ok(None);
            }
        }
        let mut variables: HashMap<String, Cel> = HashMap::new();
        for (name, program) in &self.variables {
            context.add_variable_from_value("variables", variables.clone());
            variables.insert(name.clone(), run(&context, program)?);
        }
        context.add_variable_from_value("variables", variables);
        Ok(Some(context))
    }
}

fn run(context: &Context<'_, '_>, program: &Program) -> Result<Cel, String> {
    program.execute(context).map_err(|error| format!("an expression fails: {error}"))
}

/// The objects of the Kubernetes libraries for a JSON Patch, as maps.
fn as_maps(expression: &str) -> String {
    let keys =
        [("JSONPatch{op: ", "{'op': "), (", path: ", ", 'path': "), (", value: ", ", 'value': ")];
    keys.iter().fold(expression.to_owned(), |text, (typed, map)| text.replace(typed, map))
}

#[expect(clippy::needless_pass_by_value, reason = "the interpreter passes values")]
/// Every match of a regular expression, as the Kubernetes libraries find it.
fn find_all(This(text): This<Arc<String>>, pattern: Arc<String>) -> Cel {
    let pattern = regex::Regex::new(&pattern).unwrap();
    let found: Vec<Cel> = pattern.find_iter(&text).map(|one| one.as_str().into()).collect();
    Cel::List(found.into())
}

/// The authorizer of the Kubernetes libraries for CEL: each call adds to what is asked.
fn authorizer(context: &mut Context<'_, '_>, request: &Request) {
    context.add_variable("authorizer", "").unwrap();
    let add = |key: &'static str| {
        move |This(asked): This<Arc<String>>, value: Arc<String>| format!("{asked}{key}={value};")
    };
    for key in ["group", "resource", "namespace", "name"] {
        context.add_function(key, add(key)).unwrap();
    }
    context
        .add_function(
            "serviceAccount",
            |This(asked): This<Arc<String>>, namespace: Arc<String>, name: Arc<String>| {
                format!("{asked}account={namespace}/{name};")
            },
        )
        .unwrap();
    let everything = request.is_administrator.then(|| "group=*;resource=*;verb=*;".to_owned());
    let granted: BTreeSet<String> = request
        .rights
        .iter()
        .map(|(account, name)| {
            let namespace = request.namespace;
            format!(
                "account={namespace}/{account};group=windows.k8s.io;resource=gmsacredentialspecs;\
                 namespace={namespace};name={name};verb=use;"
            )
        })
        .chain(everything)
        .collect();
    let check = move |This(asked): This<Arc<String>>, verb: Arc<String>| {
        granted.contains(&format!("{asked}verb={verb};"))
    };
    context.add_function("check", check).unwrap();
    context.add_function("allowed", |This(allowed): This<bool>| allowed).unwrap();
}
