use std::path::Path;

use super::*;
use crate::cli::ServeArguments;
use crate::config::{Config, Surroundings};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const PROXY: &str = "[proxy]\ntrusted = [\"10.0.0.0/8\"]\n[identity.proxy]\nuser_header = \"X-Forwarded-User\"\n\
                     groups_header = \"X-Forwarded-Groups\"\nsecret_header = \"X-Portal-Secret\"\nshared_secret = \"proxy\"\n";

const OIDC: &str = "[identity.oidc]\nissuer = \"https://id.example.com/realm\"\nclient_id = \"portal\"\n\
                    client_secret = \"oidc\"\nlabel = \"Example\"\n";

const MAP: &str = "[[identity.map]]\ngroup = \"ops\"\nrole = \"operator\"\n";

fn surroundings(folder: &Path) -> Surroundings {
    Surroundings {
        path: None,
        home: None,
        docker_host: None,
        directory: folder.to_owned(),
        secrets: SecretSources::default(),
    }
}

fn load(text: &str, secret: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), secret).unwrap();
    let secrets = "[secret.proxy]\nfile = \"secret\"\n[secret.oidc]\nfile = \"secret\"\n";
    let text = format!("{text}[target.a]\nkind = \"local\"\n{secrets}");
    std::fs::write(folder.path().join("portal.toml"), text).unwrap();
    Config::load(&ServeArguments::default(), &surroundings(folder.path())).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    let refusal = load(text, SECRET).err().unwrap_or_else(|| panic!("this was taken: {text}"));
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
    assert!(refusal.starts_with("portal.toml") && refusal.contains("Nothing was started"), "{refusal}");
    refusal
}

#[test]
fn nobody_vouches_for_anybody_unless_it_is_configured() {
    assert_eq!(load("", SECRET).unwrap().identity, IdentitySettings::default());
}

#[test]
fn a_proxy_is_believed_by_its_address_and_a_secret_that_no_step_gets() {
    let config = load(&format!("{PROXY}sign_out_url = \"https://auth.example.com/out\"\n{MAP}"), SECRET).unwrap();

    let proxy = config.identity.proxy.unwrap();
    assert_eq!((proxy.user.as_str(), proxy.secret.as_str()), ("x-forwarded-user", "x-portal-secret"));
    assert_eq!(proxy.groups.unwrap().as_str(), "x-forwarded-groups");
    assert_eq!((proxy.shared.as_str(), proxy.sign_out.as_deref()), (SECRET, Some("https://auth.example.com/out")));
    assert!(config.secrets.read("proxy").unwrap_err().contains("no step gets it"));
}

#[test]
fn a_provider_sends_people_back_below_the_public_address() {
    let text = format!("public_url = \"https://ops.example.com/runbooks\"\n{OIDC}{MAP}");

    let oidc = load(&text, SECRET).unwrap().identity.oidc.unwrap();

    assert_eq!(oidc.back, "https://ops.example.com/runbooks/sign-in/back");
    assert_eq!((oidc.issuer.as_str(), oidc.client_id.as_str()), ("https://id.example.com/realm", "portal"));
    assert_eq!(oidc.scopes, ["openid", "profile"]);
    assert_eq!((oidc.login_claim.as_str(), oidc.groups_claim.as_str()), ("preferred_username", "groups"));
    assert!(!format!("{oidc:?}").contains(SECRET));
}

#[test]
fn what_could_not_be_believed_is_refused_at_the_start() {
    let without_peers = PROXY.replace("\"10.0.0.0/8\"", "");
    let with = |from: &str, to: &str| format!("{}{MAP}", PROXY.replace(from, to));
    let provider =
        |from: &str, to: &str| format!("public_url = \"https://ops.example.com\"\n{}{MAP}", OIDC.replace(from, to));

    assert!(refused(&format!("{without_peers}{MAP}")).contains("[proxy] trusted lists none"));
    assert!(refused(PROXY).contains("no line of [[identity.map]] gives a role"));
    assert!(refused(&format!("{OIDC}{MAP}")).contains("takes public_url"));
    assert!(refused(&with("X-Forwarded-User", "X_Forwarded_User")).contains("user_header"));
    assert!(refused(&with("X-Forwarded-User", "X-Portal-Secret")).contains("different headers"));
    for other in ["Cookie", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"] {
        assert!(refused(&with("X-Forwarded-User", other)).contains("user_header"), "{other}");
    }
    assert!(refused(&with("\"proxy\"", "\"Hunter-2!\"")).contains("does not stand in this file"));
    assert!(refused(&with("\"proxy\"", "\"absent\"")).contains("the secret absent cannot be used"));
    assert!(refused(&provider("https://id", "http://id")).contains("https://host/path"));
    assert!(refused(&provider("https://id", "https://u@id")).contains("https://host/path"));
    assert!(refused(&provider("\"Example\"", "\" \"")).contains("label"));
    for short in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef 0123456789abcdef"] {
        let refusal = load(&format!("{PROXY}{MAP}"), short).err().unwrap();
        assert!(refusal.contains("secret proxy"), "{refusal}");
        assert!(short.is_empty() || !refusal.contains(short), "{refusal}");
    }
}

#[test]
fn a_line_of_the_map_is_about_one_thing_and_gives_something() {
    let line = |rest: &str| format!("{PROXY}[[identity.map]]\n{rest}");
    let taken =
        load(&line("user = \"Olga\"\nrole = \"lead\"\ngroups = [\"dba\"]\n"), SECRET).unwrap().identity.map.lines;

    assert_eq!((taken[0].whom.clone(), taken[0].role), (Whom::Login("olga".to_owned()), Some(Role::Lead)));
    assert_eq!(
        load(&line("everybody = true\nrole = \"viewer\"\n"), SECRET).unwrap().identity.map.lines[0].whom,
        Whom::Everybody
    );
    let cases = [
        ("role = \"lead\"\n", "exactly one of"),
        ("group = \"a\"\nuser = \"b\"\nrole = \"lead\"\n", "exactly one of"),
        ("group = \"\"\nrole = \"lead\"\n", "the name is empty"),
        ("group = \"a\"\n", "gives a \"role\""),
        ("group = \"a\"\nrole = \"root\"\n", "root"),
        ("group = \"a\"\ngroups = [\"D B\"]\n", "no group of the portal"),
        ("gruop = \"a\"\nrole = \"lead\"\n", "\"identity.map.group\""),
    ];
    let one_table = refused(&format!("{PROXY}[identity.map]\ngroup = \"ops\"\nrole = \"operator\"\n"));
    assert!(one_table.contains("[[identity.map]]") && !one_table.contains("identity.oidc"), "{one_table}");
    let unknown = refused("[identity.ldap]\nserver = \"x\"\n");
    assert!(unknown.contains("\"identity.ldap\" is not a setting") && !unknown.contains("server"), "{unknown}");
    for (rest, says) in cases {
        assert!(refused(&line(rest)).contains(says), "{rest}: {}", refused(&line(rest)));
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    assert!(refused(&format!("{PROXY}user_haeder = \"x\"\n{MAP}")).contains("\"identity.proxy.user_header\""));
    assert!(refused(&format!("{OIDC}isuer = \"x\"\n{MAP}")).contains("\"identity.oidc.issuer\""));
    assert!(refused(&format!("[identity.oidcc]\nissuer = \"x\"\n{MAP}")).contains("\"identity.oidc\""));
}
