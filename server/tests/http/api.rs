//! The API as a document: put together from the server functions and the table of policies, held against what the running portal
//! answers, and committed as docs/api.md.

mod ownership;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use app::api::Policy;
use axum::body::Body;
use axum::response::Response;
use domain::policy::{Role, allows};
use http::{StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;
use server::http::routes;
use syn::{Attribute, Expr, ExprLit, FnArg, GenericArgument, ItemFn, Lit, Meta, Pat, PathArguments, ReturnType, Type};
use tower::ServiceExt as _;

use crate::site::{Served, call, page};

/// With this variable the document is written instead of compared, as `make api` does.
const WRITE: &str = "PORTAL_WRITE_API";

/// A server function as its source says.
#[derive(Debug)]
struct Function {
    path: String,
    about: String,
    fields: Vec<Field>,
    answer: String,
    streams: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    kind: String,
    optional: bool,
}

#[tokio::test]
async fn the_document_of_the_api_says_what_the_portal_has() {
    let (file, document) = (project().join("docs/api.md"), document());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &document).unwrap();
    }

    let committed = std::fs::read_to_string(&file).unwrap_or_default();

    assert!(committed == document, "docs/api.md is not what the code says: run `make api` and look at the difference");
}

#[tokio::test]
async fn every_registered_function_is_in_the_document_and_no_other() {
    let mut documented: Vec<String> = functions().into_values().flatten().map(|function| function.path).collect();
    let mut registered: Vec<String> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    documented.sort();
    registered.sort();

    assert_eq!(documented, registered);
}

#[tokio::test]
async fn the_portal_answers_each_role_as_the_document_says() {
    let site = Served::start().await;
    let administrator = site.administrator().await;
    let mut cookies = Vec::new();
    for role in [Role::Viewer, Role::Operator, Role::Lead] {
        let word = role.word();
        cookies.push((Some(role), site.person(word, word, word, &administrator).await));
    }
    cookies.push((Some(Role::Administrator), administrator));
    cookies.push((None, String::new()));

    for (path, policy) in inventory() {
        for (role, cookie) in &cookies {
            let answer = asked(&site, path, cookie).await;

            assert_eq!(is_admitted(&answer), admits(policy, *role), "{path} for {role:?}: {answer:?}");
        }
    }
}

/// Asks for an address with nothing in the form; what comes back is not read to its end, which a stream does not have.
async fn asked(site: &Served, path: &str, cookie: &str) -> Response {
    let filled = path.replace("{slug}", "count").replace(['{', '}'], "").replace("id", "1");
    let filled =
        filled.replace("run/output/step/attempt", "1/output/1/1").replace("runs/run/evidence", "runs/1/evidence");
    let request = if routes::is_call(path) { call(path) } else { page(&filled) };
    site.router.clone().oneshot(request.header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await.unwrap()
}

/// Whether somebody was let through to what answers, whatever that said then.
fn is_admitted(answer: &Response) -> bool {
    let location = answer.headers().get(header::LOCATION).map_or(&b""[..], |location| location.as_bytes());
    let away = answer.status() == StatusCode::SEE_OTHER && location.starts_with(b"/sign-in");
    !away && !matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn admits(policy: Policy, role: Option<Role>) -> bool {
    match (policy, role) {
        (Policy::Open, _) => true,
        (Policy::Verb(..), None) => false,
        (Policy::Verb(verb, _), Some(role)) => allows(role, verb),
    }
}

/// Every address with its policy; what ends the session that asks comes last.
fn inventory() -> Vec<(&'static str, Policy)> {
    let all = routes::PAGES.iter().chain(routes::RESOURCES).chain(app::api::POLICY);
    let mut all: Vec<_> = all.copied().collect();
    all.sort_by_key(|(path, _)| *path == "/api/sign-out");
    all
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

const INTRODUCTION: &str = "# The API

What the pages of the portal use, programs may use as well. This file is written by `make api` from the server functions and the table of
policies, and a test holds it against the running portal.

- A call is a `POST` to its path with the fields as a form (`application/x-www-form-urlencoded`); a list of values is written as
  `values[name]=value`. The answer is JSON.
- A script sends `Authorization: Bearer rbp_…`, a token that its person has made on the account page, and may do less than that person
  ([Tokens for scripts](operating.md#tokens-for-scripts)). A browser sends its session and the portal's own `Origin`.
- What was refused has a status and a body `{\"code\": …, \"detail\": …}`: 422 `invalid`, 401 `signed_out`, 403 `denied`, 404 `not_found`, 409
  `conflict`, 429 `too_often`, 503 `busy`, 500 `internal`. Nothing was done then. The header `X-Request-Id` is the number in the portal's log.
- What is limited to groups is left out of lists for who is in none of them, and not there by its name: 404, as for what never was.
  Administrators see everything. A session, a token and a passkey of somebody else are not there either. What takes who works in the run
  is 409 for others; what takes another person than who has done something is 403 for who has.
- What Alertmanager sends to `POST /api/alerts` is JSON and no form ([Alerts](operating.md#alerts)). The answer says how many suggestions were
  `opened`, `repeated`, `closed`, how much was `unbound` or `left_out`, and how much was `put_off`, which is 429.
- Paths stay as they are from version to version, and fields are only added.
- What streams answers with one line of JSON after the other, and with one at least every 15 seconds, so that nobody in between takes it for dead.
";

fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Who gets in\n\nThe least role that may, and on what; *everybody* needs no account. `/metrics` answers observers alone, by their address.\n\n| Address | Who |\n| --- | --- |\n");
    for (path, policy) in routes::PAGES.iter().chain(routes::RESOURCES) {
        let method = if *path == routes::ALERTS { "POST" } else { "GET" };
        let _ = writeln!(text, "| `{method} {path}` | {} |", who(*policy));
    }
    for (module, functions) in functions() {
        let _ = write!(text, "\n## {module}\n");
        for function in &functions {
            describe(function, &mut text);
        }
    }
    text
}

fn describe(function: &Function, text: &mut String) {
    let policy = app::api::policy(&function.path).unwrap();
    let _ = write!(text, "\n### `POST {}`\n\n{} For: {}.\n", function.path, function.about, who(policy));
    if !function.fields.is_empty() {
        text.push_str("\n| Field | Kind | |\n| --- | --- | --- |\n");
    }
    for Field { name, kind, optional } in &function.fields {
        let _ = writeln!(text, "| `{name}` | {kind} | {} |", if *optional { "may be left out" } else { "" });
    }
    let answer = if function.streams { "a stream".to_owned() } else { function.answer.clone() };
    let _ = write!(text, "\nAnswer: {answer}.\n");
}

/// The least role, and whose it has to be.
fn who(policy: Policy) -> String {
    let Policy::Verb(verb, whose) = policy else { return "everybody".to_owned() };
    let role = Role::ALL.into_iter().find(|role| allows(*role, verb)).map_or("nobody", Role::word);
    let words = whose.words();
    if words.is_empty() { role.to_owned() } else { format!("{role}, {words}") }
}

/// The server functions of all modules, in the order of their sources; modules by what they are about.
fn functions() -> BTreeMap<String, Vec<Function>> {
    let mut modules = BTreeMap::new();
    for entry in std::fs::read_dir(project().join("app/src/api")).unwrap() {
        let path = entry.unwrap().path();
        let source = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let items = source.items.iter().filter_map(|item| match item {
            syn::Item::Fn(function) => described(function),
            _ => None,
        });
        let about =
            prose(&source.attrs).split_once(". ").map_or_else(|| prose(&source.attrs), |(first, _)| first.to_owned());
        modules.insert(about.trim_end_matches('.').to_owned(), items.collect());
    }
    modules
}

/// A function with `#[server(endpoint = "…")]`.
fn described(function: &ItemFn) -> Option<Function> {
    let server = function.attrs.iter().find(|attribute| attribute.path().is_ident("server"))?;
    let settings =
        server.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated).unwrap();
    let setting = |name: &str| {
        settings.iter().find_map(|meta| match meta {
            Meta::NameValue(pair) if pair.path.is_ident(name) => Some(pair.value.clone()),
            _ => None,
        })
    };
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(endpoint), .. })) = setting("endpoint") else { return None };
    Some(Function {
        path: format!("/api/{}", endpoint.value()),
        about: prose(&function.attrs),
        fields: function.sig.inputs.iter().map(field).collect(),
        answer: answer_of(&function.sig.output),
        streams: setting("output").is_some(),
    })
}

fn field(argument: &FnArg) -> Field {
    let FnArg::Typed(typed) = argument else { panic!("a server function has no self") };
    let Pat::Ident(name) = &*typed.pat else { panic!("a field has a name") };
    let optional = typed.attrs.iter().any(|attribute| attribute.path().is_ident("server"));
    Field { name: name.ident.to_string(), kind: words_of(&typed.ty), optional }
}

/// The first type of `Result<…>`.
fn answer_of(output: &ReturnType) -> String {
    let ReturnType::Type(_, result) = output else { return "nothing".to_owned() };
    words_of(first_argument(result).unwrap_or(result))
}

fn first_argument(whole: &Type) -> Option<&Type> {
    let Type::Path(path) = whole else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

/// A type in words, for whoever does not read Rust.
fn words_of(kind: &Type) -> String {
    match kind {
        Type::Tuple(tuple) if tuple.elems.is_empty() => return "`null`".to_owned(),
        Type::Path(path) => {
            let name = path.path.segments.last().unwrap().ident.to_string();
            let inner = first_argument(kind).map(words_of);
            return match (name.as_str(), inner) {
                ("String", _) => "text".to_owned(),
                ("bool", _) => "`true` or `false`".to_owned(),
                ("u8" | "u16" | "u32" | "u64", _) => "number".to_owned(),
                ("BTreeMap", _) => "values by name".to_owned(),
                ("Vec", Some(inner)) => format!("list of {inner}"),
                ("Option", Some(inner)) => format!("{inner}, or `null`"),
                (name, _) => format!("`{name}`"),
            };
        }
        _ => {}
    }
    panic!("a type that the document has no words for")
}

/// The documentation comment in one paragraph.
fn prose(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
