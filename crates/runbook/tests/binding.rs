//! Values reach programs byte for byte: every script is really run by bash, with the value in its environment.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use proptest::prelude::*;
use runbook::{BindError, bind};

/// Runs a script with a value in its environment and returns what it wrote.
fn run(script: &str, value: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("value", value)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was executed: {script}");
    output.stdout
}

/// Places a placeholder can stand in, with what stands around the value in the program's argument.
const PLACES: &[(&str, &str, &str)] = &[
    ("printf '%s\\0' /path/to/thing", "", ""),
    ("printf '%s\\0' --archive=/path/to/thing", "--archive=", ""),
    ("printf '%s\\0' \"see /path/to/thing now\"", "see ", " now"),
    ("printf '%s\\0' 'see /path/to/thing now'", "see ", " now"),
    ("printf '%s\\0' $'see\\t/path/to/thing now'", "see\t", " now"),
    ("printf '%s\\0' a\"b /path/to/thing c\"'d'e", "ab ", " cde"),
    ("printf '%s\\0' http://host:80/path/to/thing?x=1", "http://host:80", "?x=1"),
    ("x=/path/to/thing; printf '%s\\0' \"$x\"", "", ""),
    ("x=1 printf '%s\\0' /path/to/thing | cat", "", ""),
    ("for x in /path/to/thing; do printf '%s\\0' \"$x\"; done", "", ""),
    ("if true; then printf '%s\\0' /path/to/thing; fi", "", ""),
    ("( cd . && printf '%s\\0' /path/to/thing )", "", ""),
    ("f() { printf '%s\\0' /path/to/thing; }; f", "", ""),
    ("cat < <(printf '%s\\0' /path/to/thing)", "", ""),
    ("[[ -n /path/to/thing ]] && printf '%s\\0' /path/to/thing", "", ""),
    ("case /path/to/thing in *) printf '%s\\0' /path/to/thing;; esac", "", ""),
];

fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "'",
        "\"",
        "\\",
        "$(touch x)",
        "`touch x`",
        "${HOME}",
        "$value",
        "\n",
        " ",
        "*",
        "?",
        "~",
        "-n",
        "--",
        "!",
        "#",
        ";touch x;",
        "&",
        "|",
        "<",
        ">",
        "(",
        ")",
        "{a,b}",
        "[x]",
        "ü",
        "🚀",
        "\t",
        "%s",
        "\\0",
        "=",
        "EOF",
        "'\"'\"'",
        "\u{202E}",
        "/path/to/thing",
    ]);
    prop::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_arrives_byte_for_byte_wherever_its_placeholder_stands(value in nasty()) {
        for (script, before, after) in PLACES {
            let placeholder = "/path/to/thing";
            let bound = bind(script, &[(placeholder, "value")]).unwrap();

            let received = run(&bound, &value);

            prop_assert_eq!(received, format!("{before}{value}{after}\0").into_bytes(), "{}", bound);
        }
    }

    #[test]
    fn a_value_arrives_in_a_here_document(value in nasty()) {
        let bound = bind("cat <<EOF\nsee /path/to/thing now\nEOF\n", &[("/path/to/thing", "value")]).unwrap();

        prop_assert_eq!(run(&bound, &value), format!("see {value} now\n").into_bytes());
    }

    #[test]
    fn a_variable_of_the_document_stays_one(value in nasty()) {
        for script in ["printf '%s\\0' $TOKEN", "printf '%s\\0' \"${TOKEN}\"", "printf '%s\\0' $TOKEN | cat"] {
            let bound = bind(script, &[("$TOKEN", "value")]).unwrap();

            prop_assert_eq!(run(&bound, &value), format!("{value}\0").into_bytes(), "{}", bound);
        }
    }
}

#[test]
fn references_fit_their_place() {
    let bound = |text: &str| {
        bind(text, &[("service_name", "service"), ("<commit-hash>", "commit"), ("$TOKEN", "token")]).unwrap()
    };

    assert_eq!(
        bound("docker tag service_name:current service_name:previous"),
        "docker tag \"${service}\":current \"${service}\":previous"
    );
    assert_eq!(bound("echo \"a service_name b\""), "echo \"a ${service} b\"");
    assert_eq!(bound("echo 'a service_name b'"), "echo 'a '\"${service}\"' b'");
    assert_eq!(bound("git checkout <commit-hash>"), "git checkout \"${commit}\"");
    assert_eq!(bound("git log <commit-hash>~1..<commit-hash>"), "git log \"${commit}\"~1..\"${commit}\"");
    assert_eq!(bound("echo $TOKEN | login \"x${TOKEN}\""), "echo \"${token}\" | login \"x${token}\"");
    assert_eq!(bound("echo '$TOKEN' \\$TOKEN"), "echo '$TOKEN' \\$TOKEN");
    assert_eq!(bound("echo service_names my-service_name"), "echo service_names my-service_name");
}

#[test]
fn the_longer_of_two_placeholders_counts() {
    let bound = bind(
        "scp user@production-server ; ls production-server",
        &[("production-server", "host"), ("user@production-server", "login")],
    )
    .unwrap();

    assert_eq!(bound, "scp \"${login}\" ; ls \"${host}\"");
}

#[test]
fn a_place_that_takes_no_value_is_refused() {
    let refused = |text: &str| bind(text, &[("SERVICE", "service")]).unwrap_err().to_string();

    assert!(refused("cat <<'EOF'\nSERVICE\nEOF\n").contains("a quoted here-document"));
    assert!(refused("ls # SERVICE").contains("a comment"));
    assert!(refused("SERVICE=1 ls").contains("the name of a variable"));
    assert!(refused("echo $((SERVICE + 1))").contains("cannot be filled here"));
    assert!(refused("(( SERVICE > 1 ))").contains("cannot be filled here"));
    assert!(refused("echo ${x:-SERVICE}").contains("a parameter expansion"));
    assert!(refused("echo ${a[SERVICE]}").contains("cannot be filled here"));
    assert!(refused("a[SERVICE]=1").contains("cannot be filled here"));
    assert!(refused("echo \"SERVICE").contains("cannot be parsed"));
    assert!(refused("ls ~SERVICE/.ssh").contains("behind ~"));
    assert!(refused("SERVICE() { ls; }").contains("the name of a function"));
    assert!(refused("function SERVICE { ls; }").contains("the name of a function"));
}

#[test]
fn bash_calculates_nothing_with_a_value() {
    let value = "b[$(touch x)]";
    for script in [
        "a=( [SERVICE]=1 )",
        "a=( x [\"y SERVICE\"]=1 )",
        "a=( [0]=x [\"SERVICE\"]+=1 )",
        "declare -i n; n=SERVICE",
        "typeset -gi n; n=SERVICE",
        "a[SERVICE]=1",
        "echo $((SERVICE))",
        "[[ SERVICE -eq 1 ]]",
    ] {
        let bound = bind(script, &[("SERVICE", "value")]);

        assert!(matches!(bound, Err(BindError::NotHere { .. })), "{script}: {bound:?}");
    }
    for script in ["a=( [0]=SERVICE )", "a=( x SERVICE )", "a=( [0]=x SERVICE )", "a[0]=SERVICE"] {
        run(&bind(script, &[("SERVICE", "value")]).unwrap(), value);
    }
}

#[test]
fn backticks_in_which_a_backslash_takes_part_are_refused() {
    for script in [
        "x=`echo \"\\`echo SERVICE\\`\"`",
        "echo `echo \\`echo SERVICE\\``",
        "x=\"`echo \\\"SERVICE\\\"`\"",
        "x=`echo a\\ b SERVICE`",
    ] {
        let bound = bind(script, &[("SERVICE", "value")]);

        assert!(bound.as_ref().is_err_and(|error| error.to_string().contains("write $( … )")), "{script}: {bound:?}");
    }
    assert!(bind("x=`echo SERVICE`; echo a\\ b", &[("SERVICE", "value")]).is_ok());
}

#[test]
fn a_value_never_steers_a_shell_or_a_program() {
    for script in [
        "PATH=SERVICE:$PATH ls",
        "export PATH=$PATH:SERVICE",
        "LD_PRELOAD=SERVICE ls",
        "env LD_PRELOAD=SERVICE ls",
        "sudo BASH_ENV=SERVICE ls",
        "IFS=SERVICE; ls",
        "PROMPT_COMMAND=SERVICE",
        "GIT_SSH_COMMAND=\"ssh SERVICE\" git fetch",
        "EDITOR=SERVICE crontab -e",
    ] {
        let bound = bind(script, &[("SERVICE", "service")]);

        assert!(matches!(bound, Err(BindError::Steers { .. })), "{script}: {bound:?}");
    }
    for script in
        ["NAME=SERVICE ls", "env NAME=SERVICE ls", "export GIT_AUTHOR_NAME=SERVICE", "x=$(PATH=/bin ls SERVICE)"]
    {
        assert!(bind(script, &[("SERVICE", "service")]).is_ok(), "{script}");
    }
}

#[test]
fn a_variable_of_the_command_does_not_carry_a_value_into_code() {
    for script in [
        "x=SERVICE; ssh host \"ls $x\"",
        "X=SERVICE bash -c \"ls ${X}\"",
        "x=SERVICE; eval \"ls $x\"",
        "for x in a SERVICE; do ssh host ls $x; done",
        "x=SERVICE; y=\"a $x\"; z=$y; ssh host ls $z",
        "x=$(echo SERVICE); bash -c \"ls $x\"",
        "a=(SERVICE); ssh host ls ${a[0]}",
    ] {
        let bound = bind(script, &[("SERVICE", "service")]);

        assert!(matches!(bound, Err(BindError::Carried { .. })), "{script}: {bound:?}");
    }
    for script in [
        "x=SERVICE; ssh host 'ls $x'",
        "X=SERVICE bash -c 'ls \"$X\"'",
        "x=a; echo SERVICE; ssh host ls $x",
        "x=SERVICE; echo $x; ssh host ls $xy",
        "for x in a b; do echo SERVICE; ssh host ls $x; done",
    ] {
        assert!(bind(script, &[("SERVICE", "service")]).is_ok(), "{script}");
    }
}

#[test]
fn a_value_never_becomes_code_of_another_program() {
    let scripts = [
        "bash -c 'echo SERVICE'",
        "bash -c \"echo SERVICE\"",
        "sudo sh -ec \"echo SERVICE\"",
        "eval echo SERVICE",
        "ssh host docker restart SERVICE",
        "ssh -p 22 host \"docker restart SERVICE\"",
        "docker-compose exec db psql -c \"select 'SERVICE'\"",
        "psql -tAc \"select 'SERVICE'\"",
        "mongosh --eval \"db.SERVICE.find()\"",
        "docker exec db sh -c \"ls SERVICE\"",
        "awk \"/SERVICE/\" file",
        "sed \"s/x/SERVICE/\" file",
        "jq '.SERVICE' file",
        "python3 -c \"print('SERVICE')\"",
        "watch docker ps SERVICE",
        "find . -exec sh -c \"echo SERVICE\" \\;",
        "ls | xargs sh -c \"echo SERVICE\"",
        "trap \"echo SERVICE\" EXIT",
        "source <(echo SERVICE)",
        "echo \"rm SERVICE\" | sh",
        "bash <<EOF\nrm SERVICE\nEOF\n",
        "bash <<< \"rm SERVICE\"",
        "[[ -v SERVICE ]]",
        "[[ 1 -eq SERVICE ]]",
        "let SERVICE",
        "declare x=SERVICE y[SERVICE]=1",
        "su -c \"ls SERVICE\" user",
        "env X=1 bash -c \"ls SERVICE\"",
        "kubectl exec pod -- sh -c \"ls SERVICE\"",
        "printf -v SERVICE x",
        "read SERVICE",
        "unset SERVICE",
        "test -v SERVICE",
        "runuser -l pg -c 'ls SERVICE'",
        "su --command='ls SERVICE' pg",
        "flock /l -c 'ls SERVICE'",
        "bash -ce 'ls SERVICE'",
        "env -S 'ls SERVICE'",
        "git submodule foreach 'ls SERVICE'",
        "sudo -s <<EOF\nls SERVICE\nEOF\n",
        "echo SERVICE | xargs -I{} sh -c 'ls {}'",
        "source SERVICE",
        ". SERVICE/env",
        "bash SERVICE",
        "bash -x SERVICE --now",
        "sh < SERVICE",
        "python3 SERVICE",
        "enable -f SERVICE x",
        "complete -C SERVICE x",
        "hash -p SERVICE ls",
        "make X=SERVICE",
        "ssh -o SERVICE host uptime",
        "ssh -oProxyCommand=SERVICE host uptime",
        "rsync -e SERVICE a b",
        "rsync --rsh=SERVICE a b",
        "tar --to-command=SERVICE -xf a",
        "git -c SERVICE log",
        "git fetch --upload-pack=SERVICE",
        "find . -exec SERVICE {} \\;",
    ];

    for script in scripts {
        assert!(
            matches!(bind(script, &[("SERVICE", "service")]), Err(BindError::Code { .. } | BindError::NotHere { .. })),
            "{script}: {:?}",
            bind(script, &[("SERVICE", "service")])
        );
    }
}

#[test]
fn a_variable_that_the_command_sets_itself_is_refused() {
    let scripts = [
        "for service in a b; do docker restart SERVICE; done",
        "read -r service; docker restart SERVICE",
        "read service < file && docker restart SERVICE",
        "service=web; docker restart SERVICE",
        "service+=web; docker restart SERVICE",
        "service[1]=web; docker restart SERVICE",
        "export service=web; docker restart SERVICE",
        "f() { local service; docker restart SERVICE; }; f",
        "declare service=x; docker restart SERVICE",
        "declare -n other=service; docker restart SERVICE",
        "unset service; docker restart SERVICE",
        "printf -v service x; docker restart SERVICE",
        "mapfile -t service < x; docker restart SERVICE",
        "getopts a service; docker restart SERVICE",
        "select service in a b; do docker restart SERVICE; done",
        "((service = 1)); docker restart SERVICE",
        "((service++)); docker restart SERVICE",
        "let service=1; docker restart SERVICE",
        ": ${service:=x}; docker restart SERVICE",
        "( service=x; docker restart SERVICE )",
        "echo $(service=x); docker restart SERVICE",
    ];

    for script in scripts {
        let bound = bind(script, &[("SERVICE", "service")]);

        assert!(matches!(&bound, Err(BindError::Captured { name, .. }) if name == "service"), "{script}: {bound:?}");
    }
    for script in ["services=x; ls SERVICE", "other=service; ls SERVICE", "[[ $x == service ]] && ls SERVICE"] {
        assert!(bind(script, &[("SERVICE", "service")]).is_ok(), "{script}");
    }
}

#[test]
fn a_shell_on_another_machine_into_which_nobody_types_is_refused() {
    for script in ["ssh web1", "ssh -t deploy@web1", "sudo ssh web1", "cd /srv && ssh web1"] {
        assert_eq!(bind(script, &[]), Err(BindError::Interactive), "{script}");
    }
    for script in [
        "ssh web1 uptime",
        "ssh web1 <<EOF\nls\nEOF",
        "ssh web1 < x",
        "echo ls | ssh web1",
        "ssh -O exit web1",
        "ssh -V",
    ] {
        assert!(bind(script, &[]).is_ok(), "{script}");
    }
}

#[test]
fn a_name_that_is_no_variable_is_refused() {
    assert_eq!(bind("ls X", &[("X", "a b")]), Err(BindError::Name { name: "a b".to_owned() }));
}

#[test]
fn a_value_never_chooses_the_program() {
    for text in ["VALUE /srv", "sudo VALUE /srv", "env A=1 VALUE x", "/opt/VALUE x", "timeout 5 VALUE x"] {
        let refused = bind(text, &[("VALUE", "value")]);

        assert!(
            matches!(&refused, Err(BindError::NotHere { place: "the name of a program", .. })),
            "{text}: {refused:?}"
        );
    }
    for text in [
        "sudo ls VALUE",
        "bash deploy.sh VALUE",
        "python3 - VALUE < x",
        "mysql db < VALUE",
        "ssh -p VALUE host uptime",
        "git log VALUE",
        "tar -xf VALUE",
        "find VALUE -name x",
    ] {
        assert!(bind(text, &[("VALUE", "value")]).is_ok(), "{text}");
    }
    // To make a word may be an assignment, and its value text in which programs are started.
    assert!(bind("make VALUE", &[("VALUE", "value")]).is_err());
}

#[test]
fn the_program_that_takes_a_hyphen_for_an_option_is_known() {
    for (text, program) in [
        ("ssh VALUE uptime", "ssh"),
        ("sudo git log VALUE", "git"),
        ("docker exec VALUE ls", "ls"),
        ("ls | xargs rm \"VALUE/x\"", "xargs"),
        ("rm -f 'VALUE'", "rm"),
        ("x=$(curl VALUE)", "curl"),
    ] {
        assert_eq!(runbook::option_of(text, "VALUE").as_deref(), Some(program), "{text}");
    }
    for text in [
        "rm -- VALUE",
        "ls /srv/VALUE",
        "ssh user@VALUE uptime",
        "x=VALUE",
        "ls --x=VALUE",
        "echo VALUE",
        "ls > VALUE",
        "ls",
    ] {
        assert_eq!(runbook::option_of(text, "VALUE"), None, "{text}");
    }
}

#[test]
fn a_value_never_becomes_what_an_option_starts() {
    let scripts = [
        "make deploy VERSION=VALUE",
        "make VALUE",
        "man -P VALUE ls",
        "ssh -o ProxyCommand=VALUE web1 uptime",
        "ssh -oProxyCommand=VALUE web1 uptime",
        "tar -xf x.tar --to-command=VALUE",
        "rsync -e VALUE a b",
        "git -c core.pager=VALUE log",
        "gdb -ex 'print VALUE' -p 1",
        "certbot renew --deploy-hook VALUE",
        "ansible all -a VALUE",
        "sudo git -c alias.x=VALUE x",
    ];

    for script in scripts {
        let bound = bind(script, &[("VALUE", "value")]);

        assert!(matches!(bound, Err(BindError::Code { .. })), "{script}: {bound:?}");
    }
    for script in ["tar -xf VALUE", "rsync -e ssh VALUE b", "git -C VALUE log", "man VALUE"] {
        assert!(bind(script, &[("VALUE", "value")]).is_ok(), "{script}");
    }
}

#[test]
fn every_command_of_the_shipped_documents_takes_its_values() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runbooks");
    let mut bound = 0;

    for name in ["brainbytes", "first-tour"] {
        let text = std::fs::read(folder.join(format!("{name}.md"))).unwrap();
        let side = std::fs::read(folder.join(format!("{name}.portal.toml"))).unwrap();
        let document = runbook::read("a.md", &text, Some(("a.portal.toml", &side))).unwrap();
        let parts = document.procedures.iter().flat_map(|procedure| &procedure.parts);
        for command in parts.flat_map(domain::runbook::Part::steps).flat_map(domain::runbook::Step::commands) {
            let filled = command.placeholders.iter();
            let bindings: Vec<(&str, &str)> =
                filled.filter_map(|one| Some((one.text.as_str(), one.parameter.as_deref()?))).collect();
            let outcome = bind(&command.text, &bindings);

            assert!(matches!(outcome, Ok(_) | Err(BindError::Interactive)), "{}: {outcome:?}", command.text);
            bound += usize::from(!bindings.is_empty());
        }
    }
    assert!(bound > 20, "{bound}");
}
