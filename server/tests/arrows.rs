//! Who may depend on whom. The arrows of docs/architecture.md, read from the build's own description.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("runbook", &["domain"]),
    ("engine", &["domain"]),
    ("store", &["domain"]),
    ("audit", &["domain"]),
    ("portal", &["audit", "domain", "engine", "runbook", "store"]),
    ("app", &["domain", "portal"]),
    ("server", &["app", "audit", "domain", "engine", "portal", "runbook", "store"]),
    ("fuzzing", &["domain", "runbook"]),
    ("testkit", &["domain", "engine", "portal", "runbook", "store"]),
];

/// What must never be sent to a browser, or could not work there.
const NOT_IN_A_BROWSER: [&str; 13] = [
    "tokio", "axum", "hyper", "sqlx", "bollard", "mio", "rustix", "nix", "portal", "engine", "store", "audit",
    "runbook",
];

fn workspace() -> BTreeMap<String, Package> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata.packages.into_iter().map(|package| (package.name.to_string(), package)).collect()
}

fn names_of(package: &Package, kind: DependencyKind, ours: &BTreeSet<String>) -> BTreeSet<String> {
    let all = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    all.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
}

#[test]
fn every_crate_depends_only_on_those_below_it() {
    let packages = workspace();
    let ours: BTreeSet<String> = packages.keys().cloned().collect();

    let declared: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ours, declared, "every crate has its arrows declared here and in docs/architecture.md");
    for (name, allowed) in ARROWS {
        let found = names_of(&packages[name], DependencyKind::Normal, &ours);
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let forbidden: Vec<_> = found.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{name} must not depend on {forbidden:?}");
    }
}

#[test]
fn the_test_kit_is_for_tests_only() {
    for (name, package) in workspace() {
        let used = package.dependencies.iter().filter(|dependency| dependency.name == "testkit");
        for dependency in used {
            assert_eq!(dependency.kind, DependencyKind::Development, "{name}");
        }
    }
}

#[test]
fn the_app_knows_the_use_cases_only_on_the_server() {
    let packages = workspace();
    let portal = packages["app"].dependencies.iter().find(|dependency| dependency.name == "portal").unwrap();

    assert!(portal.optional, "`portal` belongs to the feature `ssr`");
    assert!(packages["app"].features["ssr"].iter().any(|feature| feature == "dep:portal"));
    assert!(!packages["app"].features["hydrate"].iter().any(|feature| feature.contains("portal")));
}

#[test]
fn no_crate_turns_both_halves_of_the_app_on() {
    for (name, package) in workspace() {
        let hydrates = package.dependencies.iter().any(|dependency| {
            dependency.name == "app" && dependency.features.iter().any(|feature| feature == "hydrate")
        });
        assert!(!hydrates, "{name} would run the browser's half on the server");
    }
}

#[test]
fn the_browser_gets_nothing_of_the_server() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "app", "--no-default-features", "--features", "hydrate"])
        .args(["--target", "wasm32-unknown-unknown", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();

    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("leptos") && names.contains("domain"), "{names:?}");
    let forbidden: Vec<_> = NOT_IN_A_BROWSER.iter().filter(|name| names.contains(*name)).collect();
    assert!(forbidden.is_empty(), "the bundle would contain {forbidden:?}");
}
