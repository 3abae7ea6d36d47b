use super::super::{Config, ConfigError};
use super::*;
use crate::cli::ServeArguments;
use portal::SecretSources;

const SSH: &str = "[target.prod]\nkind = \"ssh\"\nhost = \"prod.example.com\"\nuser = \"deploy\"\n";

const KEYS: &str = "identity_file = \"keys/id\"\nknown_hosts = \"/etc/portal/known_hosts\"\n";

fn surroundings(folder: &Path) -> Surroundings {
    Surroundings {
        path: Some("/the/portals/bin".to_owned()),
        home: Some("/home/portal".to_owned()),
        docker_host: Some("unix:///the/portals.sock".to_owned()),
        directory: folder.to_owned(),
        secrets: SecretSources::default(),
    }
}

fn load_in(folder: &Path, text: &str) -> Result<Config, ConfigError> {
    std::fs::write(folder.join("portal.toml"), text).unwrap();
    Config::load(&ServeArguments::default(), &surroundings(folder))
}

fn load(text: &str) -> Result<Config, ConfigError> {
    load_in(tempfile::tempdir().unwrap().path(), text)
}

fn refused(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

fn value<'t>(target: &'t TargetSettings, name: &str) -> Option<&'t str> {
    target.plan.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[test]
fn another_machine_is_named_with_what_it_takes_to_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{SSH}port = 2222\njump = [\"gate@bastion\", \"gate@[fd00::1]:22\"]\n{KEYS}");

    let config = load_in(folder.path(), &text).unwrap();

    let Reach::Ssh(ssh) = &config.targets[0].plan.reach else { panic!("{:?}", config.targets) };
    assert_eq!((ssh.host.as_str(), ssh.user.as_str(), ssh.port), ("prod.example.com", "deploy", 2222));
    let identity = folder.path().join("keys/id").display().to_string();
    assert_eq!(ssh.identity_file.as_ref(), Some(&identity), "below the folder of the file");
    assert_eq!(ssh.known_hosts, "/etc/portal/known_hosts");
    assert_eq!(ssh.jump, ["gate@bastion", "gate@[fd00::1]:22"]);
    assert_eq!(config.targets[0].plan.reach.to_string(), "deploy@prod.example.com:2222");
}

#[test]
fn a_container_is_named_in_one_of_three_ways() {
    let which = |keys: &str| {
        let config = load(&format!("[target.a]\nkind = \"container\"\n{keys}")).map_err(|error| error.to_string())?;
        Ok::<_, String>(config.targets[0].plan.reach.to_string())
    };

    assert_eq!(which("container = \"api\"\n"), Ok("the container api".to_owned()));
    assert_eq!(which("label = \"role=api\"\n"), Ok("the container with the label role=api".to_owned()));
    let service = "project = \"shop\"\nservice = \"api\"\nuser = \"node:node\"\n";
    assert_eq!(which(service), Ok("the container of api in the project shop".to_owned()));
    let wrong = [
        ("", "exactly one of"),
        ("container = \"api\"\nlabel = \"x\"\n", "exactly one of"),
        ("container = \"api\"\nproject = \"x\"\nservice = \"y\"\n", "exactly one of"),
        ("project = \"x\"\n", "together with \"service\""),
        ("service = \"x\"\n", "together with \"project\""),
        ("container = \" \"\n", "not empty"),
        ("container = \"api\"\nuser = \"a b\"\n", "\"user\""),
    ];
    for (keys, says) in wrong {
        let refusal = which(keys).unwrap_err();

        assert!(refusal.contains(says) && refusal.contains("Nothing was started"), "{keys}: {refusal}");
    }
}

#[test]
fn what_is_missing_or_wrong_about_another_machine_is_said() {
    let cases = [
        ("[target.a]\nkind = \"ssh\"\nuser = \"u\"\n".to_owned() + KEYS, "has a \"host\""),
        ("[target.a]\nkind = \"ssh\"\nhost = \"h\"\n".to_owned() + KEYS, "has a \"user\""),
        (format!("{SSH}identity_file = \"id\"\n"), "has \"known_hosts\""),
        (format!("{SSH}known_hosts = \"known\"\n"), "an \"identity_file\", or an \"agent\""),
        (format!("{SSH}{KEYS}port = 0\n"), "1 to 65535"),
        (format!("{SSH}{KEYS}jump = [\"bastion\"]\n"), "\"bastion\" is not a machine on the way"),
        (format!("{SSH}{KEYS}jump = [\"gate@-oProxyCommand=x\"]\n"), "is not a machine on the way"),
        (format!("{SSH}known_hosts = \"known\"\nidentity_file = \"~/.ssh/id\"\n"), "write the whole path"),
        (SSH.replace("prod.example.com", "-oProxyCommand=id") + KEYS, "is not the name or the address"),
        (SSH.replace("deploy", "-l root") + KEYS, "is not the name of a user"),
    ];

    for (text, says) in cases {
        let refusal = refused(&text);

        assert!(refusal.contains(says) && refusal.contains("Nothing was started"), "{text}: {refusal}");
        assert!(refusal.starts_with("portal.toml:"), "{refusal}");
    }
}

#[test]
fn a_key_of_another_kind_is_refused_with_the_kind_that_has_it() {
    let refusal = refused("[target.a]\nkind = \"local\"\nhost = \"prod\"\n");

    assert!(
        refusal.starts_with("portal.toml:3: \"target.a.host\" is a setting of a target of the kind \"ssh\""),
        "{refusal}"
    );
    assert!(refused(&format!("{SSH}{KEYS}service = \"api\"\n")).contains("\"container\", and this one is \"ssh\""));
    assert!(refused(&format!("{SSH}{KEYS}known_host = \"x\"\n")).contains("\"target.prod.known_hosts\""));
    assert!(refused("[target.a]\nkind = \"container\"\nservise = \"api\"\n").contains("\"target.a.service\""));
}

#[test]
fn elsewhere_nothing_of_the_portals_own_environment_is_there() {
    let there = load(&format!("{SSH}{KEYS}")).unwrap().targets.remove(0);
    let inside = load("[target.a]\nkind = \"container\"\ncontainer = \"api\"\n").unwrap().targets.remove(0);
    let here = load("[target.a]\nkind = \"local\"\n").unwrap().targets.remove(0);

    assert_eq!((value(&here, "PATH"), value(&here, "HOME")), (Some("/the/portals/bin"), Some("/home/portal")));
    assert_eq!((value(&there, "PATH"), value(&there, "HOME")), (Some(SYSTEM_PATH), Some("/home/deploy")));
    assert_eq!((value(&inside, "PATH"), value(&inside, "HOME")), (Some(SYSTEM_PATH), None));
    assert_eq!([&here, &there, &inside].map(|target| value(target, "DOCKER_HOST").is_some()), [true, false, false]);
    assert_eq!([&there.directory, &inside.directory], ["/home/deploy", "/"]);
    for target in [&here, &there, &inside] {
        assert_eq!(value(target, "GIT_PAGER"), Some("cat"), "nothing waits for a person");
        assert_eq!(value(target, "DEBIAN_FRONTEND"), Some("noninteractive"));
    }
}

#[test]
fn an_administrator_adds_to_the_list_and_has_the_last_word() {
    let own = "home = \"/srv/deploy\"\nenvironment = { COMPOSE_PROJECT_NAME = \"shop\", LANG = \"de_DE.UTF-8\" }\n";

    let target = load(&format!("{SSH}{KEYS}{own}mask_files = [\".env\"]\n")).unwrap().targets.remove(0);

    assert_eq!(value(&target, "COMPOSE_PROJECT_NAME"), Some("shop"));
    assert_eq!(value(&target, "HOME"), Some("/srv/deploy"));
    let langs = target.plan.environment.iter().filter(|(name, _)| name == "LANG").map(|(_, value)| value.as_str());
    assert_eq!(langs.collect::<Vec<_>>(), ["de_DE.UTF-8"]);
    assert_eq!(target.mask_files, [".env"]);
    for (name, says) in [("PATH", "\"path\""), ("A-B", "cannot be a variable"), ("PORTAL_RUN", "cannot be a variable")]
    {
        let refusal = refused(&format!("{SSH}{KEYS}environment = {{ {name} = \"x\" }}\n"));

        assert!(refusal.starts_with("portal.toml:7: ") && refusal.contains(says), "{refusal}");
    }
}
