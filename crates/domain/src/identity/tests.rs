use super::*;
use crate::policy::typed_groups;

fn olga(groups: &[&str]) -> Identity {
    Identity::of_proxy("olga", groups.iter().map(|group| (*group).to_owned()).collect()).unwrap()
}

fn line(whom: Whom, role: Option<Role>, groups: &str) -> MapLine {
    MapLine { whom, role, groups: typed_groups(groups).unwrap() }
}

fn group(name: &str, role: Role) -> MapLine {
    line(Whom::Group(name.to_owned()), Some(role), "")
}

fn map(lines: &[MapLine]) -> IdentityMap {
    IdentityMap { lines: lines.to_vec() }
}

fn role(map: &IdentityMap, groups: &[&str]) -> Option<Role> {
    map.admits(&olga(groups)).map(|admission| admission.role)
}

#[test]
fn the_highest_role_of_all_lines_about_somebody_is_theirs_in_any_order() {
    let lines = [group("ops", Role::Operator), group("leads", Role::Lead), group("staff", Role::Viewer)];
    let turned: Vec<MapLine> = lines.iter().rev().cloned().collect();

    for map in [map(&lines), map(&turned)] {
        assert_eq!(role(&map, &["staff"]), Some(Role::Viewer));
        assert_eq!(role(&map, &["staff", "leads", "ops"]), Some(Role::Lead));
        assert_eq!(role(&map, &["leads", "ops", "staff"]), Some(Role::Lead));
    }
}

#[test]
fn whom_no_line_is_about_gets_no_role() {
    let map = map(&[group("ops", Role::Operator), line(Whom::Login("otto".to_owned()), Some(Role::Administrator), "")]);

    assert_eq!(role(&map, &[]), None);
    assert_eq!(
        role(&map, &["Ops", "ops ", "ops/all", "administrator", "otto"]),
        None,
        "unknown groups are passed over"
    );
    assert_eq!(role(&IdentityMap::default(), &["ops"]), None);
}

#[test]
fn a_line_can_be_about_everybody_or_about_one_sign_in_name() {
    let both = map(&[
        line(Whom::Everybody, Some(Role::Viewer), ""),
        line(Whom::Login("olga".to_owned()), Some(Role::Administrator), ""),
    ]);
    let otto = Identity::of_proxy("otto", vec!["olga".to_owned()]).unwrap();

    assert_eq!(role(&both, &[]), Some(Role::Administrator));
    assert_eq!(both.admits(&otto).unwrap().role, Role::Viewer);
}

#[test]
fn groups_of_the_portal_follow_the_map_as_soon_as_it_names_one() {
    let without = map(&[group("ops", Role::Operator)]);
    let with = map(&[
        group("ops", Role::Operator),
        line(Whom::Group("db".to_owned()), None, "dba"),
        line(Whom::Group("night".to_owned()), Some(Role::Viewer), "night-shift, dba"),
    ]);
    let groups = |map: &IdentityMap, of: &[&str]| map.admits(&olga(of)).unwrap().groups;

    assert_eq!(groups(&without, &["ops"]), None);
    assert_eq!(groups(&with, &["ops"]), Some(Groups::new()));
    assert_eq!(groups(&with, &["ops", "db", "night"]), Some(typed_groups("dba, night-shift").unwrap()));
    assert_eq!(with.admits(&olga(&["db"])), None, "a group alone lets nobody in");
}

#[test]
fn a_sign_in_name_is_one_of_ours_or_a_mail_address() {
    assert_eq!(Identity::of_proxy(" Olga.Marin@Example.com ", Vec::new()).unwrap().login, "olga.marin@example.com");
    let long = "x".repeat(65);
    for wrong in ["", " ", "olga marin", "olga,otto", "olga\nmarin", "\u{43e}lga", "olga/../ada", "CN=olga", &long] {
        assert_eq!(Identity::of_proxy(wrong, Vec::new()), Err(Unwelcome::Unusable), "{wrong:?}");
    }
}

#[test]
fn a_subject_is_kept_as_it_is_and_a_name_that_could_deceive_is_not_shown() {
    let of = |subject: &str, name: &str| {
        Identity::of_provider("https://id.example.com".to_owned(), subject, "olga", name, Vec::new())
    };

    assert_eq!(of("Olga|7", "Olga Marin").unwrap().subject, "Olga|7");
    assert_eq!(of("7", "Olga Marin").unwrap().name, "Olga Marin");
    for hidden in ["", "Olga\u{202e}", "Ol\u{200b}ga", "Olga\nAda", &"x".repeat(65)] {
        assert_eq!(of("7", hidden).unwrap().name, "olga", "{hidden:?}");
    }
    for subject in ["", "a\0b", &"x".repeat(256)] {
        assert_eq!(of(subject, "Olga"), Err(Unwelcome::Unusable), "{subject:?}");
    }
}

#[test]
fn no_provider_has_the_key_of_the_proxy_and_each_key_tells_its_source() {
    let provider = Issuer::Provider("https://id.example.com".to_owned());

    assert_ne!(provider.key(), Issuer::Proxy.key());
    for issuer in [provider, Issuer::Proxy] {
        assert_eq!(Issuer::source_of(issuer.key()), issuer.source());
    }
}

#[test]
fn each_reason_has_a_word_of_its_own_and_says_that_nothing_was_done() {
    for reason in Unwelcome::ALL {
        assert_eq!(Unwelcome::parse(reason.word()), Some(reason));
        let sentence = reason.sentence();
        assert!(sentence.contains("Nobody was signed in") || sentence.contains("nothing was proven"), "{sentence}");
        assert!(sentence.ends_with('.') && !sentence.contains('!'), "{sentence}");
    }
    assert_eq!(Unwelcome::parse("<script>"), None);
}

#[test]
fn an_issuer_is_known_by_its_key() {
    for issuer in [Issuer::Proxy, Issuer::Provider("https://id.example.com".to_owned())] {
        assert_eq!(Issuer::of_key(issuer.key()), issuer);
        assert_eq!(Issuer::source_of(issuer.key()), issuer.source());
    }
}
